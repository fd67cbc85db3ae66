// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Public keys from private keys, for tests: `vm.addr` gives only the address. Not constant time.
/// @dev Jacobian coordinates on y^2 = x^3 + 7, SEC 2 version 2, section 2.4.1.
library Secp256k1 {
    uint256 internal constant P = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    uint256 internal constant GX = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798;
    uint256 internal constant GY = 0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8;

    /// @notice The point `privateKey` x G. `privateKey` is in [1, n-1].
    function publicKey(uint256 privateKey) internal view returns (bytes32 x, bytes32 y) {
        uint256 ax;
        uint256 ay;
        uint256 az; // 0: the point at infinity
        for (uint256 bit = 256; bit > 0; bit--) {
            if (az != 0) (ax, ay, az) = _double(ax, ay, az);
            if ((privateKey >> (bit - 1)) & 1 == 1) {
                (ax, ay, az) = az == 0 ? (GX, GY, uint256(1)) : _addGenerator(ax, ay, az);
            }
        }
        uint256 inverse = _inverse(az);
        uint256 squared = mulmod(inverse, inverse, P);
        x = bytes32(mulmod(ax, squared, P));
        y = bytes32(mulmod(ay, mulmod(squared, inverse, P), P));
    }

    function _double(uint256 x, uint256 y, uint256 z) private pure returns (uint256 x3, uint256 y3, uint256 z3) {
        uint256 yy = mulmod(y, y, P);
        uint256 s = mulmod(4, mulmod(x, yy, P), P);
        uint256 m = mulmod(3, mulmod(x, x, P), P);
        x3 = addmod(mulmod(m, m, P), P - mulmod(2, s, P), P);
        y3 = addmod(mulmod(m, addmod(s, P - x3, P), P), P - mulmod(8, mulmod(yy, yy, P), P), P);
        z3 = mulmod(2, mulmod(y, z, P), P);
    }

    /// @dev The two points differ: a running multiple of G below the order never meets G again.
    function _addGenerator(uint256 x, uint256 y, uint256 z) private pure returns (uint256 x3, uint256 y3, uint256 z3) {
        uint256 zz = mulmod(z, z, P);
        uint256 h = addmod(mulmod(GX, zz, P), P - x, P);
        uint256 r = addmod(mulmod(GY, mulmod(zz, z, P), P), P - y, P);
        uint256 hh = mulmod(h, h, P);
        uint256 hhh = mulmod(hh, h, P);
        uint256 v = mulmod(x, hh, P);
        x3 = addmod(mulmod(r, r, P), P - addmod(hhh, mulmod(2, v, P), P), P);
        y3 = addmod(mulmod(r, addmod(v, P - x3, P), P), P - mulmod(y, hhh, P), P);
        z3 = mulmod(z, h, P);
    }

    function _inverse(uint256 value) private view returns (uint256) {
        (bool ok, bytes memory result) = address(5).staticcall(abi.encode(32, 32, 32, value, P - 2, P));
        require(ok, "modexp");
        return abi.decode(result, (uint256));
    }
}
