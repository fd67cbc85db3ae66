// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What decides validity; immutable. Times in seconds, `Limit`s per key and epoch.
struct ProtocolParams {
    uint32 epochSeconds;
    uint32 putLimit;
    uint32 gossipLimit;
    uint32 receiptLimit;
    uint32 receiptLifeSeconds;
    uint32 responseSeconds;
    uint32 responseBlocks;
    uint32 evidenceWindowSeconds;
    uint32 skewSeconds;
    uint32 unbondingSeconds;
    uint32 rewardWindowSeconds;
    uint32 jailSeconds;
    uint32 correlationSeconds;
    uint32 drawDelayBlocks;
}

interface IStakeRegistryTypes {
    /// @dev Pending: registered, placement not drawn. An exit is Unbonding, then Withdrawn.
    enum Status {
        None,
        Pending,
        Active,
        Unbonding,
        Withdrawn
    }

    struct Stake {
        address operator;
        address person;
        Status status;
        bool tombstoned;
        uint64 jailedUntil; // not 0: jailed until somebody calls `unjail` at or after this time
        uint64 readyAt; // not 0: unbonding, withdrawable from this time
        uint64 drawBlock; // its RANDAO mix decides the placement
        uint32 unsettled; // faults whose correlated part is not settled
        uint96 amount; // bonded or unbonding, all of it slashable
        uint96 minStake; // the minimum it registered under
        bytes32 placement;
        address nodeKey; // newest key, maybe of a tenure that begins two epochs ahead
    }

    /// @dev Tenure: fromEpoch <= epoch < untilEpoch; untilEpoch is 0 for the newest key.
    struct KeyRecord {
        uint64 stakeId;
        uint64 fromEpoch;
        uint64 untilEpoch;
    }

    /// @dev What is remembered of a fault.
    struct Fault {
        uint64 stakeId;
        uint64 slashedBlock;
        uint64 slashedAt; // unix seconds
        uint96 escrowed; // 0 once released
        bool released;
    }

    /// @dev `publicKeyX`, `publicKeyY`: the point of the key, checked against its address. Signatures: r, s, v packed (65 bytes).
    struct NodeKeyProof {
        bytes32 publicKeyX;
        bytes32 publicKeyY;
        bytes signature;
    }

    struct PersonProof {
        address person;
        bytes signature;
        bytes proof; // for the IPersonVerifier
    }

    /// @dev `deadline` 0: no permit, an allowance must stand.
    struct Permit {
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }
}

interface IStakeRegistryErrors {
    error BadParams(string what, uint256 value, uint256 limit);
    error RegistrationsPaused(uint256 until);
    error PauseTooLong(uint256 given, uint256 limit);
    error PauseTooSoon(uint256 nextAllowedAt);
    error BelowMinimum(uint256 amount, uint256 minimum);
    error DeadlinePassed(uint256 deadline, uint256 nowSeconds);
    error OperatorHasStake(address operator, uint64 stakeId);
    error PersonHasStake(address person, uint64 stakeId);
    error KeyTaken(address key, uint64 stakeId);
    /// @notice The signature is not one by the key at this point (x, y), whose address is `key`.
    error BadPossessionSignature(address key);
    error BadPersonSignature(address person);
    error NotAPerson(address person);
    error UnknownStake(uint64 stakeId);
    error NotOperator(uint64 stakeId, address caller);
    error NotCourt(address caller);
    error WrongStatus(uint64 stakeId, uint8 status);
    error IsTombstoned(uint64 stakeId);
    error NotJailed(uint64 stakeId);
    error StillJailed(uint64 stakeId, uint256 until);
    error NotReady(uint64 stakeId, uint256 readyAt, uint256 nowSeconds);
    error Unsettled(uint64 stakeId, uint256 faults);
    error RotationPending(uint64 stakeId, uint256 fromEpoch);
    error HeaderTooLong(uint256 given, uint256 limit);
    error WrongHeader(uint256 given, uint256 wanted);
    error HeaderHashMismatch(uint256 blockNumber, bytes32 hash);
    error DrawStillPossible(uint64 stakeId, uint256 drawBlock);
    error NothingToWithdraw(address account);
    error NothingToBurn();
    error UnknownFault(bytes32 faultId);
    error AlreadySettled(bytes32 faultId);
    error SettlementTooEarly(bytes32 faultId, uint256 settleableAt, uint256 nowSeconds);
}

/// @notice From these events alone an indexer rebuilds all state.
interface IStakeRegistryEvents {
    event Registered(
        uint64 indexed stakeId,
        address indexed operator,
        address indexed nodeKey,
        address person,
        bytes32 publicKeyX,
        bytes32 publicKeyY,
        uint256 amount,
        uint256 minStake,
        uint64 fromEpoch,
        uint64 drawBlock
    );
    event Activated(uint64 indexed stakeId, bytes32 placement);
    event DrawRenewed(uint64 indexed stakeId, uint64 drawBlock, uint256 charged, uint256 newAmount);
    event ToppedUp(uint64 indexed stakeId, address indexed from, uint256 added, uint256 newAmount);
    /// @dev The old key's tenure ends and the new one's begins at `fromEpoch`.
    event Rotated(
        uint64 indexed stakeId,
        address indexed oldKey,
        address indexed newKey,
        bytes32 publicKeyX,
        bytes32 publicKeyY,
        uint64 fromEpoch
    );
    event UnbondingStarted(uint64 indexed stakeId, uint256 amount, uint64 readyAt);
    event Withdrawn(uint64 indexed stakeId, address indexed to, uint256 amount);
    event Unjailed(uint64 indexed stakeId);
    /// @dev `jailedUntil` 0 when the fault tombstones instead.
    event Slashed(
        uint64 indexed stakeId,
        bytes32 indexed faultId,
        uint256 charged,
        uint256 newAmount,
        uint64 jailedUntil,
        bool tombstoned
    );
    event Settled(uint64 indexed stakeId, bytes32 indexed faultId, uint256 charged, uint256 newAmount);
    event EscrowReleased(bytes32 indexed faultId, address indexed to, uint256 paid, uint256 burnable);
    event Credited(address indexed account, uint256 amount);
    event CreditsWithdrawn(address indexed account, address indexed to, uint256 amount);
    event Burned(uint256 amount);
    event MinStakeChanged(uint256 minStake);
    event PersonVerifierChanged(address verifier);
    event RegistrationsPausedUntil(uint256 until);
}

