// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAvailabilityChallenge} from "./interfaces/IAvailabilityChallenge.sol";
import {IAvailabilityChallengeErrors, IAvailabilityChallengeTypes} from "./interfaces/IAvailabilityChallenge.sol";
import {IFaultCourtErrors} from "./interfaces/IFaultCourt.sol";
import {IFaultVerifier} from "./interfaces/IFaultVerifier.sol";
import {World} from "./testing/World.t.sol";

/// @dev Writer: person 1. Replica: person 2. Answerer: person 3's operator. A value of 64 chunks unless told otherwise.
contract AvailabilityChallengeTest is World, IAvailabilityChallengeTypes {
    uint256 private constant WRITER = 1;
    uint256 private constant REPLICA = 2;
    uint32 private constant SIZE = 65_536;
    uint64 private constant LIFE = 60; // epochs

    uint64 private writer;
    uint64 private replica;
    bytes32[] private leaves;
    bytes32 private root;

    receive() external payable {}

    function setUp() public override {
        super.setUp();
        vm.fee(1 gwei);
        writer = _active(WRITER);
        replica = _active(REPLICA);
        for (uint256 i = 0; i < 64; ++i) {
            leaves.push(keccak256(abi.encodePacked(uint8(0), _chunk(i))));
        }
        root = _fold(leaves);
        vm.deal(address(this), 1000 ether);
    }

    // --- open ------------------------------------------------------------------------------------

    function test_open_keepsTheBond() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 3);
        Challenge memory challenge = challenges.challengeOf(id);
        _equal(uint256(challenge.status), uint256(ChallengeStatus.Open), "status");
        _equal(challenge.stakeId, replica, "stake");
        _equal(challenge.publisherStakeId, writer, "publisher");
        _equal(challenge.chunkIndex, 3, "chunk");
        _equal(address(challenges).balance, 2 * 150_000 * 1 gwei, "bond");
        _equal(challenges.openChallengesOf(replica), 1, "open");
    }

    function test_open_underAPathOfBoth() public {
        bytes memory putBody = _putBody(1, "name", SIZE);
        bytes32[] memory path = new bytes32[](6);
        bytes memory put = _shownAt(nodeKeyOf(WRITER), 1, _position(0), putBody, 37, path);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 37, path));
        bytes memory body = _receiptBody(digest, 37, SIZE, registry.currentEpoch() + LIFE);
        bytes memory receipt = _shownAt(nodeKeyOf(REPLICA), 3, _position(0), body, 200, new bytes32[](8));
        _open(receipt, put, 0);
    }

    function test_open_refusesAForeignPut() public {
        (bytes memory receipt, ) = _promise();
        bytes memory other = _shown(nodeKeyOf(WRITER), 1, _position(9), _putBody(1, "other", SIZE));
        _expectForeign(receipt, other);
    }

    /// @dev A digest names no signer. Seen possible before: the copier was the victim, and its later PUT was the answer.
    function test_open_refusesACopyOfThePutByAnotherStake() public {
        uint64 copier = _active(4);
        (bytes memory receipt, bytes memory put) = _promise();
        bytes memory copy = _shown(nodeKeyOf(4), 1, _position(0), _putBody(1, "name", SIZE));
        _expectForeignPublisher(receipt, copy, copier, writer);
        // The publisher is asked about, whoever opens: a later PUT of the copier ends no promise to it.
        bytes32 id = _open(receipt, put, 5);
        _equal(challenges.challengeOf(id).publisherStakeId, writer, "publisher");
        _expectNotSuperseded(id, _shown(nodeKeyOf(4), 1, _position(1), _putBody(1, "name", SIZE)));
        _outwait(id);
        challenges.conclude(id);
        _equal(registry.creditsOf(operatorOf(WRITER)), MIN_STAKE / 100, "the victim's share");
        _equal(registry.creditsOf(operatorOf(4)), 0, "the copier's");
    }

    /// @dev Content and cells too: their record keys name no writer either.
    function testFuzz_open_onlyForThePublisherItNames(uint64 named, uint8 keyType, bool ofCopy) public {
        uint64 copier = _active(4);
        if (named % 4 != 0) named = named % 8;
        bytes memory putBody = _putBody(1 + (keyType % 2), keyType % 2 == 0 ? bytes32("name") : bytes32(0), SIZE);
        bytes memory put = _shown(nodeKeyOf(ofCopy ? 4 : WRITER), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE, named);
        bytes memory receipt = _shown(nodeKeyOf(REPLICA), 3, _position(0), body);
        uint64 signer = ofCopy ? copier : writer;
        if (named != signer) {
            _expectForeignPublisher(receipt, put, signer, named);
        } else {
            bytes32 id = _open(receipt, put, 0);
            _equal(challenges.challengeOf(id).publisherStakeId, named, "publisher");
        }
    }

    function test_open_refusesAnotherLeafOfThePut() public {
        bytes memory putBody = _putBody(1, "name", SIZE);
        bytes32[] memory path = new bytes32[](1);
        bytes memory put = _shownAt(nodeKeyOf(WRITER), 1, _position(0), putBody, 1, path);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 1, path));
        bytes memory body = _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE);
        _expectForeign(_shown(nodeKeyOf(REPLICA), 3, _position(0), body), put);
    }

    function test_open_refusesAnotherSizeOrRoot() public {
        (, bytes memory put) = _promise();
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(_putBody(1, "name", SIZE), 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, SIZE - 1, registry.currentEpoch() + LIFE);
        _expectForeign(_shown(nodeKeyOf(REPLICA), 3, _position(0), body), put);
    }

    function test_open_refusesBeyondSize() public {
        (bytes memory receipt, bytes memory put) = _promise();
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.BeyondSize.selector, 64, SIZE));
        challenges.open{value: 1 ether}(receipt, put, 64);
        vm.expectRevert(
            abi.encodeWithSelector(IAvailabilityChallengeErrors.BeyondSize.selector, type(uint32).max, SIZE)
        );
        challenges.open{value: 1 ether}(receipt, put, type(uint32).max);
    }

    function test_open_anEmptyValueHasNoChunk() public {
        bytes memory putBody = _putBody(1, "name", 0);
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, 0, registry.currentEpoch() + LIFE);
        bytes memory receipt = _shown(nodeKeyOf(REPLICA), 3, _position(0), body);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.BeyondSize.selector, 0, 0));
        challenges.open{value: 1 ether}(receipt, put, 0);
    }

    function testFuzz_open_everyChunkAndNoOther(uint32 size, uint32 index) public {
        size = size % (SIZE + 1);
        bytes memory putBody = _putBody(1, "name", size);
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, size, registry.currentEpoch() + LIFE);
        bytes memory receipt = _shown(nodeKeyOf(REPLICA), 3, _position(0), body);
        index = index % 70;
        if (index >= (uint256(size) + 1023) / 1024) {
            vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.BeyondSize.selector, index, size));
        }
        challenges.open{value: 1 ether}(receipt, put, index);
    }

    function test_open_untilTheLastEpochAndNotAfter() public {
        (bytes memory receipt, bytes memory put) = _promise();
        uint64 until = registry.currentEpoch() + LIFE;
        vm.warp(uint256(until) * 10 + 9);
        _open(receipt, put, 0);
        vm.warp(uint256(until) * 10 + 10);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.ReceiptOver.selector, until, until + 1));
        challenges.open{value: 1 ether}(receipt, put, 1);
    }

    function test_open_aReceiptPromisesOneLifeAtMost() public {
        uint64 start = registry.currentEpoch();
        bytes memory putBody = _putBody(1, "name", SIZE);
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, SIZE, start + 1000);
        bytes memory receipt = _shown(nodeKeyOf(REPLICA), 3, _position(0), body);
        vm.warp(uint256(start + LIFE + 1) * 10);
        vm.expectRevert(
            abi.encodeWithSelector(IAvailabilityChallengeErrors.ReceiptOver.selector, start + LIFE, start + LIFE + 1)
        );
        challenges.open{value: 1 ether}(receipt, put, 0);
    }

    function test_open_refusesAForgedSignature() public {
        (bytes memory receipt, bytes memory put) = _promise();
        receipt[70] = bytes1(uint8(receipt[70]) ^ 1);
        vm.expectPartialRevert(IFaultVerifier.BadSignature.selector);
        challenges.open{value: 1 ether}(receipt, put, 0);
        (receipt, ) = _promise();
        put[put.length - 1] = bytes1(uint8(put[put.length - 1]) ^ 1);
        vm.expectPartialRevert(IFaultVerifier.BadSignature.selector);
        challenges.open{value: 1 ether}(receipt, put, 0);
    }

    function test_open_refusesKeysWithoutTenure() public {
        bytes memory putBody = _putBody(1, "name", SIZE);
        bytes memory stranger = _shown(nodeKeyOf(77), 1, _position(0), putBody);
        (bytes memory receipt, ) = _promise();
        vm.expectPartialRevert(IFaultVerifier.UnknownKey.selector);
        challenges.open{value: 1 ether}(receipt, stranger, 0);
    }

    function test_open_refusesOtherKinds() public {
        (bytes memory receipt, bytes memory put) = _promise();
        vm.expectPartialRevert(IFaultVerifier.VoidStatement.selector);
        challenges.open{value: 1 ether}(put, put, 0);
        vm.expectPartialRevert(IFaultVerifier.VoidStatement.selector);
        challenges.open{value: 1 ether}(receipt, receipt, 0);
    }

    function test_open_refusesWhatIsCutOff() public {
        (bytes memory receipt, bytes memory put) = _promise();
        for (uint256 length = 0; length < receipt.length; length += 29) {
            vm.expectRevert();
            challenges.open{value: 1 ether}(_cut(receipt, length), put, 0);
        }
        for (uint256 length = 0; length < put.length; length += 29) {
            vm.expectRevert();
            challenges.open{value: 1 ether}(receipt, _cut(put, length), 0);
        }
    }

    function test_open_oneAtATimeForAChunk() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 3);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.AlreadyOpen.selector, id));
        challenges.open{value: 1 ether}(receipt, put, 3);
        _open(receipt, put, 4);
    }

    function test_open_bondDoubles() public {
        (bytes memory receipt, bytes memory put) = _promise();
        uint256 base = 2 * 150_000 * 1 gwei;
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.BondTooSmall.selector, base - 1, base));
        challenges.open{value: base - 1}(receipt, put, 0);
        bytes32 id = challenges.open{value: base}(receipt, put, 0);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.BondTooSmall.selector, base, 2 * base));
        challenges.open{value: base}(receipt, put, 1);
        challenges.answer(id, _chunk(0), _path(0));
        // None is open, one was answered.
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.BondTooSmall.selector, base, 2 * base));
        challenges.open{value: base}(receipt, put, 1);
        challenges.open{value: 2 * base}(receipt, put, 1);
    }

    function test_open_theBondCountsTheBaseFee() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 slot = _slotOf(receipt);
        uint256 lowest = 2 * 150_000 * 1 gwei;
        _equal(challenges.bondFor(replica, slot, 0, 0), lowest, "without fees");
        _equal(challenges.bondFor(replica, slot, 0, 1 gwei), lowest, "at the lowest fee");
        _equal(challenges.bondFor(replica, slot, 0, 7 gwei), 7 * lowest, "at a higher fee");
        vm.fee(7 gwei);
        vm.expectRevert(
            abi.encodeWithSelector(IAvailabilityChallengeErrors.BondTooSmall.selector, 7 * lowest - 1, 7 * lowest)
        );
        challenges.open{value: 7 * lowest - 1}(receipt, put, 0);
        challenges.open{value: 7 * lowest}(receipt, put, 0);
        _equal(challenges.bondFor(writer, slot, 1, 1 gwei), lowest, "against another stake");
        _equal(challenges.bondFor(replica, keccak256("another"), 0, 1 gwei), 2 * lowest, "against the same one");
    }

    function test_open_moreIsKeptToo() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = challenges.open{value: 3 ether}(receipt, put, 0);
        _equal(challenges.challengeOf(id).bondWei, 3 ether, "bond");
        _outwait(id);
        challenges.conclude(id);
        uint256 before = address(this).balance;
        challenges.collect(id);
        _equal(address(this).balance - before, 3 ether, "returned");
    }

    function test_open_againOnceAnswered() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 first = _open(receipt, put, 3);
        challenges.answer(first, _chunk(3), _path(3));
        challenges.collect(first);
        bytes32 second = _open(receipt, put, 3);
        require(first != second, "one id for two");
        _equal(challenges.challengeOf(second).bondWei, 4 * 150_000 * 1 gwei, "doubled for the leaf");
        challenges.answer(second, _chunk(3), _path(3));
        _equal(challenges.bondFor(replica, _slotOf(receipt), 0, 1 gwei), 8 * 150_000 * 1 gwei, "doubled again");
        _equal(challenges.bondFor(replica, _slotOf(receipt), 1, 1 gwei), 2 * 150_000 * 1 gwei, "another leaf");
    }

    /// @dev Seen possible before: bonds that cannot be lost, which only raise what others must send.
    function test_open_notOnceBroken() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 silent = _open(receipt, put, 3);
        bytes32 other = _open(receipt, put, 4);
        _outwait(silent);
        challenges.conclude(silent);
        for (uint32 index = 3; index < 6; ++index) {
            vm.expectRevert(
                abi.encodeWithSelector(IAvailabilityChallengeErrors.AlreadyBroken.selector, _slotOf(receipt), 0)
            );
            challenges.open{value: 1 ether}(receipt, put, index);
        }
        challenges.conclude(other);
        challenges.collect(silent);
        vm.expectRevert(
            abi.encodeWithSelector(IAvailabilityChallengeErrors.AlreadyBroken.selector, _slotOf(receipt), 0)
        );
        challenges.open{value: 1 ether}(receipt, put, 3);
    }

    function test_open_whatIsOpenWhenAPromiseBreaksCanStillBeAnswered() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 silent = _open(receipt, put, 3);
        (uint256 until, uint256 untilBlock) = challenges.answerableUntil(silent);
        vm.warp(until);
        vm.roll(untilBlock);
        bytes32 later = _open(receipt, put, 4);
        vm.warp(until + 1);
        vm.roll(untilBlock + 1);
        challenges.conclude(silent);
        challenges.answer(later, _chunk(4), _path(4));
        challenges.collect(later);
        challenges.collect(silent);
        _equal(address(challenges).balance, 0, "left");
    }

    function test_open_byTheKeyOfItsTime() public {
        (bytes memory receipt, bytes memory put) = _promise();
        _rotate(replica, 0xFEED);
        _rotate(writer, 0xFEEE);
        // The receipt's life ends within the evidence window of the retired keys.
        vm.warp(_now() + 590);
        bytes32 id = _open(receipt, put, 3);
        _equal(challenges.challengeOf(id).stakeId, replica, "stake");
        // What the old keys say once they are retired is void.
        bytes memory late = _shown(nodeKeyOf(WRITER), 1, _position(0), _putBody(1, "name", SIZE));
        vm.expectPartialRevert(IFaultVerifier.KeyNotInTenure.selector);
        challenges.open{value: 1 ether}(receipt, late, 4);
    }

    function test_open_notInAFarEpoch() public {
        bytes memory putBody = _putBody(1, "name", SIZE);
        uint64 far = ((registry.currentEpoch() + 2) << 32);
        (bytes memory receipt, ) = _promise();
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, far, putBody);
        vm.expectPartialRevert(IFaultVerifier.EpochInFuture.selector);
        challenges.open{value: 1 ether}(receipt, put, 0);
    }

    /// @dev Whatever byte of what is signed changes, the signature or the form breaks.
    function testFuzz_open_noOtherBytes(uint256 seed, bool ofPut) public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes memory changed = ofPut ? put : receipt;
        changed[seed % changed.length] ^= bytes1(uint8(1 << ((seed >> 16) % 8)));
        vm.expectRevert();
        challenges.open{value: 1 ether}(receipt, put, 0);
    }

    /// @dev Bytes that nobody signed: never opened, never a panic of arithmetic or of an index.
    function testFuzz_open_garbage(bytes calldata receipt, bytes calldata put) public {
        try challenges.open{value: 1 ether}(receipt, put, 0) {
            revert("garbage was opened");
        } catch (bytes memory reason) {
            require(bytes4(reason) != bytes4(keccak256("Panic(uint256)")), "panic");
        }
    }

    // --- answer ----------------------------------------------------------------------------------

    function testFuzz_answer_everyChunk(uint8 index) public {
        index = index % 64;
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, index);
        challenges.answer(id, _chunk(index), _path(index));
        _equal(uint256(challenges.challengeOf(id).status), uint256(ChallengeStatus.Answered), "status");
    }

    function testFuzz_answer_noOtherChunk(uint8 index, uint8 shown, bytes32 noise) public {
        index = index % 64;
        shown = shown % 64;
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, index);
        bytes32[] memory path = _path(shown);
        if (shown == index) path[uint256(noise) % 6] ^= noise | bytes32(uint256(1));
        vm.expectPartialRevert(IAvailabilityChallengeErrors.WrongChunk.selector);
        challenges.answer(id, _chunk(shown), path);
    }

    function test_answer_paysWhoAnswersAndBurnsTheRest() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        uint256 bond = challenges.challengeOf(id).bondWei;
        vm.prank(operatorOf(3));
        challenges.answer(id, _chunk(5), _path(5));
        uint256 before = operatorOf(3).balance;
        uint256 burnt = address(0).balance;
        challenges.collect(id);
        uint256 paid = operatorOf(3).balance - before;
        _equal(paid, (150_000 * 1 gwei * 5) / 4, "paid");
        _equal(address(0).balance - burnt, bond - paid, "burnt");
        _equal(address(challenges).balance, 0, "left");
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NothingToCollect.selector, id));
        challenges.collect(id);
    }

    function test_answer_inTheLastSecondOrBlock() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        (uint256 until, uint256 untilBlock) = challenges.answerableUntil(id);
        vm.warp(until + 100);
        vm.roll(untilBlock);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.TooEarly.selector);
        challenges.conclude(id);
        challenges.answer(id, _chunk(5), _path(5));
        id = _open(receipt, put, 6);
        (until, untilBlock) = challenges.answerableUntil(id);
        vm.warp(until);
        vm.roll(untilBlock + 100);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.TooEarly.selector);
        challenges.conclude(id);
        challenges.answer(id, _chunk(6), _path(6));
    }

    function test_answer_afterTheDeadlineIsTooLate() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        _outwait(id);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.TooLate.selector);
        challenges.answer(id, _chunk(5), _path(5));
    }

    function test_answer_neverSlashes() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        challenges.answer(id, _chunk(5), _path(5));
        _outwait(id);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NotOpen.selector, id));
        challenges.conclude(id);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NotConcluding.selector, id));
        court.submit(3, abi.encodePacked(id));
        _equal(registry.stakeOf(replica).amount, MIN_STAKE, "bond");
    }

    function test_answerSuperseded_byALaterPut() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        bytes memory later = _shown(nodeKeyOf(WRITER), 1, _position(1), _putBody(1, "name", 0));
        challenges.answerSuperseded(id, later);
        _equal(uint256(challenges.challengeOf(id).status), uint256(ChallengeStatus.Answered), "status");
    }

    function test_answerSuperseded_refusesOthers() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        _expectNotSuperseded(id, put);
        _expectNotSuperseded(id, _shown(nodeKeyOf(WRITER), 1, _position(1), _putBody(1, "another name", SIZE)));
        _expectNotSuperseded(id, _shown(nodeKeyOf(WRITER), 1, _position(1), _putBody(2, "name", SIZE)));
        _expectNotSuperseded(id, _shown(nodeKeyOf(REPLICA), 1, _position(1), _putBody(1, "name", SIZE)));
    }

    function test_answerSuperseded_cellsByLeaseThenPosition() public {
        bytes memory first = _cellBody("world", 5, 4096, "agent", 7);
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, _position(3), first);
        bytes32 digest = _statementDigest(1, _position(3), _rootOf(first, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE);
        bytes32 id = _open(_shown(nodeKeyOf(REPLICA), 3, _position(0), body), put, 5);
        // Another cell, another agent, an older lease, the same lease before.
        _expectNotSuperseded(id, _cellPut(4, _cellBody("world", 5, 4096 + 32, "agent", 8)));
        _expectNotSuperseded(id, _cellPut(4, _cellBody("world", 5, 4096, "other", 8)));
        _expectNotSuperseded(id, _cellPut(4, _cellBody("other", 5, 4096, "agent", 8)));
        _expectNotSuperseded(id, _cellPut(4, _cellBody("world", 5, 4096, "agent", 6)));
        _expectNotSuperseded(id, _cellPut(2, _cellBody("world", 5, 4096, "agent", 7)));
        // The same cell from another place in it, negative ones included elsewhere, and a newer lease.
        challenges.answerSuperseded(id, _cellPut(2, _cellBody("world", 5, 4096 + 31, "agent", 8)));
    }

    function test_answer_aShortChunkAndAValueOfOne() public {
        bytes memory chunk = hex"2a";
        bytes32 single = keccak256(abi.encodePacked(uint8(0), chunk));
        (bytes memory receipt, bytes memory put) = _promiseOf(single, 1);
        bytes32 id = _open(receipt, put, 0);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.WrongChunk.selector);
        challenges.answer(id, hex"2a00", new bytes32[](0));
        challenges.answer(id, chunk, new bytes32[](0));
    }

    function test_answer_noPathThatIsTooLong() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 0);
        bytes32[] memory path = new bytes32[](300);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.WrongChunk.selector);
        challenges.answer(id, _chunk(0), path);
    }

    /// @dev Two leaves and their node: a node must not pass for a chunk, nor a chunk under a path cut short.
    function test_answer_noInnerNode() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 0);
        bytes32[] memory path = _path(0);
        bytes32[] memory shorter = new bytes32[](5);
        for (uint256 i = 0; i < 5; ++i) {
            shorter[i] = path[i + 1];
        }
        vm.expectPartialRevert(IAvailabilityChallengeErrors.WrongChunk.selector);
        challenges.answer(id, abi.encodePacked(uint8(1), leaves[0], leaves[1]), shorter);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.WrongChunk.selector);
        challenges.answer(id, abi.encodePacked(leaves[0], leaves[1]), shorter);
        // Chunk 1 shown from the left instead of the right.
        bytes32 other = _open(receipt, put, 1);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.WrongChunk.selector);
        challenges.answer(other, _chunk(0), _path(0));
    }

    function testFuzz_answer_garbage(bytes calldata chunk, bytes32[] calldata path) public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.WrongChunk.selector);
        challenges.answer(id, chunk, path);
    }

    function test_answer_paysAtMostTheBond() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        uint256 bond = challenges.challengeOf(id).bondWei;
        vm.fee(1000 gwei);
        vm.prank(operatorOf(3));
        challenges.answer(id, _chunk(5), _path(5));
        challenges.collect(id);
        _equal(operatorOf(3).balance, bond, "paid");
        _equal(address(challenges).balance, 0, "left");
    }

    /// @dev What is burnt is gone: opening and answering by one hand loses it.
    function test_answer_byTheOpenerLosesTheRest() public {
        (bytes memory receipt, bytes memory put) = _promise();
        uint256 before = address(this).balance;
        bytes32 id = _open(receipt, put, 5);
        uint256 bond = challenges.challengeOf(id).bondWei;
        challenges.answer(id, _chunk(5), _path(5));
        challenges.collect(id);
        _equal(before - address(this).balance, bond - (150_000 * 1 gwei * 5) / 4, "lost");
    }

    function test_answerSuperseded_byALaterLeafAndAnotherKeyOfTheWriter() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        // The same statement's next leaf is later; the same leaf of it is not.
        bytes memory sameSlot = _shownAt(
            nodeKeyOf(WRITER),
            1,
            _position(0),
            _putBody(1, "name", SIZE),
            1,
            new bytes32[](1)
        );
        uint256 snapshotBond = challenges.challengeOf(id).bondWei;
        challenges.answerSuperseded(id, sameSlot);
        _equal(snapshotBond, 2 * 150_000 * 1 gwei, "bond");

        id = _open(receipt, put, 5);
        _rotate(writer, 0xFEED);
        vm.warp(_now() + 20);
        bytes memory byNewKey = _shown(0xFEED, 1, _position(0), _putBody(1, "name", SIZE));
        challenges.answerSuperseded(id, byNewKey);
        _equal(uint256(challenges.challengeOf(id).status), uint256(ChallengeStatus.Answered), "status");
    }

    function test_answerSuperseded_neverForContent() public {
        bytes memory putBody = _putBody(2, 0, SIZE);
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE);
        bytes32 id = _open(_shown(nodeKeyOf(REPLICA), 3, _position(0), body), put, 5);
        _expectNotSuperseded(id, _shown(nodeKeyOf(WRITER), 1, _position(1), putBody));
    }

    function test_answerSuperseded_inANegativeCell() public {
        bytes memory first = _cellBody("world", 5, -1, "agent", 7);
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, _position(3), first);
        bytes32 digest = _statementDigest(1, _position(3), _rootOf(first, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE);
        bytes32 id = _open(_shown(nodeKeyOf(REPLICA), 3, _position(0), body), put, 5);
        // The cell of -1 reaches from -32 to -1: a shift that rounds to zero would join it with the one of 0.
        _expectNotSuperseded(id, _cellPut(4, _cellBody("world", 5, 0, "agent", 7)));
        _expectNotSuperseded(id, _cellPut(5, _cellBody("world", 5, -33, "agent", 7)));
        challenges.answerSuperseded(id, _cellPut(6, _cellBody("world", 5, -32, "agent", 7)));
    }

    /// @dev An agent is its id and its authority: nothing shows that an id belongs to one of them.
    function test_answerSuperseded_notByAnotherAuthority() public {
        bytes memory first = _cellBody("world", 5, 64, "agent", 7);
        bytes memory put = _shown(nodeKeyOf(WRITER), 1, _position(3), first);
        bytes32 digest = _statementDigest(1, _position(3), _rootOf(first, 0, new bytes32[](0)));
        bytes memory body = _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE);
        bytes32 id = _open(_shown(nodeKeyOf(REPLICA), 3, _position(0), body), put, 5);
        bytes memory later = _cellBody("world", 5, 64, "agent", 8);
        later[later.length - 1] = 0x55;
        _expectNotSuperseded(id, _cellPut(4, later));
        // The same stake id as a mesh's.
        later = _cellBody("world", 5, 64, "agent", 8);
        later[later.length - 33] = 0x03;
        _expectNotSuperseded(id, _cellPut(5, later));
        // The writer speaks for its authority by a lease: the same agent.
        later[later.length - 33] = 0x02;
        challenges.answerSuperseded(id, _cellPut(6, later));
    }

    function test_answerSuperseded_refusesWhatIsCutOffOrOfAnotherKind() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        bytes memory later = _shown(nodeKeyOf(WRITER), 1, _position(1), _putBody(1, "name", SIZE));
        for (uint256 length = 0; length < later.length; length += 29) {
            vm.expectRevert();
            challenges.answerSuperseded(id, _cut(later, length));
        }
        vm.expectPartialRevert(IFaultVerifier.VoidStatement.selector);
        challenges.answerSuperseded(id, receipt);
    }

    // --- conclude --------------------------------------------------------------------------------

    function test_conclude_slashesPaysTheVictimAndReturnsTheBond() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        uint256 bond = challenges.challengeOf(id).bondWei;
        _outwait(id);
        vm.prank(operatorOf(9));
        challenges.conclude(id);
        Stake memory stake = registry.stakeOf(replica);
        _equal(stake.amount, (MIN_STAKE * 9) / 10, "bond of the replica");
        require(stake.jailedUntil != 0 && !stake.tombstoned, "jailed, not tombstoned");
        _equal(registry.creditsOf(operatorOf(WRITER)), MIN_STAKE / 100, "the victim's share");
        uint256 before = address(this).balance;
        challenges.collect(id);
        _equal(address(this).balance - before, bond, "the opener's bond");
        _equal(challenges.openChallengesOf(replica), 0, "open");
        _requireBooks();
    }

    function test_conclude_onceForAReceipt() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 first = _open(receipt, put, 5);
        bytes32 second = _open(receipt, put, 6);
        _outwait(second);
        challenges.conclude(first);
        challenges.conclude(second);
        _equal(registry.stakeOf(replica).amount, (MIN_STAKE * 9) / 10, "charged once");
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NotOpen.selector, first));
        challenges.conclude(first);
    }

    function test_conclude_aTombstonedPublisherIsNoVictim() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        court.submit(1, _lie(nodeKeyOf(WRITER), 0));
        _outwait(id);
        challenges.conclude(id);
        _equal(registry.creditsOf(operatorOf(WRITER)), 0, "no share");
        _requireBooks();
    }

    /// @dev A stake's id is its own for ever, and so is who it was: also when it left, and came again under another id.
    function test_conclude_aPublisherThatLeftIsTheVictimStill() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        _unbond(writer);
        vm.warp(_now() + 1500);
        vm.roll(block.number + 20);
        _withdraw(writer);
        address operator = operatorOf(WRITER);
        _fund(operator, MIN_STAKE);
        NodeKeyProof memory key = _possession(operator, 0xFEED, NO_DEADLINE);
        PersonProof memory person = _consent(operator, 0xFEED, personKeyOf(WRITER), NO_DEADLINE);
        Permit memory none;
        vm.prank(operator);
        uint64 again = registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);
        require(again != writer, "an id was used twice");
        challenges.conclude(id);
        _equal(registry.creditsOf(operator), MIN_STAKE / 100, "the victim's share");
        _requireBooks();
    }

    function test_conclude_reachesAnUnbondingStake() public {
        (bytes memory receipt, bytes memory put) = _promise();
        _unbond(replica);
        bytes32 id = _open(receipt, put, 5);
        _outwait(id);
        challenges.conclude(id);
        _equal(registry.stakeOf(replica).amount, (MIN_STAKE * 9) / 10, "charged");
    }

    function test_silenceEarnsNoReporter() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        bytes memory evidence = abi.encodePacked(id);
        (uint64 stakeId, bytes32 slot) = challenges.accused(evidence);
        bytes32 faultId = court.faultIdOf(3, stakeId, slot);
        court.commit(keccak256(abi.encode(address(this), address(this), faultId, keccak256(evidence), bytes32(0))));
        _outwait(id);
        challenges.conclude(id);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NotConcluding.selector, id));
        court.claim(3, evidence, address(this), address(this), 0);
        vm.warp(_now() + 1000);
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.AlreadyReleased.selector, faultId));
        court.release(faultId);
    }

    function test_awardVictim_onlyByTheVerifier() public {
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.NotVerifier.selector, address(this)));
        court.awardVictim(keccak256("fault"), address(this));
    }

    function test_unknownChallenges() public {
        bytes32 id = keccak256("nothing");
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.UnknownChallenge.selector, id));
        challenges.answer(id, _chunk(0), _path(0));
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.UnknownChallenge.selector, id));
        challenges.conclude(id);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NothingToCollect.selector, id));
        challenges.collect(id);
    }

    function test_collect_aReceiverThatCallsBackGetsNothingMore() public {
        (bytes memory receipt, bytes memory put) = _promise();
        Greedy greedy = new Greedy(challenges);
        vm.deal(address(greedy), 1 ether);
        bytes32 id = greedy.open(receipt, put);
        _open(receipt, put, 6);
        _outwait(id);
        challenges.conclude(id);
        vm.expectPartialRevert(IAvailabilityChallengeErrors.NotPaid.selector);
        challenges.collect(id);
    }

    /// @dev It swallows the refusal of its own, and collects another's beside it.
    function test_collect_aReceiverThatCollectsAnothersMovesNothingOfIt() public {
        (bytes memory receipt, bytes memory put) = _promise();
        Patient patient = new Patient(challenges);
        vm.deal(address(patient), 1 ether);
        bytes32 own = patient.open(receipt, put);
        bytes32 other = _open(receipt, put, 6);
        uint256 bond = challenges.challengeOf(other).bondWei;
        patient.wants(other);
        _outwait(other);
        challenges.conclude(own);
        challenges.conclude(other);
        uint256 before = address(this).balance;
        challenges.collect(own);
        _equal(address(patient).balance, 1 ether, "its own bond, once");
        _equal(address(this).balance - before, bond, "the other's bond, to whom it is due");
        _equal(address(challenges).balance, 0, "left");
        _equal(patient.refusals(), 1, "its own, a second time");
    }

    function test_conclude_reachesAJailedAndATombstonedStake() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        court.submit(2, _spam(nodeKeyOf(REPLICA), 0));
        _outwait(id);
        challenges.conclude(id);
        // One penalty period: the largest penalty, not the sum.
        _equal(registry.stakeOf(replica).amount, (MIN_STAKE * 9) / 10, "charged the largest");
        _equal(registry.creditsOf(operatorOf(WRITER)), (MIN_STAKE * 9) / 1000, "a tenth of what was newly charged");

        uint64 dead = _active(7);
        (receipt, put) = _promiseBy(7, WRITER);
        id = _openAgainst(dead, receipt, put, 5);
        court.submit(1, _lie(nodeKeyOf(7), 0));
        _outwait(id);
        challenges.conclude(id);
        _equal(registry.stakeOf(dead).amount, (MIN_STAKE * 9) / 10, "charged although dead");
        require(registry.stakeOf(dead).tombstoned, "still dead");
        _requireBooks();
    }

    function test_conclude_findsAWithdrawnStakeEmptyAndReturnsTheBond() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        _unbond(replica);
        vm.warp(_now() + 1500);
        vm.roll(block.number + 20);
        _withdraw(replica);
        challenges.conclude(id);
        _equal(registry.stakeOf(replica).amount, 0, "nothing left");
        uint256 bond = challenges.challengeOf(id).bondWei;
        uint256 before = address(this).balance;
        challenges.collect(id);
        _equal(address(this).balance - before, bond, "the opener's bond");
        _requireBooks();
    }

    /// @dev Who slashes itself, as publisher, replica and challenger, loses nine tenths of it.
    function test_conclude_ofOneself() public {
        (bytes memory receipt, bytes memory put) = _promiseBy(REPLICA, REPLICA);
        vm.deal(operatorOf(REPLICA), 1 ether);
        vm.prank(operatorOf(REPLICA));
        bytes32 id = challenges.open{value: 1 ether}(receipt, put, 0);
        _outwait(id);
        challenges.conclude(id);
        _equal(registry.creditsOf(operatorOf(REPLICA)), MIN_STAKE / 100, "a tenth of a tenth");
        _equal(registry.stakeOf(replica).amount, (MIN_STAKE * 9) / 10, "charged");
    }

    function test_conclude_theCorrelatedPartBurns() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        _outwait(id);
        challenges.conclude(id);
        (uint64 stakeId, bytes32 slot) = challenges.accused(abi.encodePacked(id));
        bytes32 faultId = court.faultIdOf(3, stakeId, slot);
        vm.warp(registry.settleableAt(faultId));
        registry.settle(faultId);
        // Half of all that is bonded stood behind the offender: base x 3 x 1/2 on top, the total known in units.
        _equal(registry.stakeOf(replica).amount / 1e15, (MIN_STAKE * 75) / 100 / 1e15, "correlated");
        _equal(registry.creditsOf(operatorOf(WRITER)), MIN_STAKE / 100, "the victim's share is of the base alone");
        _requireBooks();
    }

    function test_verifier_namesTheFaultAndTakesNoOtherLength() public {
        _equal(challenges.faultType(), 3, "type");
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        (uint64 stakeId, bytes32 slot) = challenges.accused(abi.encodePacked(id));
        _equal(stakeId, replica, "accused");
        require(slot == keccak256(abi.encodePacked(_slotOf(receipt), uint8(0))), "slot and leaf");
        vm.expectPartialRevert(IFaultVerifier.EvidenceLength.selector);
        challenges.verify(abi.encodePacked(id, uint8(0)), block.timestamp);
        vm.expectPartialRevert(IFaultVerifier.EvidenceLength.selector);
        challenges.accused("");
    }

    function test_collect_nothingOfWhatIsOpen() public {
        (bytes memory receipt, bytes memory put) = _promise();
        bytes32 id = _open(receipt, put, 5);
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NothingToCollect.selector, id));
        challenges.collect(id);
    }

    // --- makings ---------------------------------------------------------------------------------

    function _promise() private view returns (bytes memory receipt, bytes memory put) {
        bytes memory putBody = _putBody(1, "name", SIZE);
        put = _shown(nodeKeyOf(WRITER), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        receipt = _shown(
            nodeKeyOf(REPLICA),
            3,
            _position(0),
            _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE)
        );
    }

    function _promiseOf(bytes32 valueRoot, uint32 size) private view returns (bytes memory receipt, bytes memory put) {
        uint64 until = registry.currentEpoch() + LIFE;
        bytes memory putBody = abi.encodePacked(uint8(1), bytes32("name"), valueRoot, size, until);
        put = _shown(nodeKeyOf(WRITER), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        bytes memory body = abi.encodePacked(digest, uint8(0), keccak256("record key"), valueRoot, size, until, writer);
        receipt = _shown(nodeKeyOf(REPLICA), 3, _position(0), body);
    }

    /// @dev The promise of one person to another.
    function _promiseBy(uint256 by, uint256 to) private view returns (bytes memory receipt, bytes memory put) {
        bytes memory putBody = _putBody(1, "name", SIZE);
        put = _shown(nodeKeyOf(to), 1, _position(0), putBody);
        bytes32 digest = _statementDigest(1, _position(0), _rootOf(putBody, 0, new bytes32[](0)));
        uint64 publisher = registry.keyRecord(vm.addr(nodeKeyOf(to))).stakeId;
        bytes memory body = _receiptBody(digest, 0, SIZE, registry.currentEpoch() + LIFE, publisher);
        receipt = _shown(nodeKeyOf(by), 3, _position(0), body);
    }

    function _openAgainst(
        uint64 stakeId,
        bytes memory receipt,
        bytes memory put,
        uint32 index
    ) private returns (bytes32) {
        uint256 bond = challenges.bondFor(stakeId, _slotOf(receipt), 0, block.basefee);
        return challenges.open{value: bond}(receipt, put, index);
    }

    function _putBody(uint8 keyType, bytes32 name, uint32 size) private view returns (bytes memory) {
        return abi.encodePacked(keyType, name, size == 0 ? bytes32(0) : root, size, registry.currentEpoch() + LIFE);
    }

    function _cellBody(
        bytes32 world,
        uint8 level,
        int64 q,
        bytes32 agent,
        uint64 lease
    ) private view returns (bytes memory) {
        return
            bytes.concat(
                abi.encodePacked(uint8(3), world, root, SIZE, registry.currentEpoch() + LIFE),
                abi.encodePacked(uint8(1), level, q, agent, lease, registry.currentEpoch() + LIFE),
                abi.encodePacked(uint8(1), bytes32(uint256(writer)))
            );
    }

    function _cellPut(uint32 index, bytes memory body) private view returns (bytes memory) {
        return _shown(nodeKeyOf(WRITER), 1, _position(index), body);
    }

    function _receiptBody(
        bytes32 putDigest,
        uint8 putLeaf,
        uint32 size,
        uint64 untilEpoch
    ) private view returns (bytes memory) {
        return _receiptBody(putDigest, putLeaf, size, untilEpoch, writer);
    }

    function _receiptBody(
        bytes32 putDigest,
        uint8 putLeaf,
        uint32 size,
        uint64 untilEpoch,
        uint64 publisher
    ) private view returns (bytes memory) {
        return
            abi.encodePacked(
                putDigest,
                putLeaf,
                keccak256("record key"),
                size == 0 ? bytes32(0) : root,
                size,
                untilEpoch,
                publisher
            );
    }

    function _open(bytes memory receipt, bytes memory put, uint32 index) private returns (bytes32) {
        (, bytes32 slot) = (uint64(0), _slotOf(receipt));
        uint256 bond = challenges.bondFor(replica, slot, uint8(receipt[125]), block.basefee);
        return challenges.open{value: bond}(receipt, put, index);
    }

    function _slotOf(bytes memory shown) private pure returns (bytes32) {
        return keccak256(_cut(shown, 61));
    }

    function _expectForeign(bytes memory receipt, bytes memory put) private {
        vm.expectPartialRevert(IAvailabilityChallengeErrors.ForeignPut.selector);
        challenges.open{value: 1 ether}(receipt, put, 0);
    }

    function _expectForeignPublisher(bytes memory receipt, bytes memory put, uint64 given, uint64 promisedTo) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAvailabilityChallengeErrors.ForeignPublisher.selector, given, promisedTo)
        );
        challenges.open{value: 1 ether}(receipt, put, 5);
    }

    function _expectNotSuperseded(bytes32 id, bytes memory put) private {
        vm.expectRevert(abi.encodeWithSelector(IAvailabilityChallengeErrors.NotSuperseded.selector, id));
        challenges.answerSuperseded(id, put);
    }

    function _outwait(bytes32 id) private {
        (uint256 until, uint256 untilBlock) = challenges.answerableUntil(id);
        vm.warp(until + 1);
        vm.roll(untilBlock + 1);
    }

    function _chunk(uint256 index) private pure returns (bytes memory chunk) {
        chunk = new bytes(1024);
        bytes32 word = keccak256(abi.encode("chunk", index));
        for (uint256 offset = 32; offset <= 1024; offset += 32) {
            assembly ("memory-safe") {
                mstore(add(chunk, offset), word)
            }
        }
    }

    function _path(uint256 index) private view returns (bytes32[] memory path) {
        path = new bytes32[](6);
        bytes32[] memory level = leaves;
        for (uint256 depth = 0; depth < 6; ++depth) {
            path[depth] = level[(index >> depth) ^ 1];
            level = _above(level);
        }
    }

    function _fold(bytes32[] memory level) private pure returns (bytes32) {
        while (level.length > 1) {
            level = _above(level);
        }
        return level[0];
    }

    function _above(bytes32[] memory level) private pure returns (bytes32[] memory above) {
        above = new bytes32[](level.length / 2);
        for (uint256 i = 0; i < above.length; ++i) {
            above[i] = keccak256(abi.encodePacked(uint8(1), level[2 * i], level[2 * i + 1]));
        }
    }

    function _cut(bytes memory given, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = given[i];
        }
    }
}

/// @dev Opens a challenge, and asks for its bond again while it is paid.
contract Greedy {
    IAvailabilityChallenge private immutable challenges;
    bytes32 private id;

    constructor(IAvailabilityChallenge challenges_) {
        challenges = challenges_;
    }

    receive() external payable {
        challenges.collect(id);
    }

    function open(bytes calldata receipt, bytes calldata put) external returns (bytes32) {
        id = challenges.open{value: 0.5 ether}(receipt, put, 5);
        return id;
    }
}

/// @dev Opens a challenge; while its bond is paid it asks for it again, takes the refusal, and collects another's.
contract Patient {
    IAvailabilityChallenge private immutable challenges;
    bytes32 private id;
    bytes32 private other;
    uint256 public refusals;

    constructor(IAvailabilityChallenge challenges_) {
        challenges = challenges_;
    }

    receive() external payable {
        _takeMore();
    }

    function open(bytes calldata receipt, bytes calldata put) external returns (bytes32) {
        id = challenges.open{value: 0.5 ether}(receipt, put, 5);
        return id;
    }

    function wants(bytes32 other_) external {
        other = other_;
    }

    function _takeMore() private {
        try challenges.collect(id) {} catch {
            refusals++;
        }
        challenges.collect(other);
    }
}
