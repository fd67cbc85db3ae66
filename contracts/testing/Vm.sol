// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;
/// @notice The cheat codes our tests use, as Hardhat and Foundry have them.
interface Vm {
    function prank(address) external;
    function startPrank(address) external;
    function stopPrank() external;
    function warp(uint256) external;
    function roll(uint256) external;
    function sign(uint256, bytes32) external pure returns (uint8, bytes32, bytes32);
    function addr(uint256) external pure returns (address);
    function getNonce(address) external view returns (uint64);
    function computeCreateAddress(address, uint256) external pure returns (address);
    function setBlockhash(uint256, bytes32) external;
}
