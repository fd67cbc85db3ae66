// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAvailabilityChallenge} from "./interfaces/IAvailabilityChallenge.sol";
import {IFaultCourt} from "./interfaces/IFaultCourt.sol";
import {IFaultVerifier} from "./interfaces/IFaultVerifier.sol";
import {IStakeRegistryTypes, ProtocolParams} from "./interfaces/IStakeRegistry.sol";
import {StatementVerifier} from "./faults/StatementVerifier.sol";
import {Records} from "./libraries/Records.sol";
import {Shown} from "./libraries/Shown.sol";
import {Statements} from "./libraries/Statements.sol";

/// @title "You signed a receipt for this record: show chunk i, or be slashed."
/// @notice Nobody owns it. Money in it is bonds of open challenges and what is left to collect of those that are over.
contract AvailabilityChallenge is IAvailabilityChallenge, StatementVerifier {
    using Statements for bytes;

    uint256 private constant MAX_PUT_PATH = 6;
    uint256 private constant MAX_RECEIPT_PATH = 8;
    uint256 private constant EVIDENCE_BYTES = 32;

    /// @dev What answering a chunk of 1 KiB costs at most, the transaction and all, and collecting what it is paid; tests
    /// hold both. Who answers must not pay for another's doubt, so the bond counts both.
    uint256 private constant ANSWER_GAS = 90_000 + 60_000;
    /// @dev A bond is never worked out from a lower base fee: a chain without fees has bonds too.
    uint256 private constant MIN_FEE_WEI = 1 gwei;
    /// @dev Doublings past this cost more than there is.
    uint256 private constant MAX_DOUBLINGS = 40;
    /// @dev Set in `_answersOf` once nobody answered: one broken promise, one slash, and no more questions. They could not
    /// be lost, and would raise what others must send against that stake for nothing.
    uint256 private constant BROKEN = 1 << 255;

    uint256 private immutable _lifeEpochs;
    uint256 private immutable _responseSeconds;
    uint256 private immutable _responseBlocks;

    /// @inheritdoc IFaultVerifier
    uint8 public constant faultType = 3;

    mapping(bytes32 challengeId => Challenge) private _challenges;

    /// @dev By keccak256(receipt slot || leaf): answers so far, plus one, so that an answer never pays for a fresh slot;
    /// and whether the promise is `BROKEN`.
    mapping(bytes32 faultSlot => uint256) private _answersOf;

    /// @dev By chunk of a receipt leaf: the id of its newest challenge.
    mapping(bytes32 chunk => bytes32) private _newestOf;

    /// @inheritdoc IAvailabilityChallenge
    mapping(uint64 stakeId => uint256) public openChallengesOf;

    /// @dev The challenge that is being concluded: only then is silence evidence.
    bytes32 private transient _concluding;

    constructor(address registry_) StatementVerifier(registry_) {
        ProtocolParams memory p = registry.params();
        _lifeEpochs = p.receiptLifeSeconds / p.epochSeconds;
        _responseSeconds = p.responseSeconds;
        _responseBlocks = p.responseBlocks;
    }

    /// @inheritdoc IAvailabilityChallenge
    function open(
        bytes calldata receipt,
        bytes calldata put,
        uint32 chunkIndex
    ) external payable returns (bytes32 challengeId) {
        // 1. Both statements: signed by stakes whose keys they were, in form. What a node signs always passes here.
        Shown.Part memory putPart = Shown.read(put, MAX_PUT_PATH);
        (uint64 publisherStakeId, bytes32 putDigest) = _requireStatement(putPart, Statements.PUT);
        Shown.Part memory part = Shown.read(receipt, MAX_RECEIPT_PATH);
        (uint64 stakeId, ) = _requireStatement(part, Statements.RECEIPT);

        // 2. They belong together, and the promise still holds.
        Records.Receipt memory body = Records.readReceipt(receipt[part.bodyAt:]);
        Records.Put memory what = Records.readPut(put[putPart.bodyAt:]);
        require(
            body.putDigest == putDigest
                && body.putLeaf == putPart.leaf
                && body.valueRoot == what.valueRoot
                && body.size == what.size,
            ForeignPut(putDigest, putPart.leaf)
        );
        // A digest names no signer: another stake that says the same at the same position has the same one.
        require(body.publisherStakeId == publisherStakeId, ForeignPublisher(publisherStakeId, body.publisherStakeId));
        _requireAlive(body.untilEpoch, part.slot.position);
        require(uint256(chunkIndex) * Records.CHUNK_BYTES < body.size, BeyondSize(chunkIndex, body.size));
        require(chunkIndex <= type(uint8).max, BeyondSize(chunkIndex, body.size));

        // 3. One at a time for a chunk of a receipt leaf.
        bytes32 receiptSlot = receipt.slotHash();
        bytes32 faultSlot = _faultSlot(receiptSlot, part.leaf);
        challengeId = _nextId(receiptSlot, part.leaf, chunkIndex, faultSlot);

        // 4. The bond: all of it is kept, so send no more than is needed.
        uint256 needed = _bondFor(stakeId, faultSlot, block.basefee);
        require(msg.value >= needed && msg.value <= type(uint96).max, BondTooSmall(msg.value, needed));
        if (_answersOf[faultSlot] == 0) _answersOf[faultSlot] = 1;
        openChallengesOf[stakeId] += 1;

        _challenges[challengeId] = Challenge({
            opener: msg.sender,
            status: ChallengeStatus.Open,
            receiptLeaf: part.leaf,
            stakeId: stakeId,
            bondWei: uint96(msg.value),
            publisherStakeId: publisherStakeId,
            openedAt: uint40(block.timestamp),
            openedBlock: uint40(block.number),
            chunkIndex: uint8(chunkIndex),
            valueRoot: what.valueRoot,
            receiptSlot: receiptSlot,
            entry: what.entry,
            putPosition: putPart.slot.position,
            putRank: what.rank,
            putLeaf: putPart.leaf
        });
        _emitOpened(challengeId, body, chunkIndex);
    }

    /// @inheritdoc IAvailabilityChallenge
    function answer(bytes32 challengeId, bytes calldata chunk, bytes32[] calldata path) external {
        Challenge storage challenge = _requireAnswerable(challengeId);
        bytes32 node = Shown.leafHash(chunk);
        uint256 index = challenge.chunkIndex;
        for (uint256 level = 0; level < path.length; ++level) {
            node = (index >> level) & 1 == 0 ? Shown.nodeHash(node, path[level]) : Shown.nodeHash(path[level], node);
        }
        // A chunk shown under another index would need a path whose bits are not its own.
        bool isWhole = path.length <= MAX_RECEIPT_PATH && index >> path.length == 0;
        require(isWhole && node == challenge.valueRoot, WrongChunk(challengeId, node, challenge.valueRoot));
        _settleAnswered(challengeId, challenge, false);
    }

    /// @inheritdoc IAvailabilityChallenge
    function answerSuperseded(bytes32 challengeId, bytes calldata laterPut) external {
        Challenge storage challenge = _requireAnswerable(challengeId);
        Shown.Part memory part = Shown.read(laterPut, MAX_PUT_PATH);
        (uint64 stakeId, ) = _requireStatement(part, Statements.PUT);
        Records.Put memory what = Records.readPut(laterPut[part.bodyAt:]);
        require(
            challenge.entry != 0
                && stakeId == challenge.publisherStakeId
                && what.entry == challenge.entry
                && _isLater(what.rank, part.slot.position, part.leaf, challenge),
            NotSuperseded(challengeId)
        );
        _settleAnswered(challengeId, challenge, true);
    }

    /// @inheritdoc IAvailabilityChallenge
    function conclude(bytes32 challengeId) external {
        // 1. Over, and silent.
        Challenge storage challenge = _requireOpen(challengeId);
        (uint256 until, uint256 untilBlock) = _answerableUntil(challenge);
        require(block.timestamp > until && block.number > untilBlock, TooEarly(challengeId, until, untilBlock));
        challenge.status = ChallengeStatus.Concluded;
        openChallengesOf[challenge.stakeId] -= 1;
        emit Concluded(challengeId, challenge.stakeId, challenge.bondWei);

        // 2. Another chunk of the same receipt may have cost the replica already: one broken promise, one slash.
        bytes32 faultSlot = _faultSlot(challenge.receiptSlot, challenge.receiptLeaf);
        uint256 answers = _answersOf[faultSlot];
        if (answers >= BROKEN) return;
        _answersOf[faultSlot] = answers | BROKEN;
        IFaultCourt court = IFaultCourt(registry.court());
        _concluding = challengeId;
        bytes32 faultId = court.submit(faultType, abi.encodePacked(challengeId));
        _concluding = 0;
        court.awardVictim(faultId, victimOf(challengeId));
    }

    /// @inheritdoc IAvailabilityChallenge
    function collect(bytes32 challengeId) external {
        Challenge storage challenge = _challenges[challengeId];
        ChallengeStatus status = challenge.status;
        uint256 bond = challenge.bondWei;
        address account = challenge.opener;
        uint256 amount = bond;
        if (status == ChallengeStatus.Answered) {
            uint256 packed = uint256(challenge.valueRoot);
            account = address(uint160(packed));
            amount = packed >> 160;
        } else {
            require(status == ChallengeStatus.Concluded, NothingToCollect(challengeId));
        }
        challenge.status = ChallengeStatus.Collected;
        emit Collected(challengeId, account, amount, bond - amount);
        _pay(account, amount);
        _pay(address(0), bond - amount);
    }

    /// @inheritdoc IFaultVerifier
    function verify(bytes calldata evidence, uint256) external view returns (uint64 stakeId, bytes32 slot) {
        _requireLength(evidence);
        bytes32 challengeId = evidence.wordAt(0);
        require(challengeId != 0 && challengeId == _concluding, NotConcluding(challengeId));
        return _accusedBy(challengeId);
    }

    /// @inheritdoc IFaultVerifier
    function accused(
        bytes calldata evidence
    ) external view override(StatementVerifier, IFaultVerifier) returns (uint64 stakeId, bytes32 slot) {
        _requireLength(evidence);
        return _accusedBy(evidence.wordAt(0));
    }

    /// @inheritdoc IAvailabilityChallenge
    function bondFor(
        uint64 stakeId,
        bytes32 receiptSlot,
        uint8 receiptLeaf,
        uint256 baseFeeWei
    ) external view returns (uint256) {
        return _bondFor(stakeId, _faultSlot(receiptSlot, receiptLeaf), baseFeeWei);
    }

    /// @inheritdoc IAvailabilityChallenge
    function answerableUntil(bytes32 challengeId) external view returns (uint256 seconds_, uint256 blockNumber) {
        return _answerableUntil(_challenges[challengeId]);
    }

    /// @inheritdoc IAvailabilityChallenge
    function challengeOf(bytes32 challengeId) external view returns (Challenge memory) {
        return _challenges[challengeId];
    }

    /// @inheritdoc IAvailabilityChallenge
    function victimOf(bytes32 challengeId) public view returns (address) {
        IStakeRegistryTypes.Stake memory publisher = registry.stakeOf(_challenges[challengeId].publisherStakeId);
        return publisher.tombstoned ? address(0) : publisher.operator;
    }

    function _requireLength(bytes calldata evidence) internal pure override {
        require(evidence.length == EVIDENCE_BYTES, EvidenceLength(evidence.length, EVIDENCE_BYTES));
    }

    /// @dev Signed, in form, and by a key that was its stake's.
    function _requireStatement(
        Shown.Part memory part,
        uint8 kind
    ) private view returns (uint64 stakeId, bytes32 digest) {
        require(part.slot.kind == kind, VoidStatement(part.slot.kind, part.slot.scope));
        stakeId = _stakeBehind(part.slot, block.timestamp);
        bytes32 separator = _domainSeparator();
        _requireSigned(separator, part.slot, part.content, part.r, part.vs);
        digest = Statements.digest(separator, part.slot, part.content);
    }

    /// @dev A receipt promises at most one life from its own epoch on, whatever it says.
    function _requireAlive(uint64 untilEpoch, uint64 position) private view {
        uint256 longest = uint256(Statements.epochOf(position)) + _lifeEpochs;
        uint256 until = untilEpoch < longest ? untilEpoch : longest;
        uint256 epoch = block.timestamp / _epochSeconds;
        require(epoch <= until, ReceiptOver(uint64(until), uint64(epoch)));
    }

    function _nextId(
        bytes32 receiptSlot,
        uint8 leaf,
        uint32 chunkIndex,
        bytes32 faultSlot
    ) private returns (bytes32 challengeId) {
        uint256 answers = _answersOf[faultSlot];
        require(answers < BROKEN, AlreadyBroken(receiptSlot, leaf));
        bytes32 chunk = keccak256(abi.encode(faultSlot, chunkIndex));
        bytes32 newest = _newestOf[chunk];
        require(_challenges[newest].status != ChallengeStatus.Open, AlreadyOpen(newest));
        // Whatever was asked before was answered, which began another round.
        challengeId = keccak256(abi.encode(receiptSlot, leaf, chunkIndex, answers));
        _newestOf[chunk] = challengeId;
    }

    function _requireOpen(bytes32 challengeId) private view returns (Challenge storage challenge) {
        challenge = _challenges[challengeId];
        ChallengeStatus status = challenge.status;
        require(status != ChallengeStatus.None, UnknownChallenge(challengeId));
        require(status == ChallengeStatus.Open, NotOpen(challengeId));
    }

    function _requireAnswerable(bytes32 challengeId) private view returns (Challenge storage challenge) {
        challenge = _requireOpen(challengeId);
        (uint256 until, uint256 untilBlock) = _answerableUntil(challenge);
        require(block.timestamp <= until || block.number <= untilBlock, TooLate(challengeId, until, untilBlock));
    }

    function _answerableUntil(Challenge storage challenge) private view returns (uint256, uint256) {
        return (challenge.openedAt + _responseSeconds, challenge.openedBlock + _responseBlocks);
    }

    /// @dev Notes who is to be paid what, in the place of the root that nobody needs any more.
    function _settleAnswered(bytes32 challengeId, Challenge storage challenge, bool superseded) private {
        uint64 stakeId = challenge.stakeId;
        uint256 bond = challenge.bondWei;
        uint256 fee = block.basefee > MIN_FEE_WEI ? block.basefee : MIN_FEE_WEI;
        // Five quarters: a priority fee must be paid too.
        uint256 due = (ANSWER_GAS * fee * 5) / 4;
        uint256 paid = due < bond ? due : bond;
        challenge.status = ChallengeStatus.Answered;
        challenge.valueRoot = bytes32(uint256(uint160(msg.sender)) | (paid << 160));
        _answersOf[_faultSlot(challenge.receiptSlot, challenge.receiptLeaf)] += 1;
        openChallengesOf[stakeId] -= 1;
        emit Answered(challengeId, stakeId, msg.sender, superseded, paid);
    }

    function _isLater(
        uint64 rank,
        uint64 position,
        uint8 leaf,
        Challenge storage challenge
    ) private view returns (bool) {
        if (rank != challenge.putRank) return rank > challenge.putRank;
        if (position != challenge.putPosition) return position > challenge.putPosition;
        return leaf > challenge.putLeaf;
    }

    function _bondFor(uint64 stakeId, bytes32 faultSlot, uint256 baseFeeWei) private view returns (uint256) {
        uint256 answers = _answersOf[faultSlot] & ~BROKEN;
        uint256 doublings = openChallengesOf[stakeId] + (answers == 0 ? 0 : answers - 1);
        if (doublings > MAX_DOUBLINGS) doublings = MAX_DOUBLINGS;
        uint256 fee = baseFeeWei > MIN_FEE_WEI ? baseFeeWei : MIN_FEE_WEI;
        return (2 * ANSWER_GAS * fee) << doublings;
    }

    function _accusedBy(bytes32 challengeId) private view returns (uint64, bytes32) {
        Challenge storage challenge = _challenges[challengeId];
        return (challenge.stakeId, _faultSlot(challenge.receiptSlot, challenge.receiptLeaf));
    }

    /// @dev One receipt leaf, one promise, one fault.
    function _faultSlot(bytes32 receiptSlot, uint8 leaf) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(receiptSlot, leaf));
    }

    function _pay(address account, uint256 amount) private {
        if (amount == 0) return;
        (bool isPaid, ) = account.call{value: amount}("");
        require(isPaid, NotPaid(account, amount));
    }

    function _emitOpened(bytes32 challengeId, Records.Receipt memory body, uint32 chunkIndex) private {
        Challenge storage challenge = _challenges[challengeId];
        (uint256 until, uint256 untilBlock) = _answerableUntil(challenge);
        emit Opened(
            challengeId,
            challenge.stakeId,
            body.recordKey,
            challenge.publisherStakeId,
            body.putDigest,
            body.putLeaf,
            body.valueRoot,
            body.size,
            chunkIndex,
            challenge.receiptSlot,
            challenge.receiptLeaf,
            challenge.opener,
            challenge.bondWei,
            until,
            untilBlock
        );
    }
}
