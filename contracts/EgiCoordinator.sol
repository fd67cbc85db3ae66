// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IEgiCoordinator} from "./interfaces/IEgiCoordinator.sol";

/// @title What the ENS name resolves to.
/// @notice Pointers that never change. No owner, no power over any node.
contract EgiCoordinator is IEgiCoordinator {
    /// @inheritdoc IEgiCoordinator
    uint16 public constant protocolVersion = 1;
    /// @inheritdoc IEgiCoordinator
    address public immutable token;
    /// @inheritdoc IEgiCoordinator
    address public immutable registry;
    /// @inheritdoc IEgiCoordinator
    address public immutable court;
    /// @inheritdoc IEgiCoordinator
    address public immutable lens;
    /// @inheritdoc IEgiCoordinator
    address public immutable availability;
    /// @inheritdoc IEgiCoordinator
    address public immutable meshes;

    /// @param availability_ may be zero
    /// @param meshes_ may be zero
    constructor(
        address token_,
        address registry_,
        address court_,
        address lens_,
        address availability_,
        address meshes_
    ) {
        require(token_ != address(0), ZeroAddress("token"));
        require(registry_ != address(0), ZeroAddress("registry"));
        require(court_ != address(0), ZeroAddress("court"));
        require(lens_ != address(0), ZeroAddress("lens"));
        token = token_;
        registry = registry_;
        court = court_;
        lens = lens_;
        availability = availability_;
        meshes = meshes_;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IEgiCoordinator).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
