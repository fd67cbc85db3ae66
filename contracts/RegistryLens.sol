// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IRegistryLens} from "./interfaces/IRegistryLens.sol";
import {IStakeRegistry} from "./interfaces/IStakeRegistry.sol";

/// @notice Reads many stakes in one call. Anyone may deploy another; nothing depends on this one.
contract RegistryLens is IRegistryLens {
    /// @inheritdoc IRegistryLens
    address public immutable registry;

    constructor(address registry_) {
        registry = registry_;
    }

    /// @inheritdoc IRegistryLens
    function stakes(uint64 fromId, uint64 count) external view returns (StakeView[] memory views) {
        IStakeRegistry source = IStakeRegistry(registry);
        uint256 end = uint256(source.stakeCount()) + 1;
        uint256 first = fromId == 0 ? 1 : fromId;
        uint256 last = uint256(fromId) + count;
        if (last > end) last = end;
        if (last <= first) return views;

        views = new StakeView[](last - first);
        for (uint256 i = 0; i < views.length; ++i) {
            uint64 stakeId = uint64(first + i);
            Stake memory stake = source.stakeOf(stakeId);
            views[i] = StakeView({stakeId: stakeId, stake: stake, key: source.keyRecord(stake.nodeKey)});
        }
    }

    /// @inheritdoc IRegistryLens
    function network() external view returns (Network memory view_) {
        IStakeRegistry source = IStakeRegistry(registry);
        view_.blockNumber = block.number;
        view_.timestamp = block.timestamp;
        view_.stakeCount = source.stakeCount();
        view_.currentEpoch = source.currentEpoch();
        (view_.bonded, view_.unbonding, view_.credits, view_.escrow, view_.burnable) = source.totals();
        view_.minStake = source.minStake();
        view_.salt = source.salt();
        view_.registrationsPausedUntil = source.registrationsPausedUntil();
    }
}
