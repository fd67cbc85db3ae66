// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EgiToken} from "../EgiToken.sol";
import {Penalties} from "../libraries/Penalties.sol";
import {IStakeRegistry} from "../interfaces/IStakeRegistry.sol";

/// @notice Where every token of the registry stands, in sums.
/// @dev balance = slashable + escrow + credits + burnable. Burnable is what nobody has a claim on and is never stored:
/// what is taken from a stake becomes burnable by leaving `slashable`, which keeps a slash to one write here.
/// No sum can pass 2^96, since the token's supply is below that and only shrinks.
abstract contract RegistryLedger is IStakeRegistry {
    using SafeERC20 for IERC20;

    /// @dev Ids fit 32 bits in a fault's record.
    uint256 private constant MAX_STAKES = type(uint32).max;

    struct Sums {
        uint96 slashable; // bonded and unbonding
        uint96 escrow;
        uint64 stakeCount;
        // next slot
        uint96 unbonding; // part of `slashable`
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
        uint256 supply = IERC20(token_).totalSupply();
        require(supply <= Penalties.MAX_SUPPLY, BadParams("token supply", supply, Penalties.MAX_SUPPLY));
        token = token_;
        court = court_;
    }

    /// @inheritdoc IStakeRegistry
    function withdrawCredits(address to) external {
        uint256 amount = creditsOf[msg.sender];
        require(amount != 0, NothingToWithdraw(msg.sender));
        creditsOf[msg.sender] = 0;
        _sums.credits -= uint96(amount);
        emit CreditsWithdrawn(msg.sender, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IStakeRegistry
    function burn() external {
        uint256 amount = _burnable();
        require(amount != 0, NothingToBurn());
        emit Burned(amount);
        EgiToken(token).burn(amount);
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

    /// @dev Counts a new stake of `amount`.
    function _addStake(uint96 amount) internal returns (uint64 stakeId) {
        Sums storage sums = _sums;
        stakeId = sums.stakeCount + 1;
        require(stakeId <= MAX_STAKES, BadParams("stakeCount", stakeId, MAX_STAKES));
        uint96 slashable = sums.slashable + amount;
        sums.stakeCount = stakeId;
        sums.slashable = slashable;
    }

    /// @dev Counts `amount` more behind a stake.
    function _addBond(uint96 amount) internal {
        _sums.slashable += amount;
    }

    function _pullTokens(uint96 amount) internal {
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @dev Pays a whole stake out of `slashable` and `unbonding`.
    function _payOut(address to, uint96 amount) internal {
        _sums.slashable -= amount;
        _sums.unbonding -= amount;
        IERC20(token).safeTransfer(to, amount);
    }

    /// @dev Moves `charged` out of what is slashable: `escrowed` of it to escrow, the rest to be burned.
    function _charge(uint96 charged, uint96 escrowed, bool isUnbonding) internal {
        Sums storage sums = _sums;
        uint96 slashable = sums.slashable - charged;
        uint96 escrow = sums.escrow + escrowed;
        sums.slashable = slashable;
        sums.escrow = escrow;
        if (isUnbonding) sums.unbonding -= charged;
    }

    /// @dev Pays escrow to `to` as credits; to the zero address: leaves it to be burned.
    function _releaseEscrow(bytes32 faultId, address to, uint96 amount) internal {
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

    function _burnable() private view returns (uint256) {
        return IERC20(token).balanceOf(address(this)) - _sums.slashable - _sums.escrow - _sums.credits;
    }
}
