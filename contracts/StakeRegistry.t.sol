// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IStakeRegistryErrors, ProtocolParams} from "./interfaces/IStakeRegistry.sol";
import {StakeRegistry} from "./StakeRegistry.sol";
import {EgiToken} from "./EgiToken.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {World} from "./testing/World.t.sol";

/// @dev Says no to everybody.
contract NobodyIsAPerson {
    function isPerson(address, address, bytes calldata) external pure returns (bool) {
        return false;
    }
}

/// @notice The life of a stake. Each test says which broken contract it catches.
contract StakeRegistryTest is World {
    // --- registration ----------------------------------------------------------------------------

    function test_registrationIsAsSaid() public {
        uint64 stakeId = _register(1, 1500 ether);
        Stake memory stake = registry.stakeOf(stakeId);
        require(stakeId == 1 && stake.operator == operatorOf(1) && stake.person == vm.addr(personKeyOf(1)), "who");
        require(stake.status == Status.Pending && stake.nodeKey == vm.addr(nodeKeyOf(1)), "what");
        _equal(stake.amount, 1500 ether, "amount");
        _equal(stake.minStake, MIN_STAKE, "minimum");
        _equal(stake.drawBlock, block.number + 2, "draw block");
        _equal(registry.keyRecord(stake.nodeKey).fromEpoch, registry.currentEpoch(), "tenure");
        _requireBooks();
    }

    /// @dev Catches a registry that leaves operator, key, registry or deadline out of what is signed.
    function test_aCopiedRegistrationRegistersNothing() public {
        NodeKeyProof memory key = _possession(operatorOf(1), nodeKeyOf(1), NO_DEADLINE);
        PersonProof memory person = _consent(operatorOf(1), nodeKeyOf(1), personKeyOf(1), NO_DEADLINE);
        Permit memory none;
        address thief = operatorOf(2);
        _fund(thief, MIN_STAKE);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.BadPossessionSignature.selector, vm.addr(nodeKeyOf(1)))
        );
        vm.prank(thief);
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);

        // With a key of the thief's own, the person is still not theirs.
        key = _possession(thief, nodeKeyOf(2), NO_DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.BadPersonSignature.selector, person.person));
        vm.prank(thief);
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);

        // Another deadline than the signed one.
        key = _possession(operatorOf(1), nodeKeyOf(1), NO_DEADLINE);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.BadPossessionSignature.selector, vm.addr(nodeKeyOf(1)))
        );
        vm.prank(operatorOf(1));
        registry.register(MIN_STAKE, NO_DEADLINE - 1, key, person, none);
    }

    /// @dev Catches a registry that takes the public key on trust.
    function test_thePublicKeyIsThatOfTheSigner() public {
        NodeKeyProof memory key = _possession(operatorOf(1), nodeKeyOf(1), NO_DEADLINE);
        key.publicKeyY = bytes32(uint256(key.publicKeyY) ^ 1);
        PersonProof memory person = _consent(operatorOf(1), nodeKeyOf(1), personKeyOf(1), NO_DEADLINE);
        Permit memory none;
        vm.expectRevert(
            abi.encodeWithSelector(
                IStakeRegistryErrors.BadPossessionSignature.selector,
                Signatures.addressOf(key.publicKeyX, key.publicKeyY)
            )
        );
        vm.prank(operatorOf(1));
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);
    }

    /// @dev Catches a missing check of the deadline, and one that is a second off.
    function test_deadline() public {
        _fund(operatorOf(1), MIN_STAKE);
        NodeKeyProof memory key = _possession(operatorOf(1), nodeKeyOf(1), START);
        PersonProof memory person = _consent(operatorOf(1), nodeKeyOf(1), personKeyOf(1), START);
        Permit memory none;
        vm.warp(START + 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.DeadlinePassed.selector, START, START + 1));
        vm.prank(operatorOf(1));
        registry.register(MIN_STAKE, START, key, person, none);
        vm.warp(START);
        vm.prank(operatorOf(1));
        registry.register(MIN_STAKE, START, key, person, none);
    }

    /// @dev Catches a second stake for an operator, a person or a key, also after rotation and withdrawal.
    function test_oneStakeEach() public {
        uint64 stakeId = _register(1);
        Permit memory none;

        NodeKeyProof memory key = _possession(operatorOf(1), nodeKeyOf(2), NO_DEADLINE);
        PersonProof memory person = _consent(operatorOf(1), nodeKeyOf(2), personKeyOf(2), NO_DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.OperatorHasStake.selector, operatorOf(1), stakeId));
        vm.prank(operatorOf(1));
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);

        key = _possession(operatorOf(2), nodeKeyOf(2), NO_DEADLINE);
        person = _consent(operatorOf(2), nodeKeyOf(2), personKeyOf(1), NO_DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.PersonHasStake.selector, person.person, stakeId));
        vm.prank(operatorOf(2));
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);

        _rotate(stakeId, nodeKeyOf(9));
        _unbond(stakeId);
        _pass(1500);
        _withdraw(stakeId);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 old = i == 0 ? nodeKeyOf(1) : nodeKeyOf(9);
            key = _possession(operatorOf(1), old, NO_DEADLINE);
            person = _consent(operatorOf(1), old, personKeyOf(1), NO_DEADLINE);
            vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.KeyTaken.selector, vm.addr(old), stakeId));
            vm.prank(operatorOf(1));
            registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);
        }

        // Operator and person are free, with a fresh key.
        key = _possession(operatorOf(1), nodeKeyOf(3), NO_DEADLINE);
        person = _consent(operatorOf(1), nodeKeyOf(3), personKeyOf(1), NO_DEADLINE);
        vm.prank(operatorOf(1));
        token.approve(address(registry), MIN_STAKE);
        vm.prank(operatorOf(1));
        _equal(registry.register(MIN_STAKE, NO_DEADLINE, key, person, none), 2, "the next id");
    }

    function test_minimumAndPerson() public {
        NodeKeyProof memory key = _possession(operatorOf(1), nodeKeyOf(1), NO_DEADLINE);
        PersonProof memory person = _consent(operatorOf(1), nodeKeyOf(1), personKeyOf(1), NO_DEADLINE);
        Permit memory none;
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.BelowMinimum.selector, MIN_STAKE - 1, MIN_STAKE));
        vm.prank(operatorOf(1));
        registry.register(MIN_STAKE - 1, NO_DEADLINE, key, person, none);

        registry.setPersonVerifier(address(new NobodyIsAPerson()));
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.NotAPerson.selector, person.person));
        vm.prank(operatorOf(1));
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);
    }

    /// @dev Catches a registration that dies when somebody used its permit first.
    function test_aPermitUsedByAnotherStillRegisters() public {
        uint256 operatorKey = 0xC01D;
        address operator = vm.addr(operatorKey);
        token.transfer(operator, MIN_STAKE);
        bytes32 typehash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        bytes32 structHash = keccak256(
            abi.encode(typehash, operator, address(registry), uint256(MIN_STAKE), 0, NO_DEADLINE)
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            operatorKey,
            keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash))
        );
        token.permit(operator, address(registry), MIN_STAKE, NO_DEADLINE, v, r, s);
        NodeKeyProof memory key = _possession(operator, nodeKeyOf(1), NO_DEADLINE);
        PersonProof memory person = _consent(operator, nodeKeyOf(1), personKeyOf(1), NO_DEADLINE);
        vm.prank(operator);
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, Permit(NO_DEADLINE, v, r, s));
    }

    // --- the draw --------------------------------------------------------------------------------

    /// @dev Catches a placement that depends on who activates or when.
    function testFuzz_aPlacementIsTheSameWhoeverAndWhenever(address who, uint8 later, bytes32 mix) public {
        uint64 stakeId = _register(1);
        uint256 drawBlock = registry.stakeOf(stakeId).drawBlock;
        vm.roll(drawBlock + 1 + later);
        bytes memory header = _header(drawBlock, mix);
        vm.setBlockhash(drawBlock, keccak256(header));
        vm.prank(who);
        registry.activate(stakeId, header);
        require(registry.stakeOf(stakeId).placement == keccak256(abi.encode(mix, stakeId)), "placement");
    }

    /// @dev Catches a draw from another block, from a header nobody mined, before its block, or of endless length.
    function test_onlyTheRightHeaderDraws() public {
        uint64 stakeId = _register(1);
        uint256 drawBlock = registry.stakeOf(stakeId).drawBlock;
        bytes memory header = _header(drawBlock, "mix");
        vm.roll(drawBlock);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.HeaderHashMismatch.selector, drawBlock, keccak256(header))
        );
        registry.activate(stakeId, header);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.DrawStillPossible.selector, stakeId, drawBlock));
        registry.renewDraw(stakeId);

        vm.roll(drawBlock + 1);
        vm.setBlockhash(drawBlock, keccak256(header));
        bytes memory other = _header(drawBlock, "other");
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.HeaderHashMismatch.selector, drawBlock, keccak256(other))
        );
        registry.activate(stakeId, other);
        other = _header(drawBlock - 1, "mix");
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.WrongHeader.selector, drawBlock - 1, drawBlock));
        registry.activate(stakeId, other);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.HeaderTooLong.selector, 2049, 2048));
        registry.activate(stakeId, new bytes(2049));

        registry.activate(stakeId, header);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.WrongStatus.selector, stakeId, uint8(Status.Active))
        );
        registry.activate(stakeId, header);
    }

    /// @dev Catches a free second try at a place, and a draw that can be renewed while its header can be shown.
    function test_aMissedDrawCostsOnePercent() public {
        uint64 stakeId = _register(1);
        uint256 drawBlock = registry.stakeOf(stakeId).drawBlock;
        vm.roll(drawBlock + 9000);
        registry.renewDraw(stakeId);
        Stake memory stake = registry.stakeOf(stakeId);
        _equal(stake.amount, 990 ether, "amount");
        _equal(stake.drawBlock, block.number + 2, "draw block");
        (, , , , uint256 burnable) = registry.totals();
        _equal(burnable, 10 ether, "burnable");
        _requireBooks();
    }

    // --- rotation --------------------------------------------------------------------------------

    /// @dev Catches two keys in one epoch, a second pending rotation, and a rotation by or for the wrong one.
    function test_rotationTakesEffectTwoEpochsAhead() public {
        uint64 stakeId = _register(1);
        uint64 epoch = registry.currentEpoch();
        _rotate(stakeId, nodeKeyOf(2));
        KeyRecord memory old = registry.keyRecord(vm.addr(nodeKeyOf(1)));
        KeyRecord memory next = registry.keyRecord(vm.addr(nodeKeyOf(2)));
        require(old.untilEpoch == epoch + 2 && next.fromEpoch == epoch + 2 && next.untilEpoch == 0, "tenures");

        NodeKeyProof memory proof = _possession(operatorOf(1), nodeKeyOf(3), NO_DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.RotationPending.selector, stakeId, epoch + 2));
        vm.prank(operatorOf(1));
        registry.rotate(stakeId, NO_DEADLINE, proof);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.NotOperator.selector, stakeId, operatorOf(2)));
        vm.prank(operatorOf(2));
        registry.rotate(stakeId, NO_DEADLINE, proof);

        _pass(20);
        proof = _possession(operatorOf(1), nodeKeyOf(1), NO_DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.KeyTaken.selector, vm.addr(nodeKeyOf(1)), stakeId));
        vm.prank(operatorOf(1));
        registry.rotate(stakeId, NO_DEADLINE, proof);
        _rotate(stakeId, nodeKeyOf(3));
    }

    /// @dev Catches a jail or tombstone that hangs on the key.
    function test_jailAndTombstoneSurviveRotation() public {
        uint64 stakeId = _active(1);
        court.submit(2, _spam(nodeKeyOf(1), 0));
        uint64 jailedUntil = registry.stakeOf(stakeId).jailedUntil;
        _rotate(stakeId, nodeKeyOf(2));
        _equal(registry.stakeOf(stakeId).jailedUntil, jailedUntil, "jail");

        court.submit(1, _lie(nodeKeyOf(1), 0));
        require(registry.stakeOf(stakeId).tombstoned, "tombstone");
        _pass(20);
        NodeKeyProof memory proof = _possession(operatorOf(1), nodeKeyOf(3), NO_DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.IsTombstoned.selector, stakeId));
        vm.prank(operatorOf(1));
        registry.rotate(stakeId, NO_DEADLINE, proof);
    }

    // --- exit ------------------------------------------------------------------------------------

    /// @dev Catches a withdrawal a second early, and one that stays shut a second late.
    function testFuzz_noWithdrawalBeforeItsTime(uint256 seconds_) public {
        seconds_ = 1495 + (seconds_ % 10);
        uint64 stakeId = _active(1);
        _unbond(stakeId);
        uint256 readyAt = registry.stakeOf(stakeId).readyAt;
        _equal(readyAt, _now() + 1500, "ready");
        _pass(seconds_);
        if (_now() < readyAt) {
            vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.NotReady.selector, stakeId, readyAt, _now()));
        }
        vm.prank(operatorOf(1));
        registry.withdraw(stakeId, operatorOf(7));
        if (_now() >= readyAt) _equal(token.balanceOf(operatorOf(7)), MIN_STAKE, "paid");
        _requireBooks();
    }

    /// @dev Catches money out of reach before it is out of the door.
    function testFuzz_slashableToTheLastSecond(uint256 seconds_) public {
        seconds_ = 1490 + (seconds_ % 40);
        uint64 stakeId = _active(1);
        _unbond(stakeId);
        uint256 readyAt = registry.stakeOf(stakeId).readyAt;
        _pass(seconds_);
        court.submit(1, _lie(nodeKeyOf(1), 0));
        _equal(registry.stakeOf(stakeId).amount, 950 ether, "slashed");
        _equal(registry.stakeOf(stakeId).readyAt, readyAt, "the exit is as long as it was");
        (, uint256 unbonding, , , ) = registry.totals();
        _equal(unbonding, 950 ether, "unbonding");

        // Nor does it leave before its fault is settled.
        vm.warp(readyAt);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.Unsettled.selector, stakeId, 1));
        vm.prank(operatorOf(1));
        registry.withdraw(stakeId, operatorOf(1));
        _requireBooks();
    }

    /// @dev Catches a tombstone that frees its person or operator for another try.
    function test_aTombstoneNeverFreesOperatorAndPerson() public {
        uint64 stakeId = _active(1);
        bytes memory evidence = _lie(nodeKeyOf(1), 0);
        bytes32 faultId = court.submit(1, evidence);
        _unbond(stakeId);
        _pass(1500);
        registry.settle(faultId);
        _withdraw(stakeId);
        _equal(registry.stakeOfOperator(operatorOf(1)), stakeId, "operator");
        _equal(registry.stakeOfPerson(vm.addr(personKeyOf(1))), stakeId, "person");

        // More evidence is taken and costs nothing.
        court.submit(1, _lie(nodeKeyOf(1), 1));
        _requireBooks();
    }

    /// @dev Catches an exit that can be joined anew, or topped up to be paid out sooner.
    function test_noWayBackFromAnExit() public {
        uint64 stakeId = _active(1);
        _unbond(stakeId);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.WrongStatus.selector, stakeId, uint8(Status.Unbonding))
        );
        registry.topUp(stakeId, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.WrongStatus.selector, stakeId, uint8(Status.Unbonding))
        );
        vm.prank(operatorOf(1));
        registry.unbond(stakeId);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.UnknownStake.selector, 9));
        vm.prank(operatorOf(1));
        registry.unbond(9);
    }

    // --- jail ------------------------------------------------------------------------------------

    /// @dev Catches a jail that opens a second early, for anyone, or below the registered minimum.
    function test_unjail() public {
        uint64 stakeId = _active(1);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.NotJailed.selector, stakeId));
        vm.prank(operatorOf(1));
        registry.unjail(stakeId);
        court.submit(2, _spam(nodeKeyOf(1), 0));
        uint256 until = _now() + 60;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.StillJailed.selector, stakeId, until));
        vm.prank(operatorOf(1));
        registry.unjail(stakeId);
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.BelowMinimum.selector, 990 ether, MIN_STAKE));
        vm.prank(operatorOf(1));
        registry.unjail(stakeId);

        // A higher minimum for others changes nothing for this one.
        registry.setMinStake(2 * MIN_STAKE);
        token.approve(address(registry), 10 ether);
        registry.topUp(stakeId, 10 ether);
        _unjail(stakeId);
        _equal(registry.stakeOf(stakeId).jailedUntil, 0, "jail");
    }

    // --- owner -----------------------------------------------------------------------------------

    /// @dev Catches an owner's right without its bounds, and one that reaches beyond new registrations.
    function test_aPauseMovesNobodysMoneyOrDeadline() public {
        uint64 stakeId = _active(1);
        _unbond(stakeId);
        Stake memory before = registry.stakeOf(stakeId);
        registry.pauseRegistrations(7 days);
        require(keccak256(abi.encode(registry.stakeOf(stakeId))) == keccak256(abi.encode(before)), "the stake moved");

        NodeKeyProof memory key = _possession(operatorOf(2), nodeKeyOf(2), NO_DEADLINE);
        PersonProof memory person = _consent(operatorOf(2), nodeKeyOf(2), personKeyOf(2), NO_DEADLINE);
        Permit memory none;
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.RegistrationsPaused.selector, _now() + 7 days));
        vm.prank(operatorOf(2));
        registry.register(MIN_STAKE, NO_DEADLINE, key, person, none);

        court.submit(1, _lie(nodeKeyOf(1), 0));
        vm.warp(_now() + 7 days);
        _register(2);
        uint256 next = _now() + 7 days;
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.PauseTooSoon.selector, next));
        registry.pauseRegistrations(1);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.PauseTooLong.selector, 7 days + 1, 7 days));
        registry.pauseRegistrations(7 days + 1);
        vm.warp(next);
        registry.pauseRegistrations(1);
    }

    function test_onlyTheOwnerAndOnlyTheCourt() public {
        bytes4 unauthorized = bytes4(keccak256("OwnableUnauthorizedAccount(address)"));
        vm.expectRevert(abi.encodeWithSelector(unauthorized, operatorOf(1)));
        vm.prank(operatorOf(1));
        registry.setMinStake(1);
        vm.expectRevert(abi.encodeWithSelector(unauthorized, operatorOf(1)));
        vm.prank(operatorOf(1));
        registry.setPersonVerifier(address(people));
        vm.expectRevert(abi.encodeWithSelector(unauthorized, operatorOf(1)));
        vm.prank(operatorOf(1));
        registry.pauseRegistrations(1);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.NotCourt.selector, address(this)));
        registry.slash(1, 0, 1, 1, false);
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.NotCourt.selector, address(this)));
        registry.releaseEscrow(0, address(this));
    }

    // --- deployment ------------------------------------------------------------------------------

    /// @dev Catches a deployment whose windows do not fit into each other.
    function test_parametersMustFit() public {
        ProtocolParams memory p = params();
        p.unbondingSeconds = 600 + 30 + 600 + 10;
        _refuse(p, "receiptLife + response + evidenceWindow + skew", 1240, 1240);
        p.unbondingSeconds = 1241;
        p.correlationSeconds = 1241;
        _refuse(p, "correlationSeconds", 1241, 1241);
        p = params();
        p.receiptLifeSeconds = 601;
        _refuse(p, "receiptLifeSeconds", 601, 600);
        p = params();
        p.skewSeconds = 11;
        _refuse(p, "skewSeconds", 11, 10);
        p = params();
        p.gossipLimit = 0;
        _refuse(p, "gossipLimit", 0, 1);
        p = params();
        p.correlationSeconds = 3;
        _refuse(p, "correlationSeconds", 3, 4);
    }

    function test_aSupplyThatCouldOverflowIsRefused() public {
        uint256 limit = (1 << 96) - (1 << 32);
        EgiToken vast = new EgiToken(address(this), limit + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IStakeRegistryErrors.BadParams.selector, "token supply", limit + 1, limit)
        );
        new StakeRegistry(params(), address(vast), address(1), address(people), MIN_STAKE, address(this), 0);
    }

    /// @dev Catches a domain that a fork with another chain id would share.
    function test_aForkHasAnotherDomain() public {
        bytes32 home = registry.domainSeparator();
        vm.chainId(5);
        require(registry.domainSeparator() != home, "same domain");
        vm.chainId(31337);
        require(registry.domainSeparator() == home, "not the same domain");
    }

    function _refuse(ProtocolParams memory p, string memory what, uint256 value, uint256 limit) private {
        vm.expectRevert(abi.encodeWithSelector(IStakeRegistryErrors.BadParams.selector, what, value, limit));
        new StakeRegistry(p, address(token), address(1), address(people), MIN_STAKE, address(this), 0);
    }
}
