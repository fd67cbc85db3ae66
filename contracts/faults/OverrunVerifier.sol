// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFaultVerifier} from "../interfaces/IFaultVerifier.sol";
import {IStakeRegistry, ProtocolParams} from "../interfaces/IStakeRegistry.sol";
import {Statements} from "../libraries/Statements.sol";
import {StatementVerifier} from "./StatementVerifier.sol";

/// @notice F2: a metered index at or above its kind's limit.
/// @dev Evidence: signer 20 | kind 1 | scope 32 | position 8 | content 32 | r 32 | vs 32.
contract OverrunVerifier is StatementVerifier {
    using Statements for bytes;

    uint256 private constant EVIDENCE_BYTES = 157;

    uint256 private immutable _putLimit;
    uint256 private immutable _gossipLimit;
    uint256 private immutable _receiptLimit;

    /// @inheritdoc IFaultVerifier
    uint8 public constant faultType = 2;

    constructor(address registry_) StatementVerifier(registry_) {
        ProtocolParams memory p = IStakeRegistry(registry_).params();
        _putLimit = p.putLimit;
        _gossipLimit = p.gossipLimit;
        _receiptLimit = p.receiptLimit;
    }

    /// @inheritdoc IFaultVerifier
    function verify(bytes calldata evidence, uint256 atSeconds) external view returns (uint64 stakeId, bytes32 slot) {
        _requireLength(evidence);
        Statements.Slot memory parsed = evidence.slotOf();
        require(Statements.isMetered(parsed.kind), VoidStatement(parsed.kind, parsed.scope));
        require(Statements.indexOf(parsed.position) >= _limitOf(parsed.kind), NotFaulty());
        stakeId = _stakeBehind(parsed, atSeconds);
        _requireSigned(_domainSeparator(), parsed, evidence.wordAt(61), evidence.wordAt(93), evidence.wordAt(125));
        slot = evidence.slotHash();
    }

    function _requireLength(bytes calldata evidence) internal pure override {
        require(evidence.length == EVIDENCE_BYTES, EvidenceLength(evidence.length, EVIDENCE_BYTES));
    }

    function _limitOf(uint8 kind) private view returns (uint256) {
        if (kind == Statements.PUT) return _putLimit;
        return kind == Statements.GOSSIP ? _gossipLimit : _receiptLimit;
    }
}
