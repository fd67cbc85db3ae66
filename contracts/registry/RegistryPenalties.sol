// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Penalties} from "../libraries/Penalties.sol";
import {IStakeRegistry} from "../interfaces/IStakeRegistry.sol";
import {RegistryLedger} from "./RegistryLedger.sol";
import {RegistryParams} from "./RegistryParams.sol";

/// @notice Charges faults: the base at once, the correlated part once the window around the fault has passed.
abstract contract RegistryPenalties is RegistryParams, RegistryLedger {
    /// @dev The first slot is all that most slashes write of a stake.
    struct Bond {
        uint96 amount;
        uint40 jailedUntil;
        uint40 readyAt;
        uint32 unsettled;
        uint16 chargedBps; // largest base penalty of the open penalty period; 0: none is open
        uint16 period; // how many penalty periods were ended by `unjail`
        Status status;
        bool tombstoned;
        // next slot
        address operator;
        uint64 drawBlock;
        // next slot
        address person;
        uint96 periodStart; // amount when the penalty period began
        // next slot
        address nodeKey;
        uint96 minStake;
        // next slot
        bytes32 placement;
    }

    /// @dev A fault whose correlated part is to be settled.
    struct FaultRecord {
        uint96 base; // 0: unknown, or nothing was at stake
        uint64 bondedUnits; // all that was slashable at the proof, see Penalties.toBondUnits
        uint32 stakeId;
        uint32 bucket; // of the proof; 0: settled
        uint16 period; // of the stake, at the proof
    }

    mapping(uint64 stakeId => Bond) internal _bonds;
    mapping(bytes32 faultId => FaultRecord) private _faults;

    /// @dev What stakes had when their penalty periods began, summed over the bucket in which that was.
    mapping(uint256 bucket => uint256) private _offendersIn;

    /// @dev The largest correlated part of a penalty period so far, by stake id << 16 | period.
    mapping(uint256 periodKey => uint256) private _correlatedDue;

    /// @inheritdoc IStakeRegistry
    function slash(uint64 stakeId, bytes32 faultId, uint16 penaltyBps, uint16 rewardBps, bool tombstone)
        external
        onlyCourt
        returns (uint96 charged, uint96 escrowed)
    {
        Bond storage stored = _bonds[stakeId];
        Status status = stored.status;
        require(status != Status.None, UnknownStake(stakeId));
        uint96 amount = stored.amount;
        uint16 chargedBps = stored.chargedBps;
        uint256 bucket = block.timestamp / BUCKET_SECONDS;

        // 1. The first fault since the last release from jail opens a penalty period.
        uint256 start;
        if (chargedBps == 0) {
            start = amount;
            stored.periodStart = amount;
            _offendersIn[bucket] += amount;
        } else {
            start = stored.periodStart;
        }

        // 2. Only what exceeds the period's largest penalty so far is new.
        uint256 base = Penalties.part(start, penaltyBps);
        if (penaltyBps > chargedBps) {
            charged = uint96(Math.min(base - Penalties.part(start, chargedBps), amount));
            escrowed = uint96(Penalties.part(charged, rewardBps));
            stored.chargedBps = penaltyBps;
        }

        // 3. What the correlated part will be worked out from.
        if (base != 0) {
            _faults[faultId] = FaultRecord({
                base: uint96(base),
                bondedUnits: Penalties.toBondUnits(_sums.slashable),
                stakeId: uint32(stakeId),
                bucket: uint32(bucket),
                period: stored.period
            });
            stored.unsettled += 1;
        }

        // 4. The stake and the sums.
        uint40 jailedUntil;
        if (tombstone) {
            stored.tombstoned = true;
        } else {
            jailedUntil = uint40(block.timestamp + JAIL_SECONDS);
            stored.jailedUntil = jailedUntil;
        }
        if (charged != 0) {
            stored.amount = amount - charged;
            _charge(charged, escrowed, status == Status.Unbonding);
        }
        emit Slashed(stakeId, faultId, charged, amount - charged, jailedUntil, tombstone);
    }

    /// @inheritdoc IStakeRegistry
    function settle(bytes32 faultId) external {
        // 1. Once, and only when no more offenders can join.
        FaultRecord memory fault = _faults[faultId];
        require(fault.base != 0, UnknownFault(faultId));
        require(fault.bucket != 0, AlreadySettled(faultId));
        uint256 from = _settleableAt(fault.bucket);
        require(block.timestamp >= from, SettlementTooEarly(faultId, from, block.timestamp));
        _faults[faultId].bucket = 0;

        // 2. Offenders within two buckets each way; early in a chain's clock there may be none before.
        uint256 offenders;
        uint256 first = fault.bucket - Math.min(fault.bucket, Penalties.REACH);
        for (uint256 bucket = first; bucket <= fault.bucket + Penalties.REACH; ++bucket) {
            offenders += _offendersIn[bucket];
        }

        // 3. Of all correlated parts of a period only the largest counts, whatever the order of calls.
        uint256 due = Penalties.correlated(fault.base, offenders, Penalties.fromBondUnits(fault.bondedUnits));
        uint256 periodKey = uint256(fault.stakeId) << 16 | fault.period;
        uint256 before = _correlatedDue[periodKey];
        Bond storage stored = _bonds[fault.stakeId];
        uint96 charged;
        if (due > before) {
            _correlatedDue[periodKey] = due;
            charged = uint96(Math.min(due - before, stored.amount));
        }

        // 4. All of it burns.
        uint96 newAmount = stored.amount - charged;
        stored.amount = newAmount;
        stored.unsettled -= 1;
        _charge(charged, 0, stored.status == Status.Unbonding);
        emit Settled(fault.stakeId, faultId, charged, newAmount);
    }

    /// @inheritdoc IStakeRegistry
    function settleableAt(bytes32 faultId) external view returns (uint256) {
        uint256 bucket = _faults[faultId].bucket;
        return bucket == 0 ? 0 : _settleableAt(bucket);
    }

    /// @dev The end of the last bucket that counts.
    function _settleableAt(uint256 bucket) private view returns (uint256) {
        return (bucket + Penalties.REACH + 1) * BUCKET_SECONDS;
    }
}
