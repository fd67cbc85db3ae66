// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAvailabilityChallengeErrors} from "../interfaces/IAvailabilityChallenge.sol";
import {Statements} from "./Statements.sol";

/// @notice One body of a signed statement, shown with its path:
/// signer 20 | kind 1 | scope 32 | position 8 | r 32 | vs 32 | leaf 1 | pathLength 1 | path 32 each | body to the end.
/// @dev The content is not given: it is the root that the body leads to, so a wrong path is a wrong signature.
library Shown {
    using Statements for bytes;

    uint256 private constant R_AT = 61;
    uint256 private constant VS_AT = 93;
    uint256 private constant LEAF_AT = 125;
    uint256 private constant PATH_AT = 127;

    /// @dev A shown statement taken apart. Nothing of it is verified but its form.
    struct Part {
        Statements.Slot slot;
        bytes32 content;
        bytes32 r;
        bytes32 vs;
        uint8 leaf;
        uint256 bodyAt;
    }

    /// @notice Takes `shown` apart.
    /// @param maxPath of its kind
    function read(bytes calldata shown, uint256 maxPath) internal pure returns (Part memory part) {
        require(shown.length >= PATH_AT, IAvailabilityChallengeErrors.BadShown("length", shown.length, PATH_AT));
        uint256 pathLength = uint8(shown[LEAF_AT + 1]);
        require(pathLength <= maxPath, IAvailabilityChallengeErrors.BadShown("path", pathLength, maxPath));
        part.leaf = uint8(shown[LEAF_AT]);
        require(part.leaf < 1 << pathLength, IAvailabilityChallengeErrors.BadShown("leaf", part.leaf, 1 << pathLength));
        part.bodyAt = PATH_AT + 32 * pathLength;
        require(
            shown.length >= part.bodyAt,
            IAvailabilityChallengeErrors.BadShown("length", shown.length, part.bodyAt)
        );
        part.slot = shown.slotOf();
        part.r = shown.wordAt(R_AT);
        part.vs = shown.wordAt(VS_AT);
        bytes32 node = leafHash(shown[part.bodyAt:]);
        for (uint256 level = 0; level < pathLength; ++level) {
            bytes32 sibling = shown.wordAt(PATH_AT + 32 * level);
            node = (part.leaf >> level) & 1 == 0 ? nodeHash(node, sibling) : nodeHash(sibling, node);
        }
        part.content = node;
    }

    /// @notice keccak256(0x00 || body).
    function leafHash(bytes calldata body) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 0)
            calldatacopy(add(free, 1), body.offset, body.length)
            result := keccak256(free, add(body.length, 1))
        }
    }

    /// @notice keccak256(0x01 || left || right).
    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 1)
            mstore(add(free, 1), left)
            mstore(add(free, 33), right)
            result := keccak256(free, 65)
        }
    }
}
