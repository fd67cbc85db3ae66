// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FaultCourt} from "./FaultCourt.sol";
import {IFaultCourtErrors} from "./interfaces/IFaultCourt.sol";
import {IFaultVerifier} from "./interfaces/IFaultVerifier.sol";
import {IStakeRegistryErrors} from "./interfaces/IStakeRegistry.sol";
import {World} from "./testing/World.t.sol";

/// @notice Evidence, rewards and settlement. Each test says which broken contract it catches.
contract FaultCourtTest is World {
    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);

    // --- one slot, one slash ---------------------------------------------------------------------

    /// @dev Catches a fault id that follows the order of the two sides, or anything but type, stake and slot.
    function test_eitherOrderIsTheSameFault() public {
        _active(1);
        uint64 position = _position(3);
        bytes memory ab = _lie(nodeKeyOf(1), position, "a", "b");
        bytes memory ba = _lie(nodeKeyOf(1), position, "b", "a");
        bytes memory ac = _lie(nodeKeyOf(1), position, "a", "c");
        bytes32 faultId = court.submit(1, ab);
        require(faultId == _faultId(1, 1, ba), "fault id");
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.AlreadySlashed.selector, faultId));
        court.submit(1, ba);
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.AlreadySlashed.selector, faultId));
        court.submit(1, ac);
        _equal(registry.stakeOf(1).amount, 950 ether, "slashed once");
    }

    /// @dev Catches a period that adds its penalties up: F2 twice, then F1, costs 5 % in all.
    function test_aPeriodCostsItsLargestPenalty() public {
        _active(1);
        court.submit(2, _spam(nodeKeyOf(1), 0));
        _equal(registry.stakeOf(1).amount, 990 ether, "F2");
        court.submit(2, _spam(nodeKeyOf(1), 1));
        _equal(registry.stakeOf(1).amount, 990 ether, "F2 again");

        // Money that comes in between is neither charged nor does it count.
        token.approve(address(registry), 10_000 ether);
        registry.topUp(1, 10_000 ether);
        court.submit(1, _lie(nodeKeyOf(1), 0));
        _equal(registry.stakeOf(1).amount, 10_950 ether, "F1 of the stake at the beginning of the period");
        court.submit(1, _lie(nodeKeyOf(1), 1));
        _equal(registry.stakeOf(1).amount, 10_950 ether, "F1 again");
        _equal(registry.stakeOf(1).unsettled, 4, "unsettled");
        _requireBooks();
    }

    /// @dev Catches a release from jail that does not end the period, and an escrow that forgets the period it came from.
    function test_afterUnjailANewPeriodBegins() public {
        _register(1, 2000 ether);
        bytes32 first = court.submit(2, _spam(nodeKeyOf(1), 0));
        _pass(60);
        _unjail(1);
        bytes32 second = court.submit(2, _spam(nodeKeyOf(1), 0));
        _equal(registry.stakeOf(1).amount, 1960.2 ether, "1 % of 2000, then of 1980");
        _equal(court.faultOf(first).escrowed, 2 ether, "first escrow");
        _equal(court.faultOf(second).escrowed, 1.98 ether, "second escrow");
        (, , , uint256 escrow, ) = registry.totals();
        _equal(escrow, 3.98 ether, "escrow");
        _pass(30);
        court.release(first);
        court.release(second);
        (, , , escrow, ) = registry.totals();
        _equal(escrow, 0, "released");
        _requireBooks();
    }

    /// @dev Catches a slash that takes more than there is, and an escrow that pays what was never taken.
    function test_lessThanThePenaltyIsLeft() public {
        _deployWith(9000, 8000);
        _active(1);
        bytes32 first = court.submit(2, _spam(nodeKeyOf(1), 0));
        _equal(registry.stakeOf(1).amount, 200 ether, "80 %");
        vm.warp(registry.settleableAt(first));
        registry.settle(first);
        _equal(registry.stakeOf(1).amount, 0, "the correlated part takes what is left");
        bytes32 second = court.submit(1, _lie(nodeKeyOf(1), 0));
        _equal(court.faultOf(second).escrowed, 0, "nothing was left to escrow");
        _pass(30);
        court.release(second);
        _requireBooks();

        // And a part of it left.
        _active(2);
        first = court.submit(2, _spam(nodeKeyOf(2), 0));
        token.approve(address(registry), 50 ether);
        vm.warp(registry.settleableAt(first));
        registry.settle(first);
        registry.topUp(2, 50 ether);
        second = court.submit(1, _lie(nodeKeyOf(2), 0));
        _equal(registry.stakeOf(2).amount, 0, "90 % of 1000, less 80 % of it, of which 50 were left");
        _equal(court.faultOf(second).escrowed, 5 ether, "a tenth of what was taken");
        _pass(30);
        court.release(second);
        _requireBooks();
    }

    /// @dev Catches evidence that a chain id, a registry or a salt does not bind.
    function test_evidenceForAnotherDeployment() public {
        _active(1);
        bytes memory evidence = _lie(nodeKeyOf(1), 0);
        vm.chainId(5);
        try court.submit(1, evidence) {
            revert("evidence of another chain was taken");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IFaultVerifier.BadSignature.selector, "another error");
        }
        vm.chainId(31337);

        _deployWith(500, 100);
        _active(1);
        try court.submit(1, evidence) {
            revert("evidence for another registry was taken");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IFaultVerifier.BadSignature.selector, "another error");
        }
    }

    // --- rewards ---------------------------------------------------------------------------------

    /// @dev Catches a reward that goes to the submitter, a copier, a later commit or a commit of the slashing block.
    function test_theEarliestCommitEarnsTheReward() public {
        _active(1);
        bytes memory evidence = _lie(nodeKeyOf(1), 0);
        bytes32 faultId = _faultId(1, 1, evidence);
        court.commit(_commitment(ALICE, ALICE, faultId, evidence, "a"));
        vm.roll(vm.getBlockNumber() + 1);
        court.commit(_commitment(BOB, BOB, faultId, evidence, "b"));
        vm.roll(vm.getBlockNumber() + 1);
        address copier = address(0xC0);
        court.commit(_commitment(copier, copier, faultId, evidence, "c"));
        vm.prank(copier);
        court.submit(1, evidence);

        // Commits of the slashing block or later, unknown ones and others' words earn nothing.
        vm.expectRevert(
            abi.encodeWithSelector(
                IFaultCourtErrors.CommitNotBeforeSlash.selector,
                vm.getBlockNumber(),
                vm.getBlockNumber()
            )
        );
        court.claim(1, evidence, copier, copier, "c");
        vm.expectRevert(
            abi.encodeWithSelector(
                IFaultCourtErrors.UnknownCommitment.selector,
                _commitment(ALICE, copier, faultId, evidence, "a")
            )
        );
        court.claim(1, evidence, ALICE, copier, "a");

        // The later one claims first, the earlier one takes it over; not the other way round.
        court.claim(1, evidence, BOB, BOB, "b");
        vm.prank(copier); // whoever sends it, the committed beneficiary is paid
        court.claim(1, evidence, ALICE, ALICE, "a");
        uint64 best = court.bestClaimOf(faultId).commitBlock;
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.NotEarlier.selector, best + 1, best));
        court.claim(1, evidence, BOB, BOB, "b");

        uint256 closesAt = START + 30;
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.ClaimWindowOpen.selector, faultId, closesAt, START));
        court.release(faultId);
        vm.warp(closesAt);
        vm.expectRevert(
            abi.encodeWithSelector(IFaultCourtErrors.ClaimWindowClosed.selector, faultId, closesAt, closesAt)
        );
        court.claim(1, evidence, BOB, BOB, "b");
        court.release(faultId);
        _equal(registry.creditsOf(ALICE), 5 ether, "a tenth of 5 %");
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.AlreadyReleased.selector, faultId));
        court.release(faultId);
        vm.prank(ALICE);
        registry.withdrawCredits(BOB);
        _equal(token.balanceOf(BOB), 5 ether, "paid");
        _requireBooks();
    }

    /// @dev Catches evidence changed after the commit: the other order proves the same fault but was not committed to.
    function test_aClaimRevealsWhatWasCommitted() public {
        _active(1);
        uint64 position = _position(0);
        bytes memory evidence = _lie(nodeKeyOf(1), position, "a", "b");
        bytes memory swapped = _lie(nodeKeyOf(1), position, "b", "a");
        bytes32 faultId = _faultId(1, 1, evidence);
        court.commit(_commitment(ALICE, ALICE, faultId, evidence, "a"));
        vm.roll(vm.getBlockNumber() + 1);
        court.submit(1, swapped);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFaultCourtErrors.UnknownCommitment.selector,
                _commitment(ALICE, ALICE, faultId, swapped, "a")
            )
        );
        court.claim(1, swapped, ALICE, ALICE, "a");
        court.claim(1, evidence, ALICE, ALICE, "a");
    }

    /// @dev Catches a claim without proof: a guess of the fault id with bytes that accuse and prove nothing.
    function test_aGuessedCommitEarnsNothing() public {
        _active(1);
        bytes memory evidence = _lie(nodeKeyOf(1), 0);
        bytes memory guess = bytes.concat(evidence);
        guess[252] ^= 0x01;
        bytes32 faultId = _faultId(1, 1, evidence);
        court.commit(_commitment(BOB, BOB, faultId, guess, "b"));
        vm.roll(vm.getBlockNumber() + 1);
        court.submit(1, evidence);
        try court.claim(1, guess, BOB, BOB, "b") {
            revert("a guess earned the reward");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IFaultVerifier.BadSignature.selector, "another error");
        }
        _pass(30);
        (, , , , uint256 before) = registry.totals();
        court.release(faultId);
        (, , , uint256 escrow, uint256 burnable) = registry.totals();
        _equal(escrow, 0, "escrow");
        _equal(burnable, before + 5 ether, "nobody claimed, so it burns");
        registry.burn();
        _equal(token.totalSupply(), 1e27 - 50 ether, "burned");
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.NothingToBurn.selector));
        registry.burn();
    }

    /// @dev Catches a claim judged as of now: a key slashed in the last second of its evidence window is out of it a second on.
    function test_aClaimIsJudgedAsOfTheSlash() public {
        uint64 stakeId = _active(1);
        bytes memory evidence = _lie(nodeKeyOf(1), 0);
        bytes32 faultId = _faultId(1, stakeId, evidence);
        _rotate(stakeId, nodeKeyOf(2));
        court.commit(_commitment(ALICE, ALICE, faultId, evidence, "a"));
        vm.roll(vm.getBlockNumber() + 1);
        uint256 punishableUntil = START + 20 + 600;
        vm.warp(punishableUntil);
        court.submit(1, evidence);
        _pass(1);
        court.claim(1, evidence, ALICE, ALICE, "a");
        vm.expectRevert(
            abi.encodeWithSelector(
                IFaultVerifier.EvidenceTooOld.selector,
                vm.addr(nodeKeyOf(1)),
                punishableUntil,
                punishableUntil + 1
            )
        );
        court.submit(1, evidence);
    }

    function test_aCommitCountsOnce() public {
        court.commit("c");
        _equal(court.commitBlockOf("c"), block.number, "block");
        vm.expectRevert(
            abi.encodeWithSelector(IFaultCourtErrors.AlreadyCommitted.selector, bytes32("c"), block.number)
        );
        court.commit("c");
    }

    /// @dev Catches shares that reach a fifth: reporting oneself must lose at least 80 % of what is slashed.
    function testFuzz_reportingOneselfLoses(uint96 amount) public {
        amount = MIN_STAKE + (amount % 1e26);
        _register(1, amount);
        bytes memory evidence = _lie(nodeKeyOf(1), 0);
        bytes32 faultId = _faultId(1, 1, evidence);
        court.commit(_commitment(ALICE, ALICE, faultId, evidence, "a"));
        vm.roll(vm.getBlockNumber() + 1);
        court.submit(1, evidence);
        court.claim(1, evidence, ALICE, ALICE, "a");
        _pass(30);
        court.release(faultId);
        uint256 charged = amount - registry.stakeOf(1).amount;
        _equal(charged, (uint256(amount) * 500) / 10_000, "charged");
        require(registry.creditsOf(ALICE) * 5 <= charged, "more than a fifth came back");
        _requireBooks();
    }

    // --- settlement ------------------------------------------------------------------------------

    /// @dev Catches another share than that of the offenders around the fault, and a window that closes early.
    function test_theCorrelatedPart() public {
        for (uint256 n = 1; n <= 10; ++n) {
            _active(n);
        }
        bytes32 first = court.submit(1, _lie(nodeKeyOf(1), 0)); // of 10,000 bonded
        _pass(2 * BUCKET);
        court.submit(1, _lie(nodeKeyOf(2), 0)); // two buckets on: counts
        _pass(BUCKET - 1);
        court.submit(2, _spam(nodeKeyOf(2), 0)); // same stake, same period: counts once
        uint256 closes = START + 3 * BUCKET;
        _equal(registry.settleableAt(first), closes, "settleable");
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.SettlementTooEarly.selector, first, closes, closes - 1)
        );
        registry.settle(first);
        vm.warp(closes);
        court.submit(1, _lie(nodeKeyOf(3), 0)); // three buckets on: does not count
        registry.settle(first);
        uint256 due = (uint256(150 ether) * 2000 ether) / _rounded(10_000 ether);
        _equal(registry.stakeOf(1).amount, 950 ether - due, "50 x 3 x 2,000 / 10,000");
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.AlreadySettled.selector, first));
        registry.settle(first);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.UnknownFault.selector, bytes32("none")));
        registry.settle("none");
        _equal(registry.settleableAt(first), 0, "nothing left");
        _requireBooks();
    }

    /// @dev Catches settlements that add up, or whose order matters: two faults of one period, in both orders.
    function testFuzz_theOrderOfSettlementsDoesNotMatter(bool swap, uint8 gap) public {
        for (uint256 n = 1; n <= 4; ++n) {
            _active(n);
        }
        bytes32 small = court.submit(2, _spam(nodeKeyOf(1), 0));
        _pass(uint256(gap) * 2);
        court.submit(1, _lie(nodeKeyOf(2), 0));
        bytes32 large = court.submit(1, _lie(nodeKeyOf(1), 0));
        vm.warp(registry.settleableAt(large));
        registry.settle(swap ? large : small);
        registry.settle(swap ? small : large);
        // The larger part alone: 50 x 3 x 2,000 / 3,940 (10 of the first and 50 of the second were gone).
        uint256 due = (uint256(150 ether) * 2000 ether) / _rounded(4000 ether - 10 ether - 50 ether);
        _equal(registry.stakeOf(1).amount, 950 ether - due, "amount");
        _equal(registry.stakeOf(1).unsettled, 0, "unsettled");
    }

    /// @dev Catches evidence refused, or money invented, where nothing is left: a withdrawn stake.
    function test_evidenceAgainstAWithdrawnStakeCostsNothing() public {
        uint64 stakeId = _active(1);
        _unbond(stakeId);
        _pass(1500);
        _withdraw(stakeId);
        bytes32 faultId = court.submit(1, _lie(nodeKeyOf(1), 0));
        _equal(court.faultOf(faultId).escrowed, 0, "escrow");
        _equal(registry.settleableAt(faultId), 0, "nothing to settle");
        _equal(registry.stakeOf(stakeId).unsettled, 0, "unsettled");
        require(registry.stakeOf(stakeId).tombstoned, "tombstone");
        _pass(30);
        court.release(faultId);
        _requireBooks();
    }

    // --- the list --------------------------------------------------------------------------------

    function test_theListIsChecked() public {
        FaultRule[] memory rules = _rules(500, 100);
        rules[1].faultType = 3;
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.BadVerifier.selector, rules[1].verifier, 3));
        new FaultCourt(address(registry), rules, 1000);
        rules[1] = rules[0];
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.BadRule.selector, "faultType twice", 1, 1));
        new FaultCourt(address(registry), rules, 1000);
        rules = _rules(500, 10_001);
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.BadRule.selector, "penaltyBps", 10_001, 10_000));
        new FaultCourt(address(registry), rules, 1000);
        rules = _rules(500, 100);
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.BadRule.selector, "rewardBps", 2001, 2000));
        new FaultCourt(address(registry), rules, 2001);
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.BadRule.selector, "rules", 5, 4));
        new FaultCourt(address(registry), new FaultRule[](5), 1000);
        vm.expectRevert(abi.encodeWithSelector(IFaultCourtErrors.UnknownFaultType.selector, 4));
        court.submit(4, "");
        require(court.verifierOf(0) == address(0) && court.verifierOf(2) == address(overruns), "verifiers");
        (uint16 bps, bool tombstones) = court.penaltyOf(1);
        require(bps == 500 && tombstones, "penalty");
    }

    /// @dev A total as a fault's record keeps it: in units of 2^32 wei, rounded up.
    function _rounded(uint256 amount) private pure returns (uint256) {
        return ((amount + 2 ** 32 - 1) >> 32) << 32;
    }

    function _commitment(
        address reporter,
        address beneficiary,
        bytes32 faultId,
        bytes memory evidence,
        bytes32 salt
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(reporter, beneficiary, faultId, keccak256(evidence), salt));
    }
}
