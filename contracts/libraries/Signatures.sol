// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice secp256k1 signatures in their one valid form: r in [1, n-1], s in [1, n/2].
/// @dev The `ecrecover` precompile refuses r or s that are 0 or not below n. It takes a high s, so that is refused here.
/// A failed recovery is the zero address. Warning: never compare the result with an address that may be zero.
library Signatures {
    /// @dev Half the order of the curve, rounded down.
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice Who signed `digest`, from an EIP-2098 pair: the top bit of `vs` is the parity of y.
    function recover(bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (address) {
        uint256 s = uint256(vs) & (type(uint256).max >> 1);
        if (s > HALF_ORDER) return address(0);
        // One bit is left after the shift, so v is 27 or 28.
        uint8 v = uint8((uint256(vs) >> 255) + 27);
        return ecrecover(digest, v, r, bytes32(s));
    }

    /// @notice Who signed `digest`, from 65 bytes r, s, v with v 27 or 28.
    function recover(bytes32 digest, bytes calldata signature) internal pure returns (address) {
        if (signature.length != 65) return address(0);
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint8 v = uint8(signature[64]);
        if (uint256(s) > HALF_ORDER || (v != 27 && v != 28)) return address(0);
        return ecrecover(digest, v, r, s);
    }

    /// @notice The address of a public key. Does not check that the point lies on the curve; a valid signature does.
    function addressOf(bytes32 x, bytes32 y) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(x, y)))));
    }
}
