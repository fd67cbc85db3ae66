// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

interface IEnsResolverOf {
    function resolver(bytes32 node) external view returns (address);
}

/// @title The one entry point that clients of ENS call, for chains where ENS itself is not deployed.
/// @notice Finds the resolver of a name in the registry and passes the question on. Knows no wildcards and no gateways.
/// @dev Errors are spelled as ENS's own UniversalResolver spells them, so that clients tell "unknown" from "broken".
contract LocalUniversalResolver {
    error ResolverNotFound(bytes name);
    error ResolverNotContract(bytes name, address resolver);
    error ResolverError(bytes errorData);
    error DnsEncodingFailed(bytes name);

    address public immutable registry;

    constructor(address registry_) {
        registry = registry_;
    }

    /// @param name in DNS wire format
    /// @param data call for the name's resolver
    /// @return result what the resolver returned
    /// @return resolver who returned it
    function resolveWithGateways(
        bytes calldata name,
        bytes calldata data,
        string[] calldata
    ) external view returns (bytes memory result, address resolver) {
        return resolve(name, data);
    }

    /// @notice As `resolveWithGateways`.
    function resolve(
        bytes calldata name,
        bytes calldata data
    ) public view returns (bytes memory result, address resolver) {
        resolver = IEnsResolverOf(registry).resolver(_namehash(name, 0));
        require(resolver != address(0), ResolverNotFound(name));
        require(resolver.code.length != 0, ResolverNotContract(name, resolver));
        bool answered;
        (answered, result) = resolver.staticcall(data);
        require(answered, ResolverError(result));
    }

    /// @dev The node of the labels from `offset` on; a label is its length in one byte, then its bytes; zero ends.
    function _namehash(bytes calldata name, uint256 offset) private pure returns (bytes32) {
        require(offset < name.length, DnsEncodingFailed(name));
        uint256 length = uint8(name[offset]);
        if (length == 0) return bytes32(0);
        uint256 end = offset + 1 + length;
        require(end < name.length, DnsEncodingFailed(name));
        return keccak256(abi.encodePacked(_namehash(name, end), keccak256(name[offset + 1:end])));
    }
}
