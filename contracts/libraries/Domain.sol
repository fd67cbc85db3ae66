// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice The EIP-712 domain "Suprnova", version "1", and the two consents of registration.
/// @dev OpenZeppelin's EIP712 has no salt; ours keeps signatures of two deployments apart even where chain id and
/// addresses repeat, as they do on development chains.
library Domain {
    bytes32 internal constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
    );
    bytes32 internal constant KEY_POSSESSION_TYPEHASH = keccak256(
        "KeyPossession(address operator,address nodeKey,address registry,uint256 deadline)"
    );
    bytes32 internal constant PERSON_CONSENT_TYPEHASH = keccak256(
        "PersonConsent(address operator,address nodeKey,address registry,uint256 deadline)"
    );

    function separator(uint256 chainId, address registry, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Suprnova"), keccak256("1"), chainId, registry, salt));
    }

    /// @notice The digest of `KeyPossession` or `PersonConsent`.
    function consentDigest(
        bytes32 domainSeparator,
        bytes32 typehash,
        address operator,
        address nodeKey,
        address registry,
        uint256 deadline
    ) internal pure returns (bytes32) {
        return digest(domainSeparator, keccak256(abi.encode(typehash, operator, nodeKey, registry, deadline)));
    }

    /// @notice keccak256(0x1901 || domain separator || struct hash).
    function digest(bytes32 domainSeparator, bytes32 structHash) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, shl(240, 0x1901))
            mstore(add(free, 2), domainSeparator)
            mstore(add(free, 34), structHash)
            result := keccak256(free, 66)
        }
    }
}
