// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFaultVerifier} from "../interfaces/IFaultVerifier.sol";
import {Statements} from "../libraries/Statements.sol";
import {StatementVerifier} from "./StatementVerifier.sol";

/// @notice F1: two contents signed for one slot, of any kind.
/// @dev Evidence: signer 20 | kind 1 | scope 32 | position 8 | contentA 32 | rA 32 | vsA 32 | contentB 32 | rB 32 | vsB 32.
contract EquivocationVerifier is StatementVerifier {
    using Statements for bytes;

    uint256 private constant EVIDENCE_BYTES = 253;

    /// @inheritdoc IFaultVerifier
    uint8 public constant faultType = 1;

    constructor(address registry_) StatementVerifier(registry_) {}

    /// @inheritdoc IFaultVerifier
    function verify(bytes calldata evidence, uint256 atSeconds) external view returns (uint64 stakeId, bytes32 slot) {
        _requireLength(evidence);
        Statements.Slot memory parsed = evidence.slotOf();
        bytes32 contentA = evidence.wordAt(61);
        bytes32 contentB = evidence.wordAt(157);
        require(contentA != contentB, NotFaulty());
        stakeId = _stakeBehind(parsed, atSeconds);
        bytes32 separator = _domainSeparator();
        _requireSigned(separator, parsed, contentA, evidence.wordAt(93), evidence.wordAt(125));
        _requireSigned(separator, parsed, contentB, evidence.wordAt(189), evidence.wordAt(221));
        slot = evidence.slotHash();
    }

    function _requireLength(bytes calldata evidence) internal pure override {
        require(evidence.length == EVIDENCE_BYTES, EvidenceLength(evidence.length, EVIDENCE_BYTES));
    }
}
