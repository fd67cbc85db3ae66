// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice What a fault costs, and the time buckets in which offenders are counted together.
library Penalties {
    uint256 internal constant BPS = 10_000;
    /// @dev The correlated part is at most this many times the base.
    uint256 internal constant CORRELATION_FACTOR = 3;
    /// @dev A correlation window is this many buckets long, and a fault's window reaches this many half-windows each way.
    uint256 internal constant BUCKETS_PER_WINDOW = 4;
    uint256 internal constant REACH = 2;
    /// @dev Total bonds are remembered in units of 2^32 wei, rounded up so that no share is too large.
    uint256 internal constant BOND_UNIT = 1 << 32;
    /// @dev The largest supply of which any part fits 96 bits, and 64 bits in bond units.
    uint256 internal constant MAX_SUPPLY = (1 << 96) - BOND_UNIT;

    /// @notice `bps` of `amount`, rounded down.
    /// @param bps at most 10,000
    function part(uint96 amount, uint16 bps) internal pure returns (uint96) {
        unchecked {
            return uint96((uint256(amount) * bps) / BPS);
        }
    }

    /// @notice What a penalty of `penaltyBps` adds where `beforeBps` were charged already: only the larger one counts.
    function newlyDue(uint96 amount, uint16 penaltyBps, uint16 beforeBps) internal pure returns (uint96) {
        if (penaltyBps <= beforeBps) return 0;
        unchecked {
            return part(amount, penaltyBps) - part(amount, beforeBps);
        }
    }

    /// @notice base x 3 x share, where share = offenders / bonded and at most 1.
    function correlated(uint256 base, uint256 offenders, uint256 bonded) internal pure returns (uint256) {
        if (offenders >= bonded) return base * CORRELATION_FACTOR;
        return Math.mulDiv(base * CORRELATION_FACTOR, offenders, bonded);
    }

    /// @notice An amount in units of 2^32 wei, rounded up.
    /// @param amount at most `MAX_SUPPLY`
    function toBondUnits(uint96 amount) internal pure returns (uint64) {
        unchecked {
            return uint64((uint256(amount) + BOND_UNIT - 1) / BOND_UNIT);
        }
    }

    function fromBondUnits(uint64 units) internal pure returns (uint256) {
        return units * BOND_UNIT;
    }
}
