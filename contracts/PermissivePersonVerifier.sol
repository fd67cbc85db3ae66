// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPersonVerifier} from "./interfaces/IPersonVerifier.sol";

/// @notice Takes every person key for a person.
/// @dev Warning: no proof of personhood. Whoever makes a second key is a second person here.
contract PermissivePersonVerifier is IPersonVerifier {
    /// @inheritdoc IPersonVerifier
    function isPerson(address, address, bytes calldata) external pure returns (bool) {
        return true;
    }
}
