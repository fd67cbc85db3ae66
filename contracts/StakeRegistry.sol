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
    /// @dev What a missed draw costs: 1 % of the stake.
    uint96 private constant MISSED_DRAW_DIVISOR = 100;
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
        require(block.timestamp >= registrationsPausedUntil, RegistrationsPaused(registrationsPausedUntil));
        uint96 minimum = minStake;
        require(amount >= minimum, BelowMinimum(amount, minimum));

        // 2. One stake per operator and person, a fresh key, and the word of both keys.
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        address human = person.person;
        require(stakeOfOperator[msg.sender] == 0, OperatorHasStake(msg.sender, stakeOfOperator[msg.sender]));
        require(stakeOfPerson[human] == 0, PersonHasStake(human, stakeOfPerson[human]));
        address key = _requirePossession(msg.sender, deadline, nodeKey);
        _requireConsent(msg.sender, key, deadline, person);
        require(IPersonVerifier(personVerifier).isPerson(msg.sender, human, person.proof), NotAPerson(human));

        // 3. The stake.
        stakeId = _addStake(amount);
        stakeOfOperator[msg.sender] = stakeId;
        stakeOfPerson[human] = stakeId;
        uint64 drawBlock = uint64(block.number + DRAW_DELAY_BLOCKS);
        uint64 epoch = currentEpoch();
        Bond storage bond = _bonds[stakeId];
        bond.operator = msg.sender;
        bond.drawBlock = drawBlock;
        bond.nodeKey = key;
        bond.minStake = minimum;
        bond.person = human;
        bond.amount = amount;
        bond.status = Status.Pending;
        _beginTenure(key, stakeId, epoch);
        emit Registered(
            stakeId,
            msg.sender,
            key,
            human,
            nodeKey.publicKeyX,
            nodeKey.publicKeyY,
            amount,
            minimum,
            epoch,
            drawBlock
        );

        // 4. The tokens. Anyone may use up a permit first; then the allowance it gave stands.
        if (permit.deadline != 0) {
            try
                IERC20Permit(token).permit(
                    msg.sender,
                    address(this),
                    amount,
                    permit.deadline,
                    permit.v,
                    permit.r,
                    permit.s
                )
            {} catch {}
        }
        _pullTokens(amount);
    }

    /// @inheritdoc IStakeRegistry
    function activate(uint64 stakeId, bytes calldata headerRlp) external {
        Bond storage bond = _requireStatus(stakeId, Status.Pending, Status.Pending);
        bytes32 placement = Placement.draw(stakeId, bond.drawBlock, headerRlp);
        bond.status = Status.Active;
        bond.placement = placement;
        emit Activated(stakeId, placement);
    }

    /// @inheritdoc IStakeRegistry
    function renewDraw(uint64 stakeId) external {
        Bond storage bond = _requireStatus(stakeId, Status.Pending, Status.Pending);
        require(Placement.isMissed(bond.drawBlock), DrawStillPossible(stakeId, bond.drawBlock));
        uint64 drawBlock = uint64(block.number + DRAW_DELAY_BLOCKS);
        uint96 charged = bond.amount / MISSED_DRAW_DIVISOR;
        bond.amount -= charged;
        bond.drawBlock = drawBlock;
        _charge(charged, 0, false);
        emit DrawRenewed(stakeId, drawBlock, charged, bond.amount);
    }

    /// @inheritdoc IStakeRegistry
    function topUp(uint64 stakeId, uint96 amount) external {
        Bond storage bond = _requireStatus(stakeId, Status.Pending, Status.Active);
        uint96 newAmount = bond.amount + amount;
        bond.amount = newAmount;
        _addBond(amount);
        emit ToppedUp(stakeId, msg.sender, amount, newAmount);
        _pullTokens(amount);
    }

    /// @inheritdoc IStakeRegistry
    function rotate(uint64 stakeId, uint256 deadline, NodeKeyProof calldata newKey) external onlyOperator(stakeId) {
        // 1. Who may: one change at a time, so that an epoch has one key.
        Bond storage bond = _requireStatus(stakeId, Status.Pending, Status.Unbonding);
        require(!bond.tombstoned, IsTombstoned(stakeId));
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        address oldKey = bond.nodeKey;
        uint64 began = _tenureBegin(oldKey);
        uint64 epoch = currentEpoch();
        require(began <= epoch, RotationPending(stakeId, began));
        address key = _requirePossession(msg.sender, deadline, newKey);

        // 2. The old tenure ends where the new one begins. Jail and penalties stay on the stake.
        uint64 fromEpoch = epoch + ROTATION_EPOCHS;
        _endTenure(oldKey, fromEpoch);
        _beginTenure(key, stakeId, fromEpoch);
        bond.nodeKey = key;
        emit Rotated(stakeId, oldKey, key, newKey.publicKeyX, newKey.publicKeyY, fromEpoch);
    }

    /// @inheritdoc IStakeRegistry
    function unbond(uint64 stakeId) external onlyOperator(stakeId) {
        Bond storage bond = _requireStatus(stakeId, Status.Pending, Status.Active);
        bond.status = Status.Unbonding;
        bond.readyAt = uint40(block.timestamp + UNBONDING_SECONDS);
        _sums.unbonding += bond.amount;
        emit UnbondingStarted(stakeId, bond.amount, bond.readyAt);
    }

    /// @inheritdoc IStakeRegistry
    function withdraw(uint64 stakeId, address to) external onlyOperator(stakeId) {
        // 1. After its time, and after its faults are settled.
        Bond storage bond = _requireStatus(stakeId, Status.Unbonding, Status.Unbonding);
        require(block.timestamp >= bond.readyAt, NotReady(stakeId, bond.readyAt, block.timestamp));
        require(bond.unsettled == 0, Unsettled(stakeId, bond.unsettled));

        // 2. Operator and person are free again, but never after a tombstone. The key stays taken.
        uint96 amount = bond.amount;
        bond.amount = 0;
        bond.readyAt = 0;
        bond.status = Status.Withdrawn;
        if (!bond.tombstoned) {
            delete stakeOfOperator[bond.operator];
            delete stakeOfPerson[bond.person];
        }
        emit Withdrawn(stakeId, to, amount);
        _payOut(to, amount);
    }

    /// @inheritdoc IStakeRegistry
    function unjail(uint64 stakeId) external onlyOperator(stakeId) {
        Bond storage bond = _requireStatus(stakeId, Status.Pending, Status.Active);
        require(!bond.tombstoned, IsTombstoned(stakeId));
        require(bond.jailedUntil != 0, NotJailed(stakeId));
        require(block.timestamp >= bond.jailedUntil, StillJailed(stakeId, bond.jailedUntil));
        require(bond.amount >= bond.minStake, BelowMinimum(bond.amount, bond.minStake));
        bond.jailedUntil = 0;
        _endPeriod(stakeId);
        emit Unjailed(stakeId);
    }

    /// @inheritdoc IStakeRegistry
    function stakeOf(uint64 stakeId) external view returns (Stake memory) {
        Bond storage bond = _bonds[stakeId];
        return
            Stake({
                operator: bond.operator,
                person: bond.person,
                status: bond.status,
                tombstoned: bond.tombstoned,
                jailedUntil: bond.jailedUntil,
                readyAt: bond.readyAt,
                drawBlock: bond.drawBlock,
                unsettled: bond.unsettled,
                amount: bond.amount,
                minStake: bond.minStake,
                placement: bond.placement,
                nodeKey: bond.nodeKey
            });
    }

    /// @dev The stake, whose status must be one of those from `first` to `last`.
    function _requireStatus(uint64 stakeId, Status first, Status last) private view returns (Bond storage bond) {
        bond = _bonds[stakeId];
        Status status = bond.status;
        require(status != Status.None, UnknownStake(stakeId));
        require(status >= first && status <= last, WrongStatus(stakeId, uint8(status)));
    }
}
