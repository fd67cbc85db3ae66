// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IStakeRegistryTypes} from "./IStakeRegistry.sol";

/// @notice Batched reads. Holds nothing, decides nothing.
interface IRegistryLens is IStakeRegistryTypes {
    struct StakeView {
        uint64 stakeId;
        Stake stake;
        KeyRecord key; // of the newest node key
    }

    struct Network {
        uint256 blockNumber;
        uint256 timestamp;
        uint64 stakeCount;
        uint64 currentEpoch;
        uint256 bonded;
        uint256 unbonding;
        uint256 credits;
        uint256 escrow;
        uint256 burnable;
        uint96 minStake;
        bytes32 salt;
        uint64 registrationsPausedUntil;
    }

    function registry() external view returns (address);

    /// @notice Stakes `fromId` up to and without `fromId + count`, cut off at the newest.
    function stakes(uint64 fromId, uint64 count) external view returns (StakeView[] memory);

    function network() external view returns (Network memory);
}
