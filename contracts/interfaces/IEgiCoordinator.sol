// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @notice What the ENS name resolves to: immutable pointers, and no power.
interface IEgiCoordinator is IERC165 {
    error ZeroAddress(string what);

    /// @notice The version of statements, wire and contracts. Another version is another deployment.
    function protocolVersion() external view returns (uint16);

    function token() external view returns (address);

    function registry() external view returns (address);

    function court() external view returns (address);

    function lens() external view returns (address);

    /// @notice Zero where the deployment has none.
    function availability() external view returns (address);

    /// @notice Zero where the deployment has none.
    function meshes() external view returns (address);
}
