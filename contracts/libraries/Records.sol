// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAvailabilityChallengeErrors} from "../interfaces/IAvailabilityChallenge.sol";
import {Statements} from "./Statements.sol";

/// @notice Bodies of PUT and RECEIPT, packed and big-endian.
/// @dev PUT: keyType 1 | keyPreimage 32 | valueRoot 32 | size 4 | expiryEpoch 8 [| cell].
/// Cell: d 1 | s 1 | d x q 8 | agentId 32 | leaseNumber 8 | leaseUntilEpoch 8 | authorityKind 1 | authority 32 [| lease].
/// RECEIPT: putDigest 32 | leaf 1 | recordKey 32 | valueRoot 32 | size 4 | untilEpoch 8 | publisherStakeId 8.
library Records {
    using Statements for bytes;

    uint256 internal constant PUT_BYTES = 77;
    uint256 internal constant RECEIPT_BYTES = 117;
    uint8 internal constant OWNER = 1;
    uint8 internal constant CELL = 3;
    uint256 internal constant CHUNK_BYTES = 1024;
    /// @dev agentId, leaseNumber, leaseUntilEpoch, authorityKind, authority.
    uint256 private constant AGENT_BYTES = 81;
    uint8 private constant BY_WRITER = 1;
    uint8 private constant BY_LEASE = 2;

    /// @dev What a challenge needs of a PUT.
    struct Put {
        bytes32 valueRoot;
        uint32 size;
        bytes32 entry; // what a later PUT must name to supersede it; zero: nothing can
        uint64 rank; // the lease number of a cell entry, else 0
    }

    struct Receipt {
        bytes32 putDigest;
        uint8 putLeaf;
        bytes32 recordKey;
        bytes32 valueRoot;
        uint32 size;
        uint64 untilEpoch;
        uint64 publisherStakeId; // the digest names no signer, and every stake can sign the same PUT
    }

    /// @notice Reads a PUT body: as far as a challenge needs it, so that what a node took is never refused here.
    function readPut(bytes calldata body) internal pure returns (Put memory put) {
        require(body.length >= PUT_BYTES, IAvailabilityChallengeErrors.BadShown("PUT", body.length, PUT_BYTES));
        uint8 keyType = uint8(body[0]);
        bytes32 keyPreimage = body.wordAt(1);
        put.valueRoot = body.wordAt(33);
        put.size = uint32(bytes4(body.wordAt(65)));
        if (keyType == OWNER) put.entry = keccak256(abi.encode(OWNER, keyPreimage));
        else if (keyType == CELL) (put.entry, put.rank) = _readCell(body, keyPreimage);
    }

    function readReceipt(bytes calldata body) internal pure returns (Receipt memory receipt) {
        require(
            body.length == RECEIPT_BYTES,
            IAvailabilityChallengeErrors.BadShown("RECEIPT", body.length, RECEIPT_BYTES)
        );
        receipt.putDigest = body.wordAt(0);
        receipt.putLeaf = uint8(body[32]);
        receipt.recordKey = body.wordAt(33);
        receipt.valueRoot = body.wordAt(65);
        receipt.size = uint32(bytes4(body.wordAt(97)));
        receipt.untilEpoch = uint64(bytes8(body.wordAt(101)));
        receipt.publisherStakeId = uint64(bytes8(body.wordAt(109)));
    }

    /// @dev One entry: a world, a level, a cell of it, and an agent, which is its id and its authority. That the authority's
    /// own stake writes, or one with its lease (kinds 1 and 2), makes no other agent.
    function _readCell(bytes calldata body, bytes32 world) private pure returns (bytes32 entry, uint64 leaseNumber) {
        uint256 d = body.length > PUT_BYTES ? uint8(body[PUT_BYTES]) : 0;
        uint256 agentAt = PUT_BYTES + 2 + 8 * d;
        require(
            d != 0 && d <= 3 && body.length >= agentAt + AGENT_BYTES,
            IAvailabilityChallengeErrors.BadShown("cell", body.length, agentAt + AGENT_BYTES)
        );
        uint8 s = uint8(body[PUT_BYTES + 1]);
        bytes memory cell = abi.encodePacked(CELL, world, uint8(d), s);
        for (uint256 i = 0; i < d; ++i) {
            int64 q = int64(uint64(bytes8(body.wordAt(PUT_BYTES + 2 + 8 * i))));
            cell = bytes.concat(cell, bytes8(uint64(q >> s)));
        }
        uint8 authorityKind = uint8(body[agentAt + 48]);
        if (authorityKind == BY_LEASE) authorityKind = BY_WRITER;
        entry = keccak256(bytes.concat(cell, body.wordAt(agentAt), bytes1(authorityKind), body.wordAt(agentAt + 49)));
        leaseNumber = uint64(bytes8(body.wordAt(agentAt + 32)));
    }
}
