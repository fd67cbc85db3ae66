// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Penalties} from "../libraries/Penalties.sol";
import {IFaultCourtErrors} from "../interfaces/IFaultCourt.sol";
import {IStakeRegistry} from "../interfaces/IStakeRegistry.sol";
import {RegistryLedger} from "./RegistryLedger.sol";
import {RegistryParams} from "./RegistryParams.sol";

/// @notice Charges faults: the base at once, the correlated part once the window around the fault has passed.
/// @dev A fault is remembered in one slot. What it cost follows from the rates there and from what the stake had when
/// its penalty period began, which is kept for periods that have ended.
abstract contract RegistryPenalties is RegistryParams, RegistryLedger {
    struct Bond {
        // The first slot is all that most calls touch.
        uint96 amount;
        uint40 jailedUntil;
        uint40 readyAt;
        uint32 unsettled;
        uint16 chargedBps; // largest base penalty of the open penalty period; 0: none is open
        uint16 period; // how many penalty periods have ended
        Status status;
        bool tombstoned;
        // next slot
        address operator;
        uint64 drawBlock;
        // next slot
        address person;
        uint96 periodStart; // amount when the newest penalty period began
        // next slot
        address nodeKey;
        uint96 minStake;
        // next slot
        bytes32 placement;
    }

    /// @dev One slot. Rates are of what the stake had when its penalty period began.
    struct FaultRecord {
        uint32 stakeId;
        uint40 slashedAt;
        uint40 slashedBlock;
        uint64 bondedUnits; // all that was slashable before the charge, see Penalties.toBondUnits
        uint16 penaltyBps;
        uint16 beforeBps; // what the period had been charged before
        uint16 rewardBps; // of what was newly charged; 0 when the escrow stands in `_cappedEscrow`
        uint16 period;
        bool settled;
        bool released;
    }

    mapping(uint64 stakeId => Bond) internal _bonds;
    mapping(bytes32 faultId => FaultRecord) private _faults;

    /// @dev What stakes had when their penalty periods began, summed over the bucket in which that was.
    mapping(uint256 bucket => uint256) private _offendersIn;

    /// @dev By stake id << 16 | period: what the stake had when a period began that has ended.
    mapping(uint256 periodKey => uint96) private _endedPeriodStart;

    /// @dev By stake id << 16 | period: the largest correlated part so far.
    mapping(uint256 periodKey => uint256) private _correlatedDue;

    /// @dev Escrow of the rare fault for which less was left than its penalty.
    mapping(bytes32 faultId => uint96) private _cappedEscrow;

    /// @inheritdoc IStakeRegistry
    function slash(
        uint64 stakeId,
        bytes32 faultId,
        uint16 penaltyBps,
        uint16 rewardBps,
        bool tombstone
    ) external onlyCourt returns (uint96 charged, uint96 escrowed) {
        Bond storage bond = _bonds[stakeId];
        FaultRecord storage fault = _faults[faultId];
        Status status = bond.status;
        require(status != Status.None, UnknownStake(stakeId));
        require(fault.stakeId == 0, IFaultCourtErrors.AlreadySlashed(faultId));
        uint96 amount = bond.amount;

        // 1. The first fault since the last release from jail opens a penalty period.
        uint16 beforeBps = bond.chargedBps;
        uint96 start;
        if (beforeBps == 0) {
            start = amount;
            bond.periodStart = amount;
            unchecked {
                _offendersIn[block.timestamp / BUCKET_SECONDS] += amount; // 2^96 at a time never fills 2^256
            }
        } else {
            start = bond.periodStart;
        }

        // 2. Only what exceeds the period's largest penalty so far is new, and no more than is left.
        uint96 base = Penalties.part(start, penaltyBps);
        uint96 due = Penalties.newlyDue(start, penaltyBps, beforeBps);
        charged = due < amount ? due : amount;
        escrowed = Penalties.part(charged, rewardBps);
        if (charged != due) _cappedEscrow[faultId] = escrowed;

        // 3. What the correlated part and the escrow will be worked out from. Reads come before writes, so that the
        // compiler joins the writes.
        uint64 bondedUnits = Penalties.toBondUnits(_sums.slashable);
        uint16 period = bond.period;
        uint16 paidBps = charged == due ? rewardBps : 0;
        fault.stakeId = uint32(stakeId);
        fault.slashedAt = uint40(block.timestamp);
        fault.slashedBlock = uint40(block.number);
        fault.bondedUnits = bondedUnits;
        fault.penaltyBps = penaltyBps;
        fault.beforeBps = beforeBps;
        fault.rewardBps = paidBps;
        fault.period = period;
        if (base == 0) fault.settled = true;
        else bond.unsettled += 1;

        // 4. The stake and the sums.
        uint96 newAmount;
        unchecked {
            newAmount = amount - charged; // charged is at most amount
        }
        bond.amount = newAmount;
        if (penaltyBps > beforeBps) bond.chargedBps = penaltyBps;
        uint40 jailedUntil;
        if (tombstone) {
            bond.tombstoned = true;
        } else {
            jailedUntil = uint40(block.timestamp + JAIL_SECONDS);
            bond.jailedUntil = jailedUntil;
        }
        if (charged != 0) _charge(charged, escrowed, status == Status.Unbonding);
        emit Slashed(stakeId, faultId, charged, newAmount, jailedUntil, tombstone);
    }

    /// @inheritdoc IStakeRegistry
    function releaseEscrow(bytes32 faultId, address to) external onlyCourt returns (uint96 amount) {
        FaultRecord memory fault = _faults[faultId];
        require(fault.stakeId != 0, UnknownFault(faultId));
        require(!fault.released, IFaultCourtErrors.AlreadyReleased(faultId));
        amount = _escrowOf(faultId, fault);
        _faults[faultId].released = true;
        _releaseEscrow(faultId, to, amount);
    }

    /// @inheritdoc IStakeRegistry
    function settle(bytes32 faultId) external {
        // 1. Once, and only when no more offenders can join.
        FaultRecord memory fault = _faults[faultId];
        require(fault.stakeId != 0, UnknownFault(faultId));
        require(!fault.settled, AlreadySettled(faultId));
        uint256 bucket = fault.slashedAt / BUCKET_SECONDS;
        uint256 from = _settleableAt(bucket);
        require(block.timestamp >= from, SettlementTooEarly(faultId, from, block.timestamp));
        _faults[faultId].settled = true;

        // 2. Offenders within two buckets each way. Underflow would need a clock within two buckets of 1970.
        uint256 offenders;
        for (uint256 b = bucket - Penalties.REACH; b <= bucket + Penalties.REACH; ++b) {
            offenders += _offendersIn[b];
        }

        // 3. Of all correlated parts of a period only the largest counts, whatever the order of calls.
        uint96 base = Penalties.part(_periodStart(fault), fault.penaltyBps);
        uint256 due = Penalties.correlated(base, offenders, Penalties.fromBondUnits(fault.bondedUnits));
        uint256 periodKey = _periodKey(fault.stakeId, fault.period);
        uint256 before = _correlatedDue[periodKey];
        Bond storage bond = _bonds[fault.stakeId];
        uint96 amount = bond.amount;
        uint96 charged;
        if (due > before) {
            _correlatedDue[periodKey] = due;
            charged = uint96(Math.min(due - before, amount));
        }

        // 4. All of it burns.
        bond.amount = amount - charged;
        bond.unsettled -= 1;
        _charge(charged, 0, bond.status == Status.Unbonding);
        emit Settled(fault.stakeId, faultId, charged, amount - charged);
    }

    /// @inheritdoc IStakeRegistry
    function settleableAt(bytes32 faultId) external view returns (uint256) {
        FaultRecord memory fault = _faults[faultId];
        return fault.stakeId == 0 || fault.settled ? 0 : _settleableAt(fault.slashedAt / BUCKET_SECONDS);
    }

    /// @inheritdoc IStakeRegistry
    function faultOf(bytes32 faultId) external view returns (Fault memory) {
        FaultRecord memory fault = _faults[faultId];
        return
            Fault({
                stakeId: fault.stakeId,
                slashedBlock: fault.slashedBlock,
                slashedAt: fault.slashedAt,
                escrowed: fault.released ? 0 : _escrowOf(faultId, fault),
                released: fault.released
            });
    }

    /// @dev Ends the stake's penalty period: the next fault opens another.
    function _endPeriod(uint64 stakeId) internal {
        Bond storage bond = _bonds[stakeId];
        _endedPeriodStart[_periodKey(stakeId, bond.period)] = bond.periodStart;
        bond.chargedBps = 0;
        bond.period += 1;
    }

    /// @dev A fault whose whole penalty was there to be charged earned its part; else the escrow was written down.
    function _escrowOf(bytes32 faultId, FaultRecord memory fault) private view returns (uint96) {
        if (fault.rewardBps == 0) return _cappedEscrow[faultId];
        uint96 charged = Penalties.newlyDue(_periodStart(fault), fault.penaltyBps, fault.beforeBps);
        return Penalties.part(charged, fault.rewardBps);
    }

    /// @dev What the stake had when the penalty period of `fault` began.
    function _periodStart(FaultRecord memory fault) private view returns (uint96) {
        Bond storage bond = _bonds[fault.stakeId];
        return
            fault.period == bond.period ? bond.periodStart : _endedPeriodStart[_periodKey(fault.stakeId, fault.period)];
    }

    function _periodKey(uint64 stakeId, uint16 period) private pure returns (uint256) {
        return (uint256(stakeId) << 16) | period;
    }

    /// @dev The end of the last bucket that counts.
    function _settleableAt(uint256 bucket) private view returns (uint256) {
        return (bucket + Penalties.REACH + 1) * BUCKET_SECONDS;
    }
}
