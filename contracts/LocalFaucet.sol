// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @notice Hands out tokens from its own balance on local chains. Mints nothing.
/// @dev Warning: gives to anyone who asks. It refuses to exist on any chain but 1337 and 31337.
contract LocalFaucet {
    using SafeERC20 for IERC20;

    error NotALocalChain(uint256 chainId);
    error MoreThanPerCall(uint256 amount, uint256 limit);

    event Given(address indexed to, uint256 amount);

    IERC20 public immutable token;
    uint256 public immutable maxPerCall;

    constructor(address token_, uint256 maxPerCall_) {
        require(block.chainid == 31337 || block.chainid == 1337, NotALocalChain(block.chainid));
        token = IERC20(token_);
        maxPerCall = maxPerCall_;
    }

    /// @notice Sends `amount` to `to`, at most `maxPerCall`.
    function give(address to, uint256 amount) external {
        require(amount <= maxPerCall, MoreThanPerCall(amount, maxPerCall));
        emit Given(to, amount);
        token.safeTransfer(to, amount);
    }
}
