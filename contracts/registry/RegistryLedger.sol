// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EgiToken} from "../EgiToken.sol";
import {IStakeRegistry} from "../interfaces/IStakeRegistry.sol";

/// @notice Where every token of the registry stands, in sums.
/// @dev held = slashable + escrow + credits + burnable. Burnable is never stored: what is taken from a stake
/// becomes burnable by leaving `slashable`, which keeps a slash to one write here. Tokens that somebody sends
/// here by mistake are not held and stay.
abstract contract RegistryLedger is IStakeRegistry {
    using SafeERC20 for IERC20;

    struct Sums {
        uint96 slashable; // bonded and unbonding
        uint96 escrow;
        uint64 stakeCount;
        // next slot
        uint96 held;
        uint96 unbonding; // part of `slashable`
        uint64 registrationsPausedUntil;
        // next slot
        uint96 credits;
    }

    /// @inheritdoc IStakeRegistry
    address public immutable token;
    /// @inheritdoc IStakeRegistry
    address public immutable court;

    Sums internal _sums;

    /// @inheritdoc IStakeRegistry
    mapping(address account => uint256) public creditsOf;

    modifier onlyCourt() {
        require(msg.sender == court, NotCourt(msg.sender));
        _;
    }

    constructor(address token_, address court_) {
        require(token_ != address(0), BadParams("token", 0, 1));
        require(court_ != address(0), BadParams("court", 0, 1));
        token = token_;
        court = court_;
    }

    /// @inheritdoc IStakeRegistry
    function withdrawCredits(address to) external {
        uint256 amount = creditsOf[msg.sender];
        require(amount != 0, NothingToWithdraw(msg.sender));
        creditsOf[msg.sender] = 0;
        _sums.credits -= uint96(amount);
        _sums.held -= uint96(amount);
        emit CreditsWithdrawn(msg.sender, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IStakeRegistry
    function burn() external {
        uint256 amount = _burnable();
        require(amount != 0, NothingToBurn());
        _sums.held -= uint96(amount);
        emit Burned(amount);
        EgiToken(token).burn(amount);
    }

    /// @inheritdoc IStakeRegistry
    function releaseEscrow(bytes32 faultId, address to, uint96 amount) external onlyCourt {
        _sums.escrow -= amount;
        if (to == address(0)) {
            emit EscrowReleased(faultId, to, 0, amount);
        } else {
            creditsOf[to] += amount;
            _sums.credits += amount;
            emit EscrowReleased(faultId, to, amount, 0);
            emit Credited(to, amount);
        }
    }

    /// @inheritdoc IStakeRegistry
    function stakeCount() external view returns (uint64) {
        return _sums.stakeCount;
    }

    /// @inheritdoc IStakeRegistry
    function totals()
        external
        view
        returns (uint256 bonded, uint256 unbonding, uint256 credits, uint256 escrow, uint256 burnable)
    {
        unbonding = _sums.unbonding;
        bonded = _sums.slashable - unbonding;
        credits = _sums.credits;
        escrow = _sums.escrow;
        burnable = _burnable();
    }

    /// @dev Takes `amount` of `from` in. The cap keeps every sum below 2^96.
    function _takeIn(address from, uint96 amount) internal {
        uint256 room = type(uint96).max - _sums.held;
        require(amount <= room, AmountTooLarge(amount, room));
        _sums.held += amount;
        _sums.slashable += amount;
        IERC20(token).safeTransferFrom(from, address(this), amount);
    }

    /// @dev Pays a whole stake out of `slashable` and `unbonding`.
    function _payOut(address to, uint96 amount) internal {
        _sums.slashable -= amount;
        _sums.unbonding -= amount;
        _sums.held -= amount;
        IERC20(token).safeTransfer(to, amount);
    }

    /// @dev Moves `charged` out of what is slashable: `escrowed` of it to escrow, the rest to be burned.
    function _charge(uint96 charged, uint96 escrowed, bool isUnbonding) internal {
        Sums storage sums = _sums;
        sums.slashable -= charged;
        if (escrowed != 0) sums.escrow += escrowed;
        if (isUnbonding) sums.unbonding -= charged;
    }

    function _burnable() private view returns (uint256) {
        return uint256(_sums.held) - _sums.slashable - _sums.escrow - _sums.credits;
    }
}
