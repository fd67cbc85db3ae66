// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ChallengeHandler} from "./testing/ChallengeHandler.t.sol";

/// @notice What must hold after any sequence of promises, challenges, answers, silences and payments.
contract AvailabilityChallengeInvariants {
    ChallengeHandler internal handler;

    function setUp() public {
        handler = new ChallengeHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev One function: each `invariant_` would be a campaign of its own.
    function invariant_challenges() public view {
        string memory broken = handler.broken();
        require(bytes(broken).length == 0, broken);
        broken = handler.check();
        require(bytes(broken).length == 0, broken);
    }

    /// @dev A campaign that opens, answers or slashes nothing would hold every promise. This one must do it all.
    function test_aStoryOfChallengesReachesEveryChapter() public {
        for (uint256 i; i < 1_500; i++) {
            handler.step(uint256(keccak256(abi.encode("challenges", i))));
        }
        invariant_challenges();
        require(handler.opened() > 50, "few challenges");
        require(handler.refusedOpens() > 50, "few refused");
        require(handler.answered() > 20, "few answers");
        require(handler.superseded() > 3, "few superseded");
        require(handler.lateAnswers() > 3, "few late answers");
        require(handler.slashes() > 5, "few slashes");
        require(handler.secondSilences() > 0, "no second silence of one receipt");
        require(handler.collected() > 20, "little collected");
        require(handler.tombstones() == 1, "no tombstone");
    }
}
