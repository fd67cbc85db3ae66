// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StakeHandler} from "./testing/StakeHandler.t.sol";

/// @notice What must hold after any sequence of registrations, exits, lies, claims and settlements.
/// docs/invariants.md lists the breaks that were seen to be noticed, and those still to be tried.
contract StakeRegistryInvariants {
    StakeHandler internal handler;

    function setUp() public {
        handler = new StakeHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev One function: each `invariant_` would be a campaign of its own.
    function invariant_promises() public view {
        string memory broken = handler.broken();
        require(bytes(broken).length == 0, broken);
        broken = handler.checkBooks();
        require(bytes(broken).length == 0, broken);
        broken = handler.checkKeys();
        require(bytes(broken).length == 0, broken);
        broken = handler.checkPenalties();
        require(bytes(broken).length == 0, broken);
    }

    /// @dev A campaign that never registers, lies, settles or leaves would hold every promise. This one must do it all.
    function test_aStoryReachesEveryChapter() public {
        for (uint256 i; i < 2_000; i++) {
            handler.step(uint256(keccak256(abi.encode(i))));
        }
        invariant_promises();
        require(handler.registrations() > 10, "few registrations");
        require(handler.slashes() > 5, "few slashes");
        require(handler.repeats() > 0, "no fault was submitted twice");
        require(handler.settlements() > 5, "few settlements");
        require(handler.withdrawals() > 0, "no withdrawal");
        require(handler.rotations() > 5, "few rotations");
        require(handler.missedDraws() > 0, "no missed draw");
        require(handler.rewards() > 0, "no reward");
    }
}
