// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A plug-in that decides whether a person key stands for a person.
/// @dev Warning: the default accepts every key, so it limits a person to one stake only among the honest.
interface IPersonVerifier {
    /// @param operator who registers
    /// @param person address of the person key; its signature was already checked
    /// @param proof whatever the plug-in needs
    function isPerson(address operator, address person, bytes calldata proof) external view returns (bool);
}
