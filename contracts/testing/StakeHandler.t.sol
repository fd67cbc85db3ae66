// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {EgiToken} from "../EgiToken.sol";
import {StakeRegistry} from "../StakeRegistry.sol";
import {FaultCourt} from "../FaultCourt.sol";
import {EquivocationVerifier} from "../faults/EquivocationVerifier.sol";
import {OverrunVerifier} from "../faults/OverrunVerifier.sol";
import {PermissivePersonVerifier} from "../PermissivePersonVerifier.sol";
import {IFaultCourtTypes} from "../interfaces/IFaultCourt.sol";
import {IStakeRegistryTypes, ProtocolParams} from "../interfaces/IStakeRegistry.sol";
import {Secp256k1} from "./Secp256k1.sol";
import {Vm} from "./Vm.sol";

/// @notice Plays random lives of a handful of operators against the real contracts and keeps its own, deliberately
/// naive books beside them. `broken` names the first promise it saw broken.
contract StakeHandler is IStakeRegistryTypes, IFaultCourtTypes {
    using RLP for RLP.Encoder;

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant OPERATORS = 24;
    uint96 internal constant MIN_STAKE = 1_000 ether;
    uint256 internal constant BUCKET_SECONDS = 300; // correlationSeconds / 4
    /// @dev The registry remembers totals in units of 2^32 wei.
    uint256 internal constant ROUNDING_WEI = 1e12;

    struct Key {
        uint256 privateKey;
        uint64 stakeId;
    }

    struct Proven {
        bytes32 faultId;
        uint8 faultType;
        bytes evidence;
        uint64 stakeId;
        uint256 period; // index into the books of its stake's periods
        uint256 base;
        uint256 totalBonded;
        uint256 bucket;
        uint256 escrowed;
        uint256 slashedBlock;
        bool settled;
        bool released;
    }

    /// @dev One penalty period of one stake, from its first charge to its release from jail.
    struct Period {
        uint256 bond; // what could be slashed when it began
        uint256 largest; // largest base penalty so far
        uint256 charged;
        uint256 correlationDue; // largest correlated part so far
        uint256 correlationCharged;
        bool open;
    }

    struct Commitment {
        uint256 proven; // index it was made for, or type(uint).max while the fault is not proven
        bytes32 faultId;
        bytes32 evidenceHash;
        address beneficiary;
        bytes32 salt;
        uint256 blockNumber;
    }

    EgiToken public token;
    StakeRegistry public registry;
    FaultCourt public court;

    string public broken;

    uint256 public blockNumber = 1_000;
    uint256 public time = 1_800_000_000;

    Key[] internal keys;
    Proven[] internal proven;
    Commitment[] internal commitments;
    uint256[] internal offenderBond;
    uint256[] internal offenderBucket;
    mapping(uint64 => Period[]) internal periods;
    mapping(uint64 => uint64) internal lastReadyAt;
    mapping(uint64 => bool) internal tombstoned;
    mapping(bytes32 => bool) internal slashed;
    mapping(uint64 => bytes32) internal placements;
    uint256 internal nextKey = 0xA11CE;
    uint256 internal nextSalt;

    // What the run reached, so that a campaign that never slashes anybody is seen.
    uint256 public registrations;
    uint256 public slashes;
    uint256 public repeats;
    uint256 public settlements;
    uint256 public withdrawals;
    uint256 public rewards;
    uint256 public rotations;
    uint256 public missedDraws;
    uint256 public totalCharged;
    uint256 public totalRewarded;
    uint256 public initialSupply = 1e27;

    constructor() {
        vm.warp(time);
        vm.roll(blockNumber);
        token = new EgiToken(address(this), initialSupply);
        PermissivePersonVerifier people = new PermissivePersonVerifier();
        // registry, two verifiers, court: the court is the fourth contract from here
        uint256 nonce = vm.getNonce(address(this));
        address futureCourt = vm.computeCreateAddress(address(this), nonce + 3);
        registry = new StakeRegistry(
            params(),
            address(token),
            futureCourt,
            address(people),
            MIN_STAKE,
            address(this),
            keccak256("node")
        );
        EquivocationVerifier equivocation = new EquivocationVerifier(address(registry));
        OverrunVerifier overruns = new OverrunVerifier(address(registry));
        FaultRule[] memory rules = new FaultRule[](2);
        rules[0] = FaultRule({faultType: 1, verifier: address(equivocation), penaltyBps: 500, tombstones: true});
        rules[1] = FaultRule({faultType: 2, verifier: address(overruns), penaltyBps: 100, tombstones: false});
        court = new FaultCourt(address(registry), rules, 1_000);
        require(address(court) == futureCourt, "court address");
    }

    function params() public pure returns (ProtocolParams memory) {
        return
            ProtocolParams({
                epochSeconds: 10,
                putLimit: 65_536,
                gossipLimit: 65_536,
                receiptLimit: 65_536,
                receiptLifeSeconds: 600,
                responseSeconds: 30,
                responseBlocks: 10,
                evidenceWindowSeconds: 600,
                skewSeconds: 10,
                unbondingSeconds: 1_500,
                rewardWindowSeconds: 30,
                jailSeconds: 60,
                correlationSeconds: 1_200,
                drawDelayBlocks: 2
            });
    }

    /// @dev One step of a story told by `seed` alone: the same calls a campaign makes, in a repeatable order.
    function step(uint256 seed) external {
        uint8 a = uint8(seed >> 8);
        uint8 b = uint8(seed >> 16);
        uint8 c = uint8(seed >> 24);
        uint8 d = uint8(seed >> 32);
        uint256 action = seed % 16;
        if (action == 0) this.register(a, uint96(seed >> 40));
        else if (action == 1) this.activate(a, seed);
        else if (action == 2) this.topUp(a, uint96(seed >> 40));
        else if (action == 3) this.rotate(a);
        else if (action == 4 && b < 64) this.unbond(a);
        else if (action == 5) this.withdraw(a);
        else if (action == 6) this.unjail(a);
        else if (action == 7 && b < 64) this.equivocate(a, b, c, d, d % 2 == 0);
        else if (action == 8) this.overrun(a, b, c, d);
        else if (action == 9) this.commit(a, b, c);
        else if (action == 10) this.claim(a);
        else if (action == 11) this.release(a);
        else if (action == 12) this.settle(a);
        else if (action == 13) this.withdrawCredits(a);
        else if (action == 14) this.burn();
        else this.pass(uint16(seed >> 40));
    }

    // --- time -----------------------------------------------------------------------------------

    function pass(uint16 seconds_) external {
        time += uint256(seconds_) % 400;
        // now and then so many blocks that no header can be shown any more
        blockNumber += seconds_ % 8 == 0 ? 9_000 : 1 + (uint256(seconds_) % 7);
        vm.warp(time);
        vm.roll(blockNumber);
    }

    // --- life of a stake ------------------------------------------------------------------------

    function register(uint8 who, uint96 extra) external {
        address operator = _operator(who);
        if (registry.stakeOfOperator(operator) != 0) return;
        uint96 amount = MIN_STAKE + (extra % 1_000_000 ether);
        if (token.balanceOf(address(this)) < amount) return;
        uint256 privateKey = nextKey++;
        token.transfer(operator, amount);
        vm.prank(operator);
        token.approve(address(registry), amount);
        PersonProof memory person;
        person.person = vm.addr(_personKey(who));
        person.signature = _sign(_personKey(who), _typed("PersonConsent", operator, vm.addr(privateKey)));
        NodeKeyProof memory proof = _possession(privateKey, operator);
        Permit memory none;
        vm.prank(operator);
        uint64 stakeId = registry.register(amount, type(uint256).max, proof, person, none);
        keys.push(Key(privateKey, stakeId));
        registrations++;
    }

    function activate(uint8 which, uint256 mix) external {
        if (keys.length == 0) return;
        uint64 stakeId = _someStake(which);
        Stake memory stake = registry.stakeOf(stakeId);
        if (stake.status != Status.Pending) return;
        if (blockNumber <= stake.drawBlock) {
            blockNumber = stake.drawBlock + 1 + (mix % 3);
            vm.roll(blockNumber);
        }
        if (blockNumber - stake.drawBlock > 256) {
            if (blockNumber - stake.drawBlock <= 8_191) return; // the chain's own history, which no test can write
            missedDraws++;
            registry.renewDraw(stakeId);
            uint96 expected = stake.amount - stake.amount / 100;
            if (registry.stakeOf(stakeId).amount != expected) _break("a missed draw costs 1 %");
            totalCharged += stake.amount / 100;
            return;
        }
        bytes memory header = _header(stake.drawBlock, keccak256(abi.encode("mix", stake.drawBlock)));
        vm.setBlockhash(stake.drawBlock, keccak256(header));
        vm.prank(address(uint160(uint256(keccak256(abi.encode(mix))))));
        registry.activate(stakeId, header);
        bytes32 expectedPlacement = keccak256(abi.encode(keccak256(abi.encode("mix", stake.drawBlock)), stakeId));
        if (registry.stakeOf(stakeId).placement != expectedPlacement) _break("a placement depends on mix and id alone");
    }

    function topUp(uint8 which, uint96 amount) external {
        if (keys.length == 0) return;
        uint64 stakeId = _someStake(which);
        Stake memory stake = registry.stakeOf(stakeId);
        if (stake.status != Status.Pending && stake.status != Status.Active) return;
        amount = 1 + (amount % 10_000 ether);
        if (token.balanceOf(address(this)) < amount) return;
        token.approve(address(registry), amount);
        registry.topUp(stakeId, amount);
    }

    function rotate(uint8 which) external {
        if (keys.length == 0) return;
        uint64 stakeId = _someStake(which);
        Stake memory stake = registry.stakeOf(stakeId);
        if (stake.tombstoned || (stake.status != Status.Pending && stake.status != Status.Active)) return;
        if (registry.keyRecord(stake.nodeKey).fromEpoch > registry.currentEpoch()) return;
        uint256 privateKey = nextKey++;
        NodeKeyProof memory proof = _possession(privateKey, stake.operator);
        vm.prank(stake.operator);
        registry.rotate(stakeId, type(uint256).max, proof);
        keys.push(Key(privateKey, stakeId));
        rotations++;
        if (registry.keyRecord(stake.nodeKey).untilEpoch != registry.currentEpoch() + 2) _break("two epochs ahead");
        if (registry.stakeOf(stakeId).jailedUntil != stake.jailedUntil) _break("jail survives rotation");
    }

    function unbond(uint8 which) external {
        if (keys.length == 0) return;
        uint64 stakeId = _someStake(which);
        Stake memory stake = registry.stakeOf(stakeId);
        if (stake.status != Status.Pending && stake.status != Status.Active) return;
        vm.prank(stake.operator);
        registry.unbond(stakeId);
        lastReadyAt[stakeId] = registry.stakeOf(stakeId).readyAt;
        if (lastReadyAt[stakeId] < time + 1_500) _break("unbonding takes its time");
    }

    /// @dev Tries whatever the state; the contract's answer is held against the rule.
    function withdraw(uint8 which) external {
        if (keys.length == 0) return;
        uint64 stakeId = _someStake(which);
        Stake memory stake = registry.stakeOf(stakeId);
        bool allowed = stake.status == Status.Unbonding && time >= stake.readyAt && _unsettled(stakeId) == 0;
        uint256 before = token.balanceOf(stake.operator);
        vm.prank(stake.operator);
        try registry.withdraw(stakeId, stake.operator) {
            if (!allowed) _break("a withdrawal before its time or before settlement");
            if (token.balanceOf(stake.operator) - before != stake.amount) _break("a withdrawal pays what is left");
            bool free = registry.stakeOfOperator(stake.operator) == 0 && registry.stakeOfPerson(stake.person) == 0;
            if (free == stake.tombstoned) _break("a withdrawal frees operator and person, a tombstone never");
            vm.startPrank(stake.operator);
            token.transfer(address(this), token.balanceOf(stake.operator));
            vm.stopPrank();
            withdrawals++;
        } catch {
            if (allowed) _break("a settled, ready stake can be withdrawn");
        }
    }

    function unjail(uint8 which) external {
        if (keys.length == 0) return;
        uint64 stakeId = _someStake(which);
        Stake memory stake = registry.stakeOf(stakeId);
        bool allowed =
            stake.jailedUntil != 0
                && time >= stake.jailedUntil
                && !stake.tombstoned
                && (stake.status == Status.Pending || stake.status == Status.Active)
                && stake.amount >= stake.minStake;
        vm.prank(stake.operator);
        try registry.unjail(stakeId) {
            if (!allowed) _break("an unjail before its time, below the bond, or of a tombstone");
            Period[] storage own = periods[stakeId];
            own[own.length - 1].open = false;
        } catch {
            if (allowed) _break("a jail that ran its time ends");
        }
    }

    // --- faults ---------------------------------------------------------------------------------

    function equivocate(uint8 which, uint8 kind, uint8 epochSeed, uint8 index, bool swap) external {
        if (keys.length == 0) return;
        Key memory key = keys[which % keys.length];
        kind = 1 + (kind % 7);
        (bool valid, uint64 position) = _position(key, kind, epochSeed, index % 2);
        bytes32 scope = kind < 4 ? bytes32(0) : keccak256(abi.encode("scope", kind));
        bytes memory head = abi.encodePacked(vm.addr(key.privateKey), kind, scope, position);
        bytes memory a = _signed(key.privateKey, kind, scope, position, keccak256("this"));
        bytes memory b = _signed(key.privateKey, kind, scope, position, keccak256("that"));
        _submit(1, key.stakeId, keccak256(head), swap ? bytes.concat(head, b, a) : bytes.concat(head, a, b), valid);
    }

    function overrun(uint8 which, uint8 kind, uint8 epochSeed, uint8 index) external {
        if (keys.length == 0) return;
        Key memory key = keys[which % keys.length];
        kind = 1 + (kind % 3);
        (bool valid, uint64 position) = _position(key, kind, epochSeed, 65_536 + (index % 4));
        bytes memory head = abi.encodePacked(vm.addr(key.privateKey), kind, bytes32(0), position);
        bytes memory evidence = bytes.concat(
            head,
            _signed(key.privateKey, kind, bytes32(0), position, keccak256("spam"))
        );
        _submit(2, key.stakeId, keccak256(head), evidence, valid);
    }

    /// @dev Commits to a fault already proven (too late) as well as to one about to be, and may submit it in the next block.
    function commit(uint8 which, uint8 index, uint8 to) external {
        if (keys.length == 0) return;
        Key memory key = keys[which % keys.length];
        bytes32 scope = keccak256(abi.encode("scope", uint8(4)));
        bytes memory head = abi.encodePacked(vm.addr(key.privateKey), uint8(4), scope, uint64(index % 2));
        bytes memory evidence = bytes.concat(
            head,
            _signed(key.privateKey, 4, scope, index % 2, keccak256("this")),
            _signed(key.privateKey, 4, scope, index % 2, keccak256("that"))
        );
        Commitment memory made = Commitment({
            proven: type(uint256).max,
            faultId: court.faultIdOf(1, key.stakeId, keccak256(head)),
            evidenceHash: keccak256(evidence),
            beneficiary: address(uint160(0xBEEF0 + (to % 5))),
            salt: bytes32(nextSalt++),
            blockNumber: blockNumber
        });
        court.commit(
            keccak256(abi.encode(address(this), made.beneficiary, made.faultId, made.evidenceHash, made.salt))
        );
        commitments.push(made);
        if (to % 2 == 0) return;
        blockNumber += 1;
        vm.roll(blockNumber);
        (bool valid, ) = _position(key, 4, 0, index % 2);
        _submit(1, key.stakeId, keccak256(head), evidence, valid);
    }

    function claim(uint8 which) external {
        if (commitments.length == 0) return;
        Commitment memory made = commitments[which % commitments.length];
        for (uint256 i; i < proven.length; i++) {
            Proven memory fault = proven[i];
            if (fault.faultId != made.faultId || keccak256(fault.evidence) != made.evidenceHash) continue;
            Claim memory best = court.bestClaimOf(fault.faultId);
            bool allowed =
                !fault.released
                    && made.blockNumber < fault.slashedBlock
                    && time < court.faultOf(fault.faultId).slashedAt + 30
                    && (best.beneficiary == address(0) || made.blockNumber < best.commitBlock);
            try court.claim(1, fault.evidence, address(this), made.beneficiary, made.salt) {
                if (!allowed) _break("a late commit, a late claim or a later commit earned the reward");
            } catch {
                if (allowed) _break("the earliest commit can claim");
            }
        }
    }

    function release(uint8 which) external {
        if (proven.length == 0) return;
        Proven storage fault = proven[which % proven.length];
        bool allowed = !fault.released && time >= court.faultOf(fault.faultId).slashedAt + 30;
        address winner = court.bestClaimOf(fault.faultId).beneficiary;
        uint256 before = registry.creditsOf(winner);
        try court.release(fault.faultId) {
            if (!allowed) _break("a release before its window closed, or twice");
            fault.released = true;
            if (winner != address(0)) {
                if (registry.creditsOf(winner) - before != fault.escrowed) _break("the reward is what was escrowed");
                totalRewarded += fault.escrowed;
                rewards++;
            }
        } catch {
            if (allowed) _break("a closed window can be released");
        }
    }

    function settle(uint8 which) external {
        if (proven.length == 0) return;
        Proven storage fault = proven[which % proven.length];
        bool allowed = !fault.settled && time >= (fault.bucket + 3) * BUCKET_SECONDS;
        uint256 before = registry.stakeOf(fault.stakeId).amount;
        try registry.settle(fault.faultId) {
            if (!allowed) _break("a settlement before its window closed, or twice");
            fault.settled = true;
            settlements++;
            uint256 bonds;
            for (uint256 i; i < offenderBond.length; i++) {
                uint256 bucket = offenderBucket[i];
                if (bucket + 2 >= fault.bucket && bucket <= fault.bucket + 2) bonds += offenderBond[i];
            }
            if (bonds > fault.totalBonded) bonds = fault.totalBonded;
            uint256 due = fault.totalBonded == 0 ? 0 : (fault.base * 3 * bonds) / fault.totalBonded;
            Period storage period = periods[fault.stakeId][fault.period];
            if (due > period.correlationDue) period.correlationDue = due;
            uint256 expected = period.correlationDue - period.correlationCharged;
            if (expected > before) expected = before;
            period.correlationCharged += expected;
            uint256 taken = before - registry.stakeOf(fault.stakeId).amount;
            if (taken > expected + ROUNDING_WEI || expected > taken + ROUNDING_WEI) {
                _break("the correlated part is base x 3 x share, the largest of the period");
            }
            totalCharged += taken;
        } catch {
            if (allowed) _break("a fault whose window closed can be settled");
        }
    }

    function burn() external {
        (, , , , uint256 burnable) = registry.totals();
        if (burnable > 0) registry.burn();
    }

    function withdrawCredits(uint8 to) external {
        address account = address(uint160(0xBEEF0 + (to % 5)));
        if (registry.creditsOf(account) == 0) return;
        vm.prank(account);
        registry.withdrawCredits(account);
        vm.startPrank(account);
        token.transfer(address(this), token.balanceOf(account));
        vm.stopPrank();
    }

    function pauseRegistrations(uint32 forSeconds) external {
        try registry.pauseRegistrations(1 + (forSeconds % 3)) {
            time += 4; // a pause ends by itself; the story goes on after it
            vm.warp(time);
        } catch {} // too soon after the last one: nothing was paused
    }

    // --- checks ---------------------------------------------------------------------------------

    /// @dev Every check below reads all stakes: fine here, never in the contracts.
    function checkBooks() external view returns (string memory) {
        (uint256 bonded, uint256 unbonding, uint256 credits, uint256 escrow, uint256 burnable) = registry.totals();
        uint256 sumBonded;
        uint256 sumUnbonding;
        for (uint64 id = 1; id <= registry.stakeCount(); id++) {
            Stake memory stake = registry.stakeOf(id);
            if (stake.status == Status.Pending || stake.status == Status.Active) sumBonded += stake.amount;
            if (stake.status == Status.Unbonding) sumUnbonding += stake.amount;
            if (stake.status == Status.Withdrawn && stake.amount != 0) return "a withdrawn stake holds nothing";
            if (stake.unsettled != _unsettled(id)) return "unsettled counts the faults not settled";
            if (tombstoned[id] && !stake.tombstoned) return "a tombstone is for ever";
            if (stake.status == Status.Unbonding && stake.readyAt < lastReadyAt[id])
                return "an exit is never shortened";
        }
        if (sumBonded != bonded) return "bonded stakes sum to their total";
        if (sumUnbonding != unbonding) return "unbonding stakes sum to their total";
        uint256 sumCredits;
        for (uint160 i; i < 5; i++) sumCredits += registry.creditsOf(address(uint160(0xBEEF0 + i)));
        if (sumCredits != credits) return "credits sum to their total";
        uint256 sumEscrow;
        for (uint256 i; i < proven.length; i++) if (!proven[i].released) sumEscrow += proven[i].escrowed;
        if (sumEscrow != escrow) return "escrow is what was not released";
        if (token.balanceOf(address(registry)) < bonded + unbonding + credits + escrow + burnable) {
            return "the balance covers bonded, unbonding, credits, escrow and burnable";
        }
        uint256 burned = initialSupply - token.totalSupply();
        if (burned + burnable + escrow + totalRewarded != totalCharged) {
            return "what was charged is rewarded, in escrow, burnable or burnt";
        }
        return "";
    }

    function checkKeys() external view returns (string memory) {
        for (uint256 i; i < keys.length; i++) {
            if (registry.keyRecord(vm.addr(keys[i].privateKey)).stakeId != keys[i].stakeId) {
                return "a key belongs to one stake for ever";
            }
        }
        return "";
    }

    function checkPenalties() external view returns (string memory) {
        for (uint64 id = 1; id <= registry.stakeCount(); id++) {
            for (uint256 i; i < periods[id].length; i++) {
                Period memory period = periods[id][i];
                if (period.charged > period.largest) return "a period charges its largest penalty, not the sum";
                if (period.charged + period.correlationCharged > 4 * period.largest) return "at most base x 4";
            }
        }
        if (totalRewarded * 5 > totalCharged) return "at least 80 % of what is slashed burns";
        return "";
    }

    // --- inner ----------------------------------------------------------------------------------

    function _submit(uint8 faultType, uint64 stakeId, bytes32 slot, bytes memory evidence, bool valid) private {
        bytes32 faultId = court.faultIdOf(faultType, stakeId, slot);
        Stake memory before = registry.stakeOf(stakeId);
        (uint256 bonded, uint256 unbonding, , , ) = registry.totals();
        try court.submit(faultType, evidence) returns (bytes32 given) {
            if (!valid) _break("void or outdated evidence was accepted");
            if (slashed[faultId]) _break("one slot, one slash");
            if (given != faultId) _break("the fault id follows from type, stake and slot");
            slashed[faultId] = true;
            slashes++;
            _book(faultType, stakeId, faultId, evidence, before, bonded + unbonding);
        } catch {
            if (slashed[faultId]) repeats++;
            else if (valid) _break("valid evidence never reverts, whatever the stake");
        }
    }

    function _book(
        uint8 faultType,
        uint64 stakeId,
        bytes32 faultId,
        bytes memory evidence,
        Stake memory before,
        uint256 totalBonded
    ) private {
        Stake memory now_ = registry.stakeOf(stakeId);
        uint256 taken = before.amount - now_.amount;
        Period[] storage own = periods[stakeId];
        if (own.length == 0 || !own[own.length - 1].open) {
            own.push(Period(before.amount, 0, 0, 0, 0, true));
            offenderBond.push(before.amount);
            offenderBucket.push(time / BUCKET_SECONDS);
        }
        Period storage period = own[own.length - 1];
        uint256 base = (period.bond * (faultType == 1 ? 500 : 100)) / 10_000;
        uint256 expected = base > period.charged ? base - period.charged : 0;
        if (expected > before.amount) expected = before.amount;
        if (taken != expected) _break("charged is the period's largest penalty less what was charged");
        if (base > period.largest) period.largest = base;
        period.charged += taken;
        totalCharged += taken;
        if (faultType == 1) tombstoned[stakeId] = true;
        if (faultType == 1 && !now_.tombstoned) _break("equivocation tombstones");
        if (now_.jailedUntil < before.jailedUntil) _break("a slash never shortens a jail");
        if (now_.readyAt < before.readyAt) _break("a slash never shortens an exit");
        proven.push(
            Proven({
                faultId: faultId,
                faultType: faultType,
                evidence: evidence,
                stakeId: stakeId,
                period: own.length - 1,
                base: base,
                totalBonded: totalBonded,
                bucket: time / BUCKET_SECONDS,
                escrowed: (taken * 1_000) / 10_000,
                slashedBlock: blockNumber,
                settled: base == 0, // nothing was at stake: nothing to settle
                released: false
            })
        );
    }

    /// @dev A position for a key, and whether the court must accept a fault in it now.
    function _position(
        Key memory key,
        uint8 kind,
        uint8 epochSeed,
        uint32 index
    ) private view returns (bool valid, uint64 position) {
        KeyRecord memory record = registry.keyRecord(vm.addr(key.privateKey));
        uint256 endOfTenure = uint256(record.untilEpoch) * 10;
        if (kind > 3) return (record.untilEpoch == 0 || time <= endOfTenure + 1_500, index);
        // around the edges of the tenure and of the present, where mistakes live
        uint64 now_ = uint64(time / 10);
        uint64 epoch = [record.fromEpoch, record.fromEpoch - 1, record.untilEpoch, now_, now_ + 1, now_ + 2][
            epochSeed % 6
        ];
        valid =
            epoch <= now_ + 1
            && epoch >= record.fromEpoch
            && (record.untilEpoch == 0 || epoch < record.untilEpoch)
            && (record.untilEpoch == 0 || time <= endOfTenure + 600);
        position = (epoch << 32) | index;
    }

    function _unsettled(uint64 stakeId) private view returns (uint256 count) {
        for (uint256 i; i < proven.length; i++) if (proven[i].stakeId == stakeId && !proven[i].settled) count++;
    }

    function _break(string memory what) private {
        if (bytes(broken).length == 0) broken = what;
    }

    function _operator(uint8 who) private pure returns (address) {
        return address(uint160(0x0BE2A7012 + (who % OPERATORS)));
    }

    function _personKey(uint8 who) private pure returns (uint256) {
        return 0x9E2507 + (who % OPERATORS);
    }

    function _someStake(uint8 which) private view returns (uint64) {
        return keys[which % keys.length].stakeId;
    }

    function _possession(uint256 privateKey, address operator) private view returns (NodeKeyProof memory proof) {
        (proof.publicKeyX, proof.publicKeyY) = Secp256k1.publicKey(privateKey);
        proof.signature = _sign(privateKey, _typed("KeyPossession", operator, vm.addr(privateKey)));
    }

    function _typed(string memory name, address operator, address nodeKey) private view returns (bytes32) {
        bytes32 typeHash = keccak256(
            abi.encodePacked(name, "(address operator,address nodeKey,address registry,uint256 deadline)")
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, operator, nodeKey, address(registry), type(uint256).max));
        return keccak256(abi.encodePacked(hex"1901", registry.domainSeparator(), structHash));
    }

    function _sign(uint256 privateKey, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev content || r || vs
    function _signed(
        uint256 privateKey,
        uint8 kind,
        bytes32 scope,
        uint64 position,
        bytes32 content
    ) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Statement(uint8 kind,bytes32 scope,uint64 position,bytes32 content)");
        bytes32 structHash = keccak256(abi.encode(typeHash, kind, scope, position, content));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", registry.domainSeparator(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, digest);
        return abi.encodePacked(content, r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    /// @dev A block header with `number` and `mix` in their places; the rest does not matter.
    function _header(uint256 number, bytes32 mix) private pure returns (bytes memory) {
        RLP.Encoder memory fields = RLP.encoder();
        fields = fields.push(bytes32(0)).push(bytes32(0)).push(address(0)).push(bytes32(0)).push(bytes32(0));
        fields = fields.push(bytes32(0)).push(new bytes(256)).push(uint256(0)).push(number).push(uint256(30e6));
        fields = fields.push(uint256(0)).push(uint256(1)).push(bytes("")).push(mix).push(new bytes(8)).push(uint256(1));
        return fields.encode();
    }
}
