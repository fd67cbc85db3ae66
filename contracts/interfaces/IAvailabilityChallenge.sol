// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFaultVerifier} from "./IFaultVerifier.sol";

interface IAvailabilityChallengeTypes {
    /// @dev `Open` past its deadline is a fault; nothing on chain changes when the deadline passes.
    enum ChallengeStatus {
        None,
        Open,
        Answered,
        Concluded,
        Collected
    }

    /// @dev Packed so that an answer reads three slots and writes two.
    struct Challenge {
        address opener;
        ChallengeStatus status;
        uint8 receiptLeaf;
        uint64 stakeId; // who signed the receipt
        // next slot
        uint96 bondWei;
        uint64 publisherStakeId; // who signed the PUT: the victim
        uint40 openedAt;
        uint40 openedBlock;
        uint8 chunkIndex;
        // next slot
        bytes32 valueRoot; // once answered: answerer 160 | paidWei 96, from the low end
        // next slot
        bytes32 receiptSlot;
        // next slot
        bytes32 entry; // what a later PUT must name to supersede it; zero: nothing can
        // next slot
        uint64 putPosition;
        uint64 putRank;
        uint8 putLeaf;
    }
}

interface IAvailabilityChallengeErrors {
    /// @notice A shown statement is cut off, has a path longer than its kind's, or a body of the wrong length.
    error BadShown(string what, uint256 given, uint256 expected);
    /// @notice The receipt is not for this body of this PUT.
    error ForeignPut(bytes32 putDigest, uint8 putLeaf);
    /// @notice The PUT is another stake's copy of the one that the receipt is for: same words, same position, same digest.
    error ForeignPublisher(uint64 publisherStakeId, uint64 promisedToStakeId);
    /// @notice The receipt's life is over, or it promises more than a receipt may.
    error ReceiptOver(uint64 untilEpoch, uint64 currentEpoch);
    error BeyondSize(uint32 chunkIndex, uint32 size);
    error AlreadyOpen(bytes32 challengeId);
    /// @notice Nobody answered another challenge to this receipt: the promise is broken, and paid for.
    error AlreadyBroken(bytes32 receiptSlot, uint8 receiptLeaf);
    error BondTooSmall(uint256 given, uint256 needed);
    error UnknownChallenge(bytes32 challengeId);
    error NotOpen(bytes32 challengeId);
    error TooLate(bytes32 challengeId, uint256 answerableUntil, uint256 answerableUntilBlock);
    error TooEarly(bytes32 challengeId, uint256 answerableUntil, uint256 answerableUntilBlock);
    error WrongChunk(bytes32 challengeId, bytes32 root, bytes32 valueRoot);
    /// @notice The other PUT is not a later one of the same writer for the same owner or cell entry.
    error NotSuperseded(bytes32 challengeId);
    error NothingToCollect(bytes32 challengeId);
    error NotPaid(address account, uint256 amountWei);
    /// @notice Evidence of silence is judged while its challenge is concluded, and never otherwise: call `conclude`.
    error NotConcluding(bytes32 challengeId);
}

interface IAvailabilityChallengeEvents {
    /// @dev Everything a holder needs to find the bytes, and an indexer to follow the challenge.
    event Opened(
        bytes32 indexed challengeId,
        uint64 indexed stakeId,
        bytes32 indexed recordKey,
        uint64 publisherStakeId,
        bytes32 putDigest,
        uint8 putLeaf,
        bytes32 valueRoot,
        uint32 size,
        uint32 chunkIndex,
        bytes32 receiptSlot,
        uint8 receiptLeaf,
        address opener,
        uint256 bondWei,
        uint256 answerableUntil,
        uint256 answerableUntilBlock
    );
    event Answered(
        bytes32 indexed challengeId,
        uint64 indexed stakeId,
        address answerer,
        bool superseded,
        uint256 paidWei
    );
    event Concluded(bytes32 indexed challengeId, uint64 indexed stakeId, uint256 bondWei);
    event Collected(bytes32 indexed challengeId, address indexed account, uint256 amountWei, uint256 burnedWei);
}

/// @notice "You signed a receipt for this record: show chunk i, or be slashed" (F3). Also the court's verifier of fault
/// type 3: evidence is the 32 bytes of a challenge id, guilty once its deadline passed in silence; the fault's slot is
/// keccak256(receipt slot || receipt leaf), so however many chunks of a receipt go unanswered, it is one fault.
/// @dev A shown statement is packed: signer 20 | kind 1 | scope 32 | position 8 | r 32 | vs 32 | leaf 1 | pathLength 1 |
/// path 32 each | body to the end. Its content is the root that the body's leaf leads to.
/// challengeId = keccak256(abi.encode(receipt slot, receipt leaf, chunkIndex, round)), round: answers of that leaf before it.
interface IAvailabilityChallenge is
    IAvailabilityChallengeTypes,
    IAvailabilityChallengeErrors,
    IAvailabilityChallengeEvents,
    IFaultVerifier
{
    /// @notice Opens a challenge to show chunk `chunkIndex` of what `receipt` promised. Send at least `bondFor`.
    function open(
        bytes calldata receipt,
        bytes calldata put,
        uint32 chunkIndex
    ) external payable returns (bytes32 challengeId);

    /// @notice Shows the chunk. Anyone may; who does is paid from the bond.
    function answer(bytes32 challengeId, bytes calldata chunk, bytes32[] calldata path) external;

    /// @notice Shows a later PUT of the same writer for the same owner or cell entry: the promise ended with it.
    function answerSuperseded(bytes32 challengeId, bytes calldata laterPut) external;

    /// @notice After the deadline: slashes through the court if nobody has yet, gives the victim its share and the
    /// opener its bond back. Anyone may.
    function conclude(bytes32 challengeId) external;

    /// @notice Pays what a challenge that is over leaves: to the answerer its cost, the rest burns; or to the opener its
    /// bond. Anyone may.
    function collect(bytes32 challengeId) external;

    /// @notice Wei that a challenge to this receipt leaf needs, in a block with this base fee.
    function bondFor(
        uint64 stakeId,
        bytes32 receiptSlot,
        uint8 receiptLeaf,
        uint256 baseFeeWei
    ) external view returns (uint256);

    /// @notice Until when it can be answered: while the time or the block is not past these.
    function answerableUntil(bytes32 challengeId) external view returns (uint256 seconds_, uint256 blockNumber);

    /// @notice All zero for an id that was never opened.
    function challengeOf(bytes32 challengeId) external view returns (Challenge memory);

    function openChallengesOf(uint64 stakeId) external view returns (uint256);

    /// @notice The operator the F3 share goes to; zero when the publisher is tombstoned, and the share burns.
    function victimOf(bytes32 challengeId) external view returns (address);
}
