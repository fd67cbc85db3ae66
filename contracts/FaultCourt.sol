// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFaultCourt} from "./interfaces/IFaultCourt.sol";
import {IFaultVerifier} from "./interfaces/IFaultVerifier.sol";
import {IStakeRegistry, IStakeRegistryTypes} from "./interfaces/IStakeRegistry.sol";

/// @title Evidence in, penalty out, once.
/// @notice Slashing never waits; only the reward does. Nobody owns the court and its list of faults is fixed.
contract FaultCourt is IFaultCourt {
    uint256 private constant MAX_RULES = 4;
    uint16 private constant MAX_PENALTY_BPS = 10_000;
    /// @dev Shares of reporter and victim together stay within this, so that slashing oneself loses at least 80 %.
    uint16 private constant MAX_REWARD_BPS = 2000;
    /// @dev F3: its evidence is silence, which nobody finds first, so the reporter's share goes to the victim.
    uint8 private constant UNAVAILABILITY = 3;

    /// @inheritdoc IFaultCourt
    address public immutable registry;
    /// @inheritdoc IFaultCourt
    uint16 public immutable rewardBps;

    uint256 private immutable _rewardWindowSeconds;

    /// @dev Each rule packed: verifier 160 | penaltyBps 16 | faultType 8 | tombstones 1, from the low end. 0: no rule.
    uint256 private immutable _rule0;
    uint256 private immutable _rule1;
    uint256 private immutable _rule2;
    uint256 private immutable _rule3;

    mapping(bytes32 faultId => Claim) private _bestClaims;

    /// @inheritdoc IFaultCourt
    mapping(bytes32 commitment => uint256) public commitBlockOf;

    /// @param rules at most four, each type once
    constructor(address registry_, FaultRule[] memory rules, uint16 rewardBps_) {
        require(rules.length != 0 && rules.length <= MAX_RULES, BadRule("rules", rules.length, MAX_RULES));
        require(rewardBps_ <= MAX_REWARD_BPS, BadRule("rewardBps", rewardBps_, MAX_REWARD_BPS));
        registry = registry_;
        rewardBps = rewardBps_;
        _rewardWindowSeconds = IStakeRegistry(registry_).params().rewardWindowSeconds;

        uint256[MAX_RULES] memory packed;
        for (uint256 i = 0; i < rules.length; ++i) {
            FaultRule memory rule = rules[i];
            require(
                rule.faultType != 0
                    && rule.verifier.code.length != 0
                    && IFaultVerifier(rule.verifier).faultType() == rule.faultType,
                BadVerifier(rule.verifier, rule.faultType)
            );
            require(
                rule.penaltyBps != 0 && rule.penaltyBps <= MAX_PENALTY_BPS,
                BadRule("penaltyBps", rule.penaltyBps, MAX_PENALTY_BPS)
            );
            for (uint256 j = 0; j < i; ++j) {
                require(_typeOf(packed[j]) != rule.faultType, BadRule("faultType twice", rule.faultType, 1));
            }
            packed[i] =
                uint256(uint160(rule.verifier))
                | (uint256(rule.penaltyBps) << 160)
                | (uint256(rule.faultType) << 176)
                | (uint256(rule.tombstones ? 1 : 0) << 184);
        }
        _rule0 = packed[0];
        _rule1 = packed[1];
        _rule2 = packed[2];
        _rule3 = packed[3];
    }

    /// @inheritdoc IFaultCourt
    function commit(bytes32 commitment) external {
        uint256 known = commitBlockOf[commitment];
        require(known == 0, AlreadyCommitted(commitment, known));
        commitBlockOf[commitment] = block.number;
        emit Committed(commitment, block.number);
    }

    /// @inheritdoc IFaultCourt
    function submit(uint8 faultType, bytes calldata evidence) external returns (bytes32 faultId) {
        // 1. Is it a fault, and whose?
        uint256 rule = _ruleOf(faultType);
        (uint64 stakeId, bytes32 slot) = _verifierIn(rule).verify(evidence, block.timestamp);

        // 2. Slash. The registry refuses a faultId that it knows, whatever the order or encoding of the evidence.
        faultId = faultIdOf(faultType, stakeId, slot);
        (uint96 charged, uint96 escrowed) = IStakeRegistry(registry).slash(
            stakeId,
            faultId,
            _penaltyIn(rule),
            rewardBps,
            _tombstonesIn(rule)
        );
        emit FaultProven(faultId, stakeId, faultType, slot, msg.sender, charged, escrowed);
    }

    /// @inheritdoc IFaultCourt
    function claim(
        uint8 faultType,
        bytes calldata evidence,
        address reporter,
        address beneficiary,
        bytes32 salt
    ) external {
        // 1. A proven fault whose window is open.
        IFaultVerifier verifier = _verifierIn(_ruleOf(faultType));
        (uint64 stakeId, bytes32 slot) = verifier.accused(evidence);
        bytes32 faultId = faultIdOf(faultType, stakeId, slot);
        IStakeRegistryTypes.Fault memory fault = _requireFault(faultId);
        uint256 closesAt = fault.slashedAt + _rewardWindowSeconds;
        require(block.timestamp < closesAt, ClaimWindowClosed(faultId, closesAt, block.timestamp));

        // 2. The earliest commit from before the slash.
        bytes32 commitment = keccak256(abi.encode(reporter, beneficiary, faultId, keccak256(evidence), salt));
        uint256 commitBlock = commitBlockOf[commitment];
        require(commitBlock != 0, UnknownCommitment(commitment));
        require(commitBlock < fault.slashedBlock, CommitNotBeforeSlash(commitBlock, fault.slashedBlock));
        uint256 best = _bestClaims[faultId].commitBlock;
        require(best == 0 || commitBlock < best, NotEarlier(commitBlock, best));

        // 3. The evidence convicts by itself, judged as of the slash so that waiting changes nothing.
        (stakeId, slot) = verifier.verify(evidence, fault.slashedAt);
        bytes32 proven = faultIdOf(faultType, stakeId, slot);
        require(proven == faultId, EvidenceForAnotherFault(proven, faultId));

        _bestClaims[faultId] = Claim({beneficiary: beneficiary, commitBlock: uint64(commitBlock)});
        emit Claimed(faultId, beneficiary, reporter, commitBlock);
    }

    /// @inheritdoc IFaultCourt
    function release(bytes32 faultId) external {
        IStakeRegistryTypes.Fault memory fault = _requireFault(faultId);
        require(!fault.released, AlreadyReleased(faultId));
        uint256 closesAt = fault.slashedAt + _rewardWindowSeconds;
        require(block.timestamp >= closesAt, ClaimWindowOpen(faultId, closesAt, block.timestamp));
        address beneficiary = _bestClaims[faultId].beneficiary;
        uint96 amount = IStakeRegistry(registry).releaseEscrow(faultId, beneficiary);
        emit Released(faultId, beneficiary, amount);
    }

    /// @inheritdoc IFaultCourt
    function awardVictim(bytes32 faultId, address victim) external {
        require(msg.sender == address(_verifierIn(_findRule(UNAVAILABILITY))), NotVerifier(msg.sender));
        uint96 amount = IStakeRegistry(registry).releaseEscrow(faultId, victim);
        emit Released(faultId, victim, amount);
    }

    /// @inheritdoc IFaultCourt
    function verifierOf(uint8 faultType) external view returns (address) {
        return address(_verifierIn(_findRule(faultType)));
    }

    /// @inheritdoc IFaultCourt
    function penaltyOf(uint8 faultType) external view returns (uint16 penaltyBps, bool tombstones) {
        uint256 rule = _findRule(faultType);
        return (_penaltyIn(rule), _tombstonesIn(rule));
    }

    /// @inheritdoc IFaultCourt
    function faultOf(bytes32 faultId) public view returns (IStakeRegistryTypes.Fault memory) {
        return IStakeRegistry(registry).faultOf(faultId);
    }

    /// @inheritdoc IFaultCourt
    function bestClaimOf(bytes32 faultId) external view returns (Claim memory) {
        return _bestClaims[faultId];
    }

    /// @inheritdoc IFaultCourt
    function faultIdOf(uint8 faultType, uint64 stakeId, bytes32 slot) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, registry, faultType, stakeId, slot));
    }

    function _requireFault(bytes32 faultId) private view returns (IStakeRegistryTypes.Fault memory fault) {
        fault = faultOf(faultId);
        require(fault.slashedBlock != 0, UnknownFault(faultId));
    }

    function _ruleOf(uint8 faultType) private view returns (uint256 rule) {
        rule = _findRule(faultType);
        require(rule != 0, UnknownFaultType(faultType));
    }

    function _findRule(uint8 faultType) private view returns (uint256) {
        if (faultType == 0) return 0;
        if (_typeOf(_rule0) == faultType) return _rule0;
        if (_typeOf(_rule1) == faultType) return _rule1;
        if (_typeOf(_rule2) == faultType) return _rule2;
        return _typeOf(_rule3) == faultType ? _rule3 : 0;
    }

    function _verifierIn(uint256 rule) private pure returns (IFaultVerifier) {
        return IFaultVerifier(address(uint160(rule)));
    }

    function _penaltyIn(uint256 rule) private pure returns (uint16) {
        return uint16(rule >> 160);
    }

    function _typeOf(uint256 rule) private pure returns (uint8) {
        return uint8(rule >> 176);
    }

    function _tombstonesIn(uint256 rule) private pure returns (bool) {
        return rule >> 184 != 0;
    }
}