/// @notice Holds every stake. All that is bonded or unbonding is slashable to the last second.
/// Token balance = bonded + unbonding + credits + escrow + burnable, always.
interface IStakeRegistry is IStakeRegistryTypes, IStakeRegistryErrors, IStakeRegistryEvents {
    // --- life of a stake: actions -------------------------------------------------------------

    /// @notice Bonds `amount` of the caller, who becomes the operator, behind a new node key.
    /// Both signatures are EIP-712 over (operator, nodeKey, registry, deadline): `KeyPossession` by the node key and
    /// `PersonConsent` by the person key, so a copied pending transaction registers nothing.
    function register(
        uint96 amount,
        uint256 deadline,
        NodeKeyProof calldata nodeKey,
        PersonProof calldata person,
        Permit calldata permit
    ) external returns (uint64 stakeId);

    /// @notice Draws the placement: keccak256(abi.encode(RANDAO mix of the draw block, stake id)). Anyone may, any time.
    function activate(uint64 stakeId, bytes calldata headerRlp) external;

    /// @notice Sets a missed draw anew. Anyone may; costs the stake 1 %, which burns.
    function renewDraw(uint64 stakeId) external;

    /// @notice Adds the caller's tokens to a stake of any status before unbonding.
    function topUp(uint64 stakeId, uint96 amount) external;

    /// @notice Replaces the node key two epochs ahead. Operator only.
    function rotate(uint64 stakeId, uint256 deadline, NodeKeyProof calldata newKey) external;

    /// @notice Begins the only exit, of the whole stake. Operator only.
    function unbond(uint64 stakeId) external;

    /// @notice Pays an unbonded, settled stake out to `to`. Operator only.
    function withdraw(uint64 stakeId, address to) external;

    /// @notice Ends a jail that has run its time. Operator only; the bond must be back at its registered minimum.
    function unjail(uint64 stakeId) external;

    /// @notice Charges the correlated part of a fault: base x 3 x share, burned whole. Anyone may, once its window has passed.
    function settle(bytes32 faultId) external;

    function withdrawCredits(address to) external;

    /// @notice Burns all that is burnable: what was slashed and not rewarded, and tokens sent here by mistake. Anyone may.
    function burn() external;

    // --- court only ---------------------------------------------------------------------------

    /// @notice Charges a proven fault once. For a known stake only a repeat reverts, whatever its status and amount.
    /// @param penaltyBps base penalty of what the stake had when its penalty period began
    /// @param rewardBps part of what is charged that goes to escrow; the rest becomes burnable
    /// @return charged what was newly taken: the period's largest penalty less what it was charged before
    /// @return escrowed the part of it held for the reporter
    function slash(
        uint64 stakeId,
        bytes32 faultId,
        uint16 penaltyBps,
        uint16 rewardBps,
        bool tombstone
    ) external returns (uint96 charged, uint96 escrowed);

    /// @notice Pays a fault's escrow to `to` as credits; to the zero address: makes it burnable. Once.
    function releaseEscrow(bytes32 faultId, address to) external returns (uint96 amount);

    // --- owner only, behind a timelock --------------------------------------------------------

    /// @notice For new registrations only.
    function setMinStake(uint96 minStake) external;

    function setPersonVerifier(address verifier) external;

    /// @notice Pauses new registrations for at most 7 days; the next pause can begin 7 days after one ended.
    function pauseRegistrations(uint32 forSeconds) external;

    // --- views --------------------------------------------------------------------------------

    function token() external view returns (address);

    function court() external view returns (address);

    function params() external view returns (ProtocolParams memory);

    /// @notice keccak256(coordinator namehash, prevrandao, timestamp, parent hash) at deployment.
    function salt() external view returns (bytes32);

    function coordinatorNode() external view returns (bytes32);

    function domainSeparator() external view returns (bytes32);

    function minStake() external view returns (uint96);

    function personVerifier() external view returns (address);

    function registrationsPausedUntil() external view returns (uint64);

    /// @notice Ids run from 1 to `stakeCount`.
    function stakeCount() external view returns (uint64);

    function stakeOf(uint64 stakeId) external view returns (Stake memory);

    function keyRecord(address key) external view returns (KeyRecord memory);

    /// @notice 0 when the operator has none that binds it.
    function stakeOfOperator(address operator) external view returns (uint64);

    function stakeOfPerson(address person) external view returns (uint64);

    /// @notice Where the registry's tokens stand. `burnable` is what nobody has a claim on, tokens sent here by mistake included.
    function totals()
        external
        view
        returns (uint256 bonded, uint256 unbonding, uint256 credits, uint256 escrow, uint256 burnable);

    function creditsOf(address account) external view returns (uint256);

    /// @notice All zero for a fault that was not proven.
    function faultOf(bytes32 faultId) external view returns (Fault memory);

    /// @notice Unix seconds from which `settle` works; 0 when nothing is left to settle.
    function settleableAt(bytes32 faultId) external view returns (uint256);

    function currentEpoch() external view returns (uint64);
}
