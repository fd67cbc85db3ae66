// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAvailabilityChallengeTypes} from "../interfaces/IAvailabilityChallenge.sol";
import {World} from "./World.t.sol";

/// @notice Plays random promises and challenges against the real contracts and keeps its own naive books beside them.
/// `broken` names the first promise it saw broken.
contract ChallengeHandler is World, IAvailabilityChallengeTypes {
    uint256 private constant WRITERS = 2; // persons 1 and 2
    uint256 private constant REPLICAS = 3; // persons 3 to 5
    uint256 private constant PEOPLE = 3; // who opens, answers and collects
    uint32 private constant SIZE = 3500; // four chunks, the last one short
    uint256 private constant CHUNKS = 4;
    uint64 private constant LIFE = 60; // epochs
    uint256 private constant UNIT = 150_000 * 1 gwei; // an answer and its collection at the lowest fee

    struct Promised {
        bytes receipt;
        bytes put;
        bytes32 name;
        uint256 writer; // a person
        uint256 replica; // a person
        uint32 index; // of the PUT in its epoch
        uint64 putEpoch;
        uint64 until;
        bytes32 slot;
        bytes32 faultId;
        uint256 answers;
        bool slashed;
    }

    struct Case {
        bytes32 id;
        uint256 promised;
        uint32 chunk;
        uint256 bond;
        uint256 until;
        uint256 untilBlock;
        address opener;
        address answerer;
        ChallengeStatus status;
    }

    string public broken;
    uint256 private time;
    uint256 private blockNumber;
    uint32 private nextIndex;

    Promised[] private promises;
    Case[] private cases;
    bytes32[4] private leaves;
    bytes32 private root;

    mapping(uint256 person => uint256) private openOf;
    mapping(uint256 person => uint256) private owedToVictim;
    mapping(uint256 person => bool) private tombstoned;
    /// @dev By receipt and chunk: a case is open, or was never answered.
    mapping(bytes32 chunk => bool) private taken;

    // What the run reached.
    uint256 public opened;
    uint256 public refusedOpens;
    uint256 public answered;
    uint256 public superseded;
    uint256 public lateAnswers;
    uint256 public slashes;
    uint256 public secondSilences;
    uint256 public collected;
    uint256 public tombstones;

    constructor() {
        setUp();
    }

    receive() external payable {}

    /// @dev Once: a campaign calls whatever is public.
    function setUp() public override {
        if (address(registry) != address(0)) return;
        super.setUp();
        for (uint256 n = 1; n <= WRITERS + REPLICAS; ++n) _active(n);
        for (uint256 i = 0; i < CHUNKS; ++i) leaves[i] = keccak256(abi.encodePacked(uint8(0), _chunk(i)));
        root = _node(_node(leaves[0], leaves[1]), _node(leaves[2], leaves[3]));
        time = _now();
        blockNumber = vm.getBlockNumber();
    }

    function step(uint256 seed) external {
        vm.warp(time);
        vm.roll(blockNumber);
        uint256 action = seed % 16;
        seed = uint256(keccak256(abi.encode(seed)));
        if (action < 2 || promises.length == 0) _promise(seed);
        else if (action < 6 || cases.length == 0) _tryOpen(seed);
        else if (action < 8) _tryAnswer(seed);
        else if (action == 8) _tryWrongAnswer(seed);
        else if (action == 9) _trySuperseded(seed);
        else if (action < 12) _tryConclude(seed);
        else if (action == 12) _tryCollect(seed);
        else if (action == 13) _tryShortcuts(seed);
        else _passTime(seed);
    }

    // --- what is done ----------------------------------------------------------------------------

    function _promise(uint256 seed) private {
        uint256 writer = 1 + (seed % WRITERS);
        if (tombstoned[writer] && seed % 3 != 0) writer = 3 - writer;
        uint256 replica = 1 + WRITERS + ((seed >> 8) % REPLICAS);
        // Rarely the publisher is the replica itself.
        if ((seed >> 16) % 16 == 0) writer = replica;
        bytes32 name = bytes32((seed >> 24) % 3);
        uint32 index = nextIndex++;
        uint64 epoch = registry.currentEpoch();
        bytes memory putBody = _putBody(name, epoch);
        bytes memory put = _shown(nodeKeyOf(writer), 1, _position(index), putBody);
        bytes32 digest = _statementDigest(1, _position(index), _rootOf(putBody, 0, new bytes32[](0)));
        bytes memory body = abi.encodePacked(
            digest,
            uint8(0),
            keccak256("key"),
            root,
            SIZE,
            epoch + LIFE,
            uint64(writer)
        );
        bytes memory receipt = _shown(nodeKeyOf(replica), 3, _position(index), body);
        bytes32 slot = keccak256(abi.encodePacked(vm.addr(nodeKeyOf(replica)), uint8(3), bytes32(0), _position(index)));
        bytes32 faultId = court.faultIdOf(3, uint64(replica), keccak256(abi.encodePacked(slot, uint8(0))));
        promises.push(
            Promised(receipt, put, name, writer, replica, index, epoch, epoch + LIFE, slot, faultId, 0, false)
        );
    }

    function _tryOpen(uint256 seed) private {
        uint256 which = _pick(seed, promises.length);
        Promised storage promised = promises[which];
        uint32 chunk = uint32((seed >> 64) % (CHUNKS + 2));
        uint256 doublings = openOf[promised.replica] + promised.answers;
        uint256 needed = (2 * UNIT) << (doublings > 40 ? 40 : doublings);
        if (needed > 1e27) return;
        uint256 given = (seed >> 96) % 4 == 0 ? needed - 1 : needed + ((seed >> 96) % 3);
        address opener = _person(seed >> 128);
        bytes32 chunkKey = keccak256(abi.encode(which, chunk));
        bool isCopy = (seed >> 160) % 8 == 0;
        bytes memory put = isCopy ? _copyOf(promised) : promised.put;
        bool isDue =
            registry.currentEpoch() <= promised.until
                && chunk < CHUNKS
                && !taken[chunkKey]
                && !promised.slashed
                && given >= needed
                && !isCopy;
        vm.deal(opener, given);
        vm.prank(opener);
        try challenges.open{value: given}(promised.receipt, put, chunk) returns (bytes32 id) {
            if (!isDue) return _break("a challenge was opened that must not be");
            taken[chunkKey] = true;
            openOf[promised.replica] += 1;
            (uint256 until, uint256 untilBlock) = challenges.answerableUntil(id);
            if (until != _now() + 30 || untilBlock != vm.getBlockNumber() + 10) _break("a window of another length");
            for (uint256 i = 0; i < cases.length; ++i) if (cases[i].id == id) _break("an id was used twice");
            cases.push(Case(id, which, chunk, given, until, untilBlock, opener, address(0), ChallengeStatus.Open));
            opened++;
        } catch {
            if (isDue) _break("a challenge was refused that is due");
            refusedOpens++;
        }
    }

    function _tryAnswer(uint256 seed) private {
        Case storage case_ = cases[_pick(seed, cases.length)];
        if ((seed >> 248) % 4 == 0) _toTheEdge(case_, seed);
        bool mayAnswer = case_.status == ChallengeStatus.Open && !_isOver(case_);
        address answerer = _person(seed >> 32);
        (bytes memory chunk, bytes32[] memory path) = (_chunk(case_.chunk), _path(case_.chunk));
        vm.prank(answerer);
        try challenges.answer(case_.id, chunk, path) {
            if (!mayAnswer) return _break("an answer was taken that comes too late or twice");
            _settleAnswered(case_, answerer);
            answered++;
        } catch {
            if (mayAnswer) _break("a true answer was refused");
            if (case_.status == ChallengeStatus.Open) lateAnswers++;
        }
    }

    function _tryWrongAnswer(uint256 seed) private {
        Case storage case_ = cases[_pick(seed, cases.length)];
        uint256 shown = (seed >> 32) % CHUNKS;
        bytes memory chunk = _chunk(shown);
        bytes32[] memory path = _path(shown);
        if (shown == case_.chunk) {
            if (seed % 2 == 0) chunk[(seed >> 64) % chunk.length] ^= 0x01;
            else path[(seed >> 64) % 2] ^= bytes32(uint256(1) << ((seed >> 96) % 256));
        }
        try challenges.answer(case_.id, chunk, path) {
            _break("a wrong chunk was taken for an answer");
        } catch {}
    }

    function _trySuperseded(uint256 seed) private {
        Case storage case_ = cases[_pick(seed, cases.length)];
        Promised storage promised = promises[case_.promised];
        bool isLater = (seed >> 32) % 2 == 0;
        bool isSameName = (seed >> 40) % 4 != 0;
        bool isSameWriter = (seed >> 48) % 4 != 0;
        uint256 writer = isSameWriter ? promised.writer : (promised.writer % WRITERS) + 1;
        uint64 position =
            isLater
                ? _position(nextIndex++)
                : (promised.putEpoch << 32) | (promised.index - uint32(seed % 2 == 0 && promised.index > 0 ? 1 : 0));
        bytes32 name = isSameName ? promised.name : bytes32(uint256(promised.name) + 1);
        bytes memory later = _shown(nodeKeyOf(writer), 1, position, _putBody(name, registry.currentEpoch()));
        bool mayAnswer =
            case_.status == ChallengeStatus.Open
                && !_isOver(case_)
                && isLater
                && isSameName
                && writer == promised.writer;
        address answerer = _person(seed >> 128);
        vm.prank(answerer);
        try challenges.answerSuperseded(case_.id, later) {
            if (!mayAnswer) return _break("a PUT that supersedes nothing was taken for an answer");
            _settleAnswered(case_, answerer);
            superseded++;
        } catch {
            if (mayAnswer) _break("a later PUT was refused");
        }
    }

    function _tryConclude(uint256 seed) private {
        Case storage case_ = cases[_pick(seed, cases.length)];
        if ((seed >> 248) % 2 == 0) _toTheEdge(case_, seed);
        Promised storage promised = promises[case_.promised];
        bool mayConclude = case_.status == ChallengeStatus.Open && _isOver(case_);
        uint96 before = registry.stakeOf(uint64(promised.replica)).amount;
        vm.prank(_person(seed >> 64));
        try challenges.conclude(case_.id) {
            if (!mayConclude) return _break("a challenge was concluded that is not over, or not open");
            case_.status = ChallengeStatus.Concluded;
            openOf[promised.replica] -= 1;
            uint96 charged = before - registry.stakeOf(uint64(promised.replica)).amount;
            if (promised.slashed) {
                if (charged != 0) _break("one promise was charged twice");
                secondSilences++;
                return;
            }
            promised.slashed = true;
            slashes++;
            if (charged > MIN_STAKE / 10) _break("more than the penalty was charged");
            if (!tombstoned[promised.writer]) owedToVictim[promised.writer] += charged / 10;
        } catch {
            if (mayConclude) _break("a silent challenge could not be concluded");
        }
    }

    function _tryCollect(uint256 seed) private {
        Case storage case_ = cases[_pick(seed, cases.length)];
        bool isAnswered = case_.status == ChallengeStatus.Answered;
        bool mayCollect = isAnswered || case_.status == ChallengeStatus.Concluded;
        address account = isAnswered ? case_.answerer : case_.opener;
        uint256 cost = (UNIT * 5) / 4;
        uint256 wanted = isAnswered && cost < case_.bond ? cost : case_.bond;
        uint256 before = account.balance;
        uint256 burnt = address(0).balance;
        try challenges.collect(case_.id) {
            if (!mayCollect) return _break("something was collected twice, or before its time");
            case_.status = ChallengeStatus.Collected;
            if (account.balance - before != wanted) _break("another sum was paid than is due");
            if (address(0).balance - burnt != case_.bond - wanted) _break("another sum burnt than the rest");
            collected++;
        } catch {
            if (mayCollect) _break("money is stuck");
        }
    }

    /// @dev Ways around `conclude`, and what happens beside challenges: none may slash for silence.
    function _tryShortcuts(uint256 seed) private {
        Case storage case_ = cases[_pick(seed, cases.length)];
        try court.submit(3, abi.encodePacked(case_.id)) {
            _break("silence was judged outside of a conclusion");
        } catch {}
        try court.awardVictim(promises[case_.promised].faultId, address(this)) {
            _break("a stranger awarded a victim's share");
        } catch {}
        if ((seed >> 64) % 8 != 0) return;
        uint256 writer = 1 + ((seed >> 72) % WRITERS);
        if (tombstoned[writer] || tombstones != 0) return;
        court.submit(1, _lie(nodeKeyOf(writer), nextIndex++));
        tombstoned[writer] = true;
        tombstones++;
    }

    function _passTime(uint256 seed) private {
        time += seed % 5 == 0 ? seed % 200 : seed % 12;
        blockNumber += 1 + ((seed >> 32) % 4);
    }

    /// @dev To the last second or block in which a case can be answered, or one past it.
    function _toTheEdge(Case storage case_, uint256 seed) private {
        uint256 second = case_.until + ((seed >> 200) % 2);
        uint256 number = case_.untilBlock + ((seed >> 201) % 2);
        if (second > time) time = second;
        if (number > blockNumber) blockNumber = number;
        vm.warp(time);
        vm.roll(blockNumber);
    }

    // --- what must hold --------------------------------------------------------------------------

    function check() external view returns (string memory) {
        uint256 owed;
        uint256[] memory open = new uint256[](WRITERS + REPLICAS + 1);
        for (uint256 i = 0; i < cases.length; ++i) {
            Case storage case_ = cases[i];
            if (case_.status != ChallengeStatus.Collected) owed += case_.bond;
            if (case_.status == ChallengeStatus.Open) open[promises[case_.promised].replica] += 1;
            if (challenges.challengeOf(case_.id).status != case_.status) return "a status that nothing led to";
        }
        if (address(challenges).balance != owed) return "what is held is not what is owed";
        for (uint256 n = 1; n <= WRITERS + REPLICAS; ++n) {
            if (challenges.openChallengesOf(uint64(n)) != open[n]) return "open challenges are counted wrong";
            if (registry.creditsOf(operatorOf(n)) != owedToVictim[n]) return "a victim's share is not what is due";
        }
        for (uint256 i = 0; i < promises.length; ++i) {
            bool isSlashed = court.faultOf(promises[i].faultId).slashedBlock != 0;
            if (isSlashed != promises[i].slashed) return "a promise was slashed that was not broken, or the reverse";
        }
        (uint256 bonded, uint256 unbonding, uint256 credits, uint256 escrow, uint256 burnable) = registry.totals();
        if (bonded + unbonding + credits + escrow + burnable != token.balanceOf(address(registry))) return "books";
        return "";
    }

    // --- makings ---------------------------------------------------------------------------------

    function _settleAnswered(Case storage case_, address answerer) private {
        case_.status = ChallengeStatus.Answered;
        case_.answerer = answerer;
        promises[case_.promised].answers += 1;
        openOf[promises[case_.promised].replica] -= 1;
        taken[keccak256(abi.encode(case_.promised, case_.chunk))] = false;
    }

    function _isOver(Case storage case_) private view returns (bool) {
        return _now() > case_.until && vm.getBlockNumber() > case_.untilBlock;
    }

    /// @dev The newest half is picked as often as all that came before.
    function _pick(uint256 seed, uint256 length) private pure returns (uint256) {
        uint256 recent = length > 6 ? 6 : length;
        return seed % 3 == 0 ? (seed >> 16) % length : length - 1 - ((seed >> 16) % recent);
    }

    function _person(uint256 seed) private pure returns (address) {
        return address(uint160(0xBEEF00 + (seed % PEOPLE)));
    }

    /// @dev What another stake signs that says the same as the publisher: its digest is the same.
    function _copyOf(Promised storage promised) private view returns (bytes memory) {
        uint256 copier = (promised.writer % (WRITERS + REPLICAS)) + 1;
        uint64 position = (promised.putEpoch << 32) | promised.index;
        return _shown(nodeKeyOf(copier), 1, position, _putBody(promised.name, promised.putEpoch));
    }

    function _putBody(bytes32 name, uint64 epoch) private view returns (bytes memory) {
        return abi.encodePacked(uint8(1), name, root, SIZE, epoch + LIFE);
    }

    function _chunk(uint256 index) private pure returns (bytes memory chunk) {
        chunk = new bytes(index == CHUNKS - 1 ? SIZE % 1024 : 1024);
        for (uint256 i = 0; i < chunk.length; i += 61) chunk[i] = bytes1(uint8(1 + index));
    }

    function _path(uint256 index) private view returns (bytes32[] memory path) {
        path = new bytes32[](2);
        path[0] = leaves[index ^ 1];
        path[1] = index < 2 ? _node(leaves[2], leaves[3]) : _node(leaves[0], leaves[1]);
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(1), left, right));
    }

    function _break(string memory what) private {
        if (bytes(broken).length == 0) broken = what;
    }
}
