// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {IStakeRegistryErrors} from "../interfaces/IStakeRegistry.sol";

/// @notice Draws a stake's place from the RANDAO mix of a block that was not known when it registered.
library Placement {
    /// @dev Bound before parsing. A header with every field known today has less than 700 bytes.
    uint256 internal constant MAX_HEADER_BYTES = 2048;

    /// @notice keccak256(abi.encode(RANDAO mix of block `drawBlock`, stake id)).
    /// @param headerRlp the header of exactly that block
    function draw(uint64 stakeId, uint256 drawBlock, bytes memory headerRlp) internal view returns (bytes32) {
        require(
            headerRlp.length <= MAX_HEADER_BYTES,
            IStakeRegistryErrors.HeaderTooLong(headerRlp.length, MAX_HEADER_BYTES)
        );
        bytes32 headerHash = keccak256(headerRlp);
        Memory.Slice[] memory fields = BlockHeader.parseHeader(headerRlp);
        uint256 number = BlockHeader.getNumber(fields);
        require(number == drawBlock, IStakeRegistryErrors.WrongHeader(number, drawBlock));
        // A block yet to come, and one out of reach, has the hash zero, which no header has.
        require(
            Blockhash.blockHash(drawBlock) == headerHash,
            IStakeRegistryErrors.HeaderHashMismatch(drawBlock, headerHash)
        );
        return keccak256(abi.encode(BlockHeader.getPrevRandao(fields), stakeId));
    }

    /// @notice Whether the hash of `drawBlock` can no longer be had, so that nobody can ever activate with it.
    function isMissed(uint256 drawBlock) internal view returns (bool) {
        return block.number > drawBlock && Blockhash.blockHash(drawBlock) == 0;
    }
}
