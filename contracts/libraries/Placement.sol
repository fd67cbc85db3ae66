// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {IStakeRegistryErrors} from "../interfaces/IStakeRegistry.sol";

/// @notice Draws a stake's place from the RANDAO mix of a block that was not known when it registered.
library Placement {
    /// @dev Bound before parsing. A header with every field known today has less than 700 bytes.
    uint256 internal constant MAX_HEADER_BYTES = 2048;
    /// @dev The hashes of the last 8,191 blocks (EIP-2935).
    address internal constant HISTORY_STORAGE = 0x0000F90827F1C53a10cb7A02335B175320002935;

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
        require(_blockHash(drawBlock) == headerHash, IStakeRegistryErrors.HeaderHashMismatch(drawBlock, headerHash));
        return keccak256(abi.encode(BlockHeader.getPrevRandao(fields), stakeId));
    }

    /// @notice Whether the hash of `drawBlock` can no longer be had, so that nobody can ever activate with it.
    function isMissed(uint256 drawBlock) internal view returns (bool) {
        return block.number > drawBlock && _blockHash(drawBlock) == 0;
    }

    /// @dev The hash of a past block, 0 when it is out of reach. OpenZeppelin's `Blockhash` takes what a history contract
    /// reverts with for a hash: with one that reverts with a reason, no draw would ever count as missed.
    function _blockHash(uint256 number) private view returns (bytes32) {
        if (number >= block.number) return 0;
        if (block.number - number <= 256) return blockhash(number);
        (bool ok, bytes memory result) = HISTORY_STORAGE.staticcall(abi.encode(number));
        return ok && result.length == 32 ? bytes32(result) : bytes32(0);
    }
}
