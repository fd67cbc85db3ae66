// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Domain} from "./Domain.sol";

/// @notice Statement(uint8 kind,bytes32 scope,uint64 position,bytes32 content), the only message a running node key signs.
library Statements {
    uint8 internal constant PUT = 1;
    uint8 internal constant GOSSIP = 2;
    uint8 internal constant RECEIPT = 3;
    uint8 internal constant FINALITY = 7;

    /// @dev signer 20 | kind 1 | scope 32 | position 8: how every evidence begins, and what a slot is the hash of.
    uint256 internal constant SLOT_BYTES = 61;

    bytes32 internal constant TYPEHASH = keccak256(
        "Statement(uint8 kind,bytes32 scope,uint64 position,bytes32 content)"
    );

    /// @dev A slot taken apart.
    struct Slot {
        address signer;
        uint8 kind;
        bytes32 scope;
        uint64 position;
    }

    /// @notice The 32 bytes of `evidence` from `offset` on.
    /// @dev Warning: not checked against the length, which the caller has done: bytes past the end read as zero.
    function wordAt(bytes calldata evidence, uint256 offset) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(evidence.offset, offset))
        }
    }

    /// @notice Reads the slot at the start of `evidence`.
    /// @dev Warning: `evidence` must hold at least `SLOT_BYTES`.
    function slotOf(bytes calldata evidence) internal pure returns (Slot memory) {
        return
            Slot({
                signer: signerOf(evidence),
                kind: uint8(bytes1(wordAt(evidence, 20))),
                scope: wordAt(evidence, 21),
                position: uint64(bytes8(wordAt(evidence, 53)))
            });
    }

    function signerOf(bytes calldata evidence) internal pure returns (address) {
        return address(bytes20(wordAt(evidence, 0)));
    }

    /// @notice keccak256(signer || kind || scope || position), packed.
    function slotHash(bytes calldata evidence) internal pure returns (bytes32) {
        return keccak256(evidence[0:SLOT_BYTES]);
    }

    function digest(bytes32 domainSeparator, Slot memory slot, bytes32 content) internal pure returns (bytes32) {
        return
            Domain.digest(
                domainSeparator,
                keccak256(abi.encode(TYPEHASH, slot.kind, slot.scope, slot.position, content))
            );
    }

    /// @notice PUT, GOSSIP and RECEIPT count an index in every epoch; position = epoch << 32 | index.
    function isMetered(uint8 kind) internal pure returns (bool) {
        return kind <= RECEIPT;
    }

    /// @notice Kinds 1 to 3 have no scope, kinds 4 to 7 have one, and there are no others.
    function isVoid(uint8 kind, bytes32 scope) internal pure returns (bool) {
        return kind == 0 || kind > FINALITY || (scope == 0) != isMetered(kind);
    }

    function epochOf(uint64 position) internal pure returns (uint64) {
        return position >> 32;
    }

    function indexOf(uint64 position) internal pure returns (uint32) {
        return uint32(position);
    }
}
