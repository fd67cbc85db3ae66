// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFaultVerifier} from "../interfaces/IFaultVerifier.sol";
import {IStakeRegistry, IStakeRegistryTypes, ProtocolParams} from "../interfaces/IStakeRegistry.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Statements} from "../libraries/Statements.sol";

/// @notice What every fault told by statements of one slot needs: is the slot valid, whose is it, who signed.
/// @dev Evidence begins with the slot (61 bytes). The registry's numbers never change, so they are copied here.
abstract contract StatementVerifier is IFaultVerifier {
    IStakeRegistry public immutable registry;

    uint256 internal immutable _epochSeconds;
    uint256 private immutable _evidenceWindowSeconds;
    uint256 private immutable _unbondingSeconds;
    uint256 private immutable _homeChainId;
    bytes32 private immutable _homeSeparator;

    constructor(address registry_) {
        registry = IStakeRegistry(registry_);
        ProtocolParams memory p = registry.params();
        _epochSeconds = p.epochSeconds;
        _evidenceWindowSeconds = p.evidenceWindowSeconds;
        _unbondingSeconds = p.unbondingSeconds;
        _homeChainId = block.chainid;
        _homeSeparator = registry.domainSeparator();
    }

    /// @inheritdoc IFaultVerifier
    function accused(bytes calldata evidence) external view virtual returns (uint64 stakeId, bytes32 slot) {
        _requireLength(evidence);
        return (registry.keyRecord(Statements.signerOf(evidence)).stakeId, Statements.slotHash(evidence));
    }

    /// @dev Reverts when `evidence` is not exactly as long as this fault's evidence is.
    function _requireLength(bytes calldata evidence) internal pure virtual;

    /// @dev Checks all of a slot but its signatures, as of time `atSeconds`: a slot that nobody may speak in convicts nobody.
    function _stakeBehind(Statements.Slot memory slot, uint256 atSeconds) internal view returns (uint64) {
        require(!Statements.isVoid(slot.kind, slot.scope), VoidStatement(slot.kind, slot.scope));
        IStakeRegistryTypes.KeyRecord memory key = registry.keyRecord(slot.signer);
        require(key.stakeId != 0, UnknownKey(slot.signer));

        uint256 window = _unbondingSeconds;
        if (Statements.isMetered(slot.kind)) {
            window = _evidenceWindowSeconds;
            uint64 epoch = Statements.epochOf(slot.position);
            uint256 currentEpoch = atSeconds / _epochSeconds;
            require(epoch <= currentEpoch + 1, EpochInFuture(epoch, uint64(currentEpoch)));
            require(
                epoch >= key.fromEpoch && (key.untilEpoch == 0 || epoch < key.untilEpoch),
                KeyNotInTenure(slot.signer, epoch, key.fromEpoch, key.untilEpoch)
            );
        }
        if (key.untilEpoch != 0) {
            uint256 punishableUntil = key.untilEpoch * _epochSeconds + window;
            require(atSeconds <= punishableUntil, EvidenceTooOld(slot.signer, punishableUntil, atSeconds));
        }
        return key.stakeId;
    }

    function _requireSigned(
        bytes32 separator,
        Statements.Slot memory slot,
        bytes32 content,
        bytes32 r,
        bytes32 vs
    ) internal pure {
        bytes32 digest = Statements.digest(separator, slot, content);
        address signer = Signatures.recover(digest, r, vs);
        // The signer has a stake, so it is not the zero address of a failed recovery.
        require(signer == slot.signer, BadSignature(slot.signer, digest));
    }

    function _domainSeparator() internal view returns (bytes32) {
        return block.chainid == _homeChainId ? _homeSeparator : registry.domainSeparator();
    }
}
