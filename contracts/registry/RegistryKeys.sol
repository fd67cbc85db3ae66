// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Domain} from "../libraries/Domain.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {IStakeRegistry} from "../interfaces/IStakeRegistry.sol";

/// @notice Which key spoke for which stake in which epochs. A key belongs to one stake for ever.
abstract contract RegistryKeys is IStakeRegistry {
    /// @inheritdoc IStakeRegistry
    bytes32 public immutable salt;
    /// @inheritdoc IStakeRegistry
    bytes32 public immutable coordinatorNode;

    uint256 private immutable _homeChainId;
    bytes32 private immutable _homeSeparator;

    mapping(address key => KeyRecord) private _keys;

    constructor(bytes32 coordinatorNode_) {
        coordinatorNode = coordinatorNode_;
        salt = keccak256(abi.encode(coordinatorNode_, block.prevrandao, block.timestamp, blockhash(block.number - 1)));
        _homeChainId = block.chainid;
        _homeSeparator = Domain.separator(block.chainid, address(this), salt);
    }

    /// @inheritdoc IStakeRegistry
    function keyRecord(address key) external view returns (KeyRecord memory) {
        return _keys[key];
    }

    /// @inheritdoc IStakeRegistry
    function domainSeparator() public view returns (bytes32) {
        // A fork that keeps our address has another chain id, and so another domain.
        return block.chainid == _homeChainId ? _homeSeparator : Domain.separator(block.chainid, address(this), salt);
    }

    /// @dev Checks that the key behind `proof` never had a stake and agrees to `operator`. Returns its address.
    function _requirePossession(
        address operator,
        uint256 deadline,
        NodeKeyProof calldata proof
    ) internal view returns (address key) {
        key = Signatures.addressOf(proof.publicKeyX, proof.publicKeyY);
        uint64 holder = _keys[key].stakeId;
        require(holder == 0, KeyTaken(key, holder));
        // An address recovered from a signature is that of a point on the curve, so this checks x and y as well.
        require(
            Signatures.recover(_consentDigest(Domain.KEY_POSSESSION_TYPEHASH, operator, key, deadline), proof.signature)
                == key,
            BadPossessionSignature(key)
        );
    }

    /// @dev Checks that the person agrees to be behind `operator` and `nodeKey`.
    function _requireConsent(
        address operator,
        address nodeKey,
        uint256 deadline,
        PersonProof calldata proof
    ) internal view {
        require(
            proof.person != address(0)
                && Signatures.recover(
                    _consentDigest(Domain.PERSON_CONSENT_TYPEHASH, operator, nodeKey, deadline),
                    proof.signature
                )
                    == proof.person,
            BadPersonSignature(proof.person)
        );
    }

    function _beginTenure(address key, uint64 stakeId, uint64 fromEpoch) internal {
        KeyRecord storage record = _keys[key];
        record.stakeId = stakeId;
        record.fromEpoch = fromEpoch;
    }

    function _endTenure(address key, uint64 untilEpoch) internal {
        _keys[key].untilEpoch = untilEpoch;
    }

    function _tenureBegin(address key) internal view returns (uint64) {
        return _keys[key].fromEpoch;
    }

    function _consentDigest(
        bytes32 typehash,
        address operator,
        address nodeKey,
        uint256 deadline
    ) private view returns (bytes32) {
        return Domain.consentDigest(domainSeparator(), typehash, operator, nodeKey, address(this), deadline);
    }
}
