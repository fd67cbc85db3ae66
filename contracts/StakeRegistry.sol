// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IPersonVerifier} from "./interfaces/IPersonVerifier.sol";
import {IStakeRegistry, ProtocolParams} from "./interfaces/IStakeRegistry.sol";
import {Placement} from "./libraries/Placement.sol";
import {RegistryKeys} from "./registry/RegistryKeys.sol";
import {RegistryLedger} from "./registry/RegistryLedger.sol";
import {RegistryOwner} from "./registry/RegistryOwner.sol";
import {RegistryParams} from "./registry/RegistryParams.sol";
import {RegistryPenalties} from "./registry/RegistryPenalties.sol";

/// @title Every stake, from bond to withdrawal.
/// @notice This file is the life of a stake. Keys, sums, penalties, parameters and the owner's few rights are in `registry/`.
contract StakeRegistry is RegistryParams, RegistryLedger, RegistryKeys, RegistryPenalties, RegistryOwner {
    /// @dev Ids fit 32 bits in a fault's record.
    uint256 private constant MAX_STAKES = type(uint32).max;
    /// @dev What a missed draw costs: 1 % of the stake.
    uint256 private constant MISSED_DRAW_DIVISOR = 100;
    /// @dev So that every node knows a new key before it speaks.
    uint64 private constant ROTATION_EPOCHS = 2;

    /// @inheritdoc IStakeRegistry
    mapping(address operator => uint64) public stakeOfOperator;
    /// @inheritdoc IStakeRegistry
    mapping(address person => uint64) public stakeOfPerson;

    modifier onlyOperator(uint64 stakeId) {
        address operator = _bonds[stakeId].operator;
        require(operator != address(0), UnknownStake(stakeId));
        require(msg.sender == operator, NotOperator(stakeId, msg.sender));
        _;
    }

    /// @param court_ may be an address where the court will be deployed next
    /// @param coordinatorNode_ namehash of the coordinator's name
    constructor(
        ProtocolParams memory p,
        address token_,
        address court_,
        address personVerifier_,
        uint96 minStake_,
        address owner_,
        bytes32 coordinatorNode_
    )
        RegistryParams(p)
        RegistryLedger(token_, court_)
        RegistryKeys(coordinatorNode_)
        RegistryOwner(minStake_, personVerifier_, owner_)
    {}

    /// @inheritdoc IStakeRegistry
    function register(
        uint96 amount,
        uint256 deadline,
        NodeKeyProof calldata nodeKey,
        PersonProof calldata person,
        Permit calldata permit
    ) external returns (uint64 stakeId) {
        // 1. What the owner may steer.
        require(
            block.timestamp >= _sums.registrationsPausedUntil, RegistrationsPaused(_sums.registrationsPausedUntil)
        );
        uint96 minimum = minStake;
        require(amount >= minimum, BelowMinimum(amount, minimum));

        // 2. One stake per operator and person, a fresh key, and the word of both keys.
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        require(stakeOfOperator[msg.sender] == 0, OperatorHasStake(msg.sender, stakeOfOperator[msg.sender]));
        require(stakeOfPerson[person.person] == 0, PersonHasStake(person.person, stakeOfPerson[person.person]));
        address key = _requirePossession(msg.sender, deadline, nodeKey);
        _requireConsent(msg.sender, key, deadline, person);
        require(
            IPersonVerifier(personVerifier).isPerson(msg.sender, person.person, person.proof),
            NotAPerson(person.person)
        );

        // 3. The stake.
        stakeId = _sums.stakeCount + 1;
        require(stakeId <= MAX_STAKES, BadParams("stakeCount", stakeId, MAX_STAKES));
        _sums.stakeCount = stakeId;
        stakeOfOperator[msg.sender] = stakeId;
        stakeOfPerson[person.person] = stakeId;
        uint64 drawBlock = uint64(block.number + DRAW_DELAY_BLOCKS);
        Bond storage stored = _bonds[stakeId];
        stored.amount = amount;
        stored.status = Status.Pending;
        stored.operator = msg.sender;
        stored.drawBlock = drawBlock;
        stored.person = person.person;
        stored.nodeKey = key;
        stored.minStake = minimum;
        uint64 epoch = currentEpoch();
        _beginTenure(key, stakeId, epoch);
        emit Registered(
            stakeId,
            msg.sender,
            key,
            person.person,
            nodeKey.publicKeyX,
            nodeKey.publicKeyY,
            amount,
            minimum,
            epoch,
            drawBlock
        );

        // 4. The tokens. Anyone may use up a permit first; then the allowance it gave stands.
        if (permit.deadline != 0) {
            try IERC20Permit(token).permit(
                msg.sender, address(this), amount, permit.deadline, permit.v, permit.r, permit.s
            ) {} catch {}
        }
        _takeIn(msg.sender, amount);
    }

    /// @inheritdoc IStakeRegistry
    function activate(uint64 stakeId, bytes calldata headerRlp) external {
        Bond storage stored = _requireStatus(stakeId, Status.Pending, Status.Pending);
        bytes32 placement = Placement.draw(stakeId, stored.drawBlock, headerRlp);
        stored.status = Status.Active;
        stored.placement = placement;
        emit Activated(stakeId, placement);
    }

    /// @inheritdoc IStakeRegistry
    function renewDraw(uint64 stakeId) external {
        Bond storage stored = _requireStatus(stakeId, Status.Pending, Status.Pending);
        require(Placement.isMissed(stored.drawBlock), DrawStillPossible(stakeId, stored.drawBlock));
        uint64 drawBlock = uint64(block.number + DRAW_DELAY_BLOCKS);
        uint96 charged = uint96(stored.amount / MISSED_DRAW_DIVISOR);
        uint96 newAmount = stored.amount - charged;
        stored.drawBlock = drawBlock;
        stored.amount = newAmount;
        _charge(charged, 0, false);
        emit DrawRenewed(stakeId, drawBlock, charged, newAmount);
    }

    /// @inheritdoc IStakeRegistry
    function topUp(uint64 stakeId, uint96 amount) external {
        Bond storage stored = _requireStatus(stakeId, Status.Pending, Status.Active);
        uint96 newAmount = stored.amount + amount;
        stored.amount = newAmount;
        emit ToppedUp(stakeId, msg.sender, amount, newAmount);
        _takeIn(msg.sender, amount);
    }

    /// @inheritdoc IStakeRegistry
    function rotate(uint64 stakeId, uint256 deadline, NodeKeyProof calldata newKey) external onlyOperator(stakeId) {
        // 1. Who may: one change at a time, so that an epoch has one key.
        Bond storage stored = _requireStatus(stakeId, Status.Pending, Status.Unbonding);
        require(!stored.tombstoned, IsTombstoned(stakeId));
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        address oldKey = stored.nodeKey;
        uint64 began = _tenureBegin(oldKey);
        uint64 epoch = currentEpoch();
        require(began <= epoch, RotationPending(stakeId, began));
        address key = _requirePossession(msg.sender, deadline, newKey);

        // 2. The old tenure ends where the new one begins. Jail and penalties stay on the stake.
        uint64 fromEpoch = epoch + ROTATION_EPOCHS;
        _endTenure(oldKey, fromEpoch);
        _beginTenure(key, stakeId, fromEpoch);
        stored.nodeKey = key;
        emit Rotated(stakeId, oldKey, key, newKey.publicKeyX, newKey.publicKeyY, fromEpoch);
    }

    /// @inheritdoc IStakeRegistry
    function unbond(uint64 stakeId) external onlyOperator(stakeId) {
        Bond storage stored = _requireStatus(stakeId, Status.Pending, Status.Active);
        uint40 readyAt = uint40(block.timestamp + UNBONDING_SECONDS);
        uint96 amount = stored.amount;
        stored.status = Status.Unbonding;
        stored.readyAt = readyAt;
        _sums.unbonding += amount;
        emit UnbondingStarted(stakeId, amount, readyAt);
    }

    /// @inheritdoc IStakeRegistry
    function withdraw(uint64 stakeId, address to) external onlyOperator(stakeId) {
        // 1. After its time, and after its faults are settled.
        Bond storage stored = _requireStatus(stakeId, Status.Unbonding, Status.Unbonding);
        uint256 readyAt = stored.readyAt;
        require(block.timestamp >= readyAt, NotReady(stakeId, readyAt, block.timestamp));
        require(stored.unsettled == 0, Unsettled(stakeId, stored.unsettled));

        // 2. Operator and person are free again, but never after a tombstone. The key stays taken.
        uint96 amount = stored.amount;
        stored.amount = 0;
        stored.readyAt = 0;
        stored.status = Status.Withdrawn;
        if (!stored.tombstoned) {
            stakeOfOperator[stored.operator] = 0;
            stakeOfPerson[stored.person] = 0;
        }
        emit Withdrawn(stakeId, to, amount);
        _payOut(to, amount);
    }

    /// @inheritdoc IStakeRegistry
    function unjail(uint64 stakeId) external onlyOperator(stakeId) {
        Bond storage stored = _requireStatus(stakeId, Status.Pending, Status.Active);
        require(!stored.tombstoned, IsTombstoned(stakeId));
        uint256 until = stored.jailedUntil;
        require(until != 0, NotJailed(stakeId));
        require(block.timestamp >= until, StillJailed(stakeId, until));
        require(stored.amount >= stored.minStake, BelowMinimum(stored.amount, stored.minStake));
        // The penalty period ends with the jail: the next fault opens another.
        stored.jailedUntil = 0;
        stored.chargedBps = 0;
        stored.period += 1;
        emit Unjailed(stakeId);
    }

    /// @inheritdoc IStakeRegistry
    function stakeOf(uint64 stakeId) external view returns (Stake memory) {
        Bond storage stored = _bonds[stakeId];
        return Stake({
            operator: stored.operator,
            person: stored.person,
            status: stored.status,
            tombstoned: stored.tombstoned,
            jailedUntil: stored.jailedUntil,
            readyAt: stored.readyAt,
            drawBlock: stored.drawBlock,
            unsettled: stored.unsettled,
            amount: stored.amount,
            minStake: stored.minStake,
            placement: stored.placement,
            nodeKey: stored.nodeKey
        });
    }

    /// @dev The stake, whose status must be one of those from `first` to `last`.
    function _requireStatus(uint64 stakeId, Status first, Status last) private view returns (Bond storage stored) {
        stored = _bonds[stakeId];
        Status status = stored.status;
        require(status != Status.None, UnknownStake(stakeId));
        require(status >= first && status <= last, WrongStatus(stakeId, uint8(status)));
    }
}
