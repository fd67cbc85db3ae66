// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title EGI, the token that is staked.
/// @notice A fixed supply that can only shrink: nobody mints, anyone may burn what is their own.
contract EgiToken is ERC20, ERC20Permit {
    constructor(address to, uint256 supply) ERC20("EGI", "EGI") ERC20Permit("EGI") {
        _mint(to, supply);
    }

    /// @notice Destroys `amount` of the caller's own tokens.
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }
}
