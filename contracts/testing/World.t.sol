// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";
import {EgiToken} from "../EgiToken.sol";
import {AvailabilityChallenge} from "../AvailabilityChallenge.sol";
import {FaultCourt} from "../FaultCourt.sol";
import {PermissivePersonVerifier} from "../PermissivePersonVerifier.sol";
import {StakeRegistry} from "../StakeRegistry.sol";
import {EquivocationVerifier} from "../faults/EquivocationVerifier.sol";
import {OverrunVerifier} from "../faults/OverrunVerifier.sol";
import {IFaultCourtTypes} from "../interfaces/IFaultCourt.sol";
import {IStakeRegistryTypes, ProtocolParams} from "../interfaces/IStakeRegistry.sol";
import {Secp256k1} from "./Secp256k1.sol";
import {Vm} from "./Vm.sol";

/// @notice All contracts on a fresh chain, and what a test needs to play with them.
/// Person n has operator `operatorOf(n)`, node key `nodeKeyOf(n)` and person key `personKeyOf(n)`. Ids count from 1 by registration.
/// A header can be shown because the test sets its hash with `vm.setBlockhash`.
abstract contract World is IStakeRegistryTypes, IFaultCourtTypes {
    using RLP for RLP.Encoder;

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint96 internal constant MIN_STAKE = 1000 ether;
    uint256 internal constant START = 1_800_000_000; // the beginning of a bucket and of an epoch
    uint256 internal constant BUCKET = 300;
    uint256 internal constant NO_DEADLINE = type(uint256).max;

    EgiToken internal token;
    StakeRegistry internal registry;
    FaultCourt internal court;
    EquivocationVerifier internal equivocations;
    OverrunVerifier internal overruns;
    AvailabilityChallenge internal challenges;
    PermissivePersonVerifier internal people;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1000);
        token = new EgiToken(address(this), 1e27);
        people = new PermissivePersonVerifier();
        _deployWith(500, 100);
    }

    /// @dev Everything but the token anew, with these penalties for F1 and F2.
    function _deployWith(uint16 equivocationBps, uint16 overrunBps) internal {
        address nextCourt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 4);
        registry = new StakeRegistry(
            params(),
            address(token),
            nextCourt,
            address(people),
            MIN_STAKE,
            address(this),
            keccak256("node")
        );
        equivocations = new EquivocationVerifier(address(registry));
        overruns = new OverrunVerifier(address(registry));
        challenges = new AvailabilityChallenge(address(registry));
        court = new FaultCourt(address(registry), _rules(equivocationBps, overrunBps), 1000);
        require(address(court) == nextCourt, "court address");
    }

    function _rules(uint16 equivocationBps, uint16 overrunBps) internal view returns (FaultRule[] memory rules) {
        rules = new FaultRule[](3);
        rules[0] = FaultRule(1, address(equivocations), equivocationBps, true);
        rules[1] = FaultRule(2, address(overruns), overrunBps, false);
        rules[2] = FaultRule(3, address(challenges), 1000, false);
    }

    function params() internal pure returns (ProtocolParams memory p) {
        p = ProtocolParams(10, 65_536, 65_536, 65_536, 600, 30, 10, 600, 10, 1500, 30, 60, 1200, 2);
    }

    // --- who -------------------------------------------------------------------------------------

    function operatorOf(uint256 n) internal pure returns (address) {
        return address(uint160(0x0BE2A70000 + n));
    }

    function nodeKeyOf(uint256 n) internal pure returns (uint256) {
        return 0xA11CE000 + n;
    }

    function personKeyOf(uint256 n) internal pure returns (uint256) {
        return 0x9E2507000 + n;
    }

    // --- life of a stake -------------------------------------------------------------------------

    function _register(uint256 n) internal returns (uint64) {
        return _register(n, MIN_STAKE);
    }

    function _register(uint256 n, uint96 amount) internal returns (uint64 stakeId) {
        address operator = operatorOf(n);
        _fund(operator, amount);
        NodeKeyProof memory key = _possession(operator, nodeKeyOf(n), NO_DEADLINE);
        PersonProof memory person = _consent(operator, nodeKeyOf(n), personKeyOf(n), NO_DEADLINE);
        Permit memory none;
        vm.prank(operator);
        return registry.register(amount, NO_DEADLINE, key, person, none);
    }

    function _active(uint256 n) internal returns (uint64 stakeId) {
        stakeId = _register(n);
        _activate(stakeId, keccak256(abi.encode("mix", stakeId)));
    }

    function _activate(uint64 stakeId, bytes32 mix) internal {
        uint256 drawBlock = registry.stakeOf(stakeId).drawBlock;
        vm.roll(drawBlock + 1);
        bytes memory header = _header(drawBlock, mix);
        vm.setBlockhash(drawBlock, keccak256(header));
        registry.activate(stakeId, header);
    }

    function _fund(address operator, uint96 amount) internal {
        token.transfer(operator, amount);
        vm.prank(operator);
        token.approve(address(registry), amount);
    }

    function _rotate(uint64 stakeId, uint256 newKey) internal {
        address operator = registry.stakeOf(stakeId).operator;
        NodeKeyProof memory proof = _possession(operator, newKey, NO_DEADLINE);
        vm.prank(operator);
        registry.rotate(stakeId, NO_DEADLINE, proof);
    }

    function _unbond(uint64 stakeId) internal {
        vm.prank(registry.stakeOf(stakeId).operator);
        registry.unbond(stakeId);
    }

    function _unjail(uint64 stakeId) internal {
        vm.prank(registry.stakeOf(stakeId).operator);
        registry.unjail(stakeId);
    }

    function _withdraw(uint64 stakeId) internal {
        address operator = registry.stakeOf(stakeId).operator;
        vm.prank(operator);
        registry.withdraw(stakeId, operator);
    }

    /// @dev Warning: the compiler takes `block.timestamp` for constant within a function, which `vm.warp` breaks.
    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _pass(uint256 seconds_) internal {
        vm.warp(_now() + seconds_);
        vm.roll(block.number + 1);
    }

    // --- signatures ------------------------------------------------------------------------------

    function _possession(
        address operator,
        uint256 key,
        uint256 deadline
    ) internal view returns (NodeKeyProof memory proof) {
        (proof.publicKeyX, proof.publicKeyY) = Secp256k1.publicKey(key);
        proof.signature = _sign(key, _consentDigest("KeyPossession", operator, vm.addr(key), deadline));
    }

    function _consent(
        address operator,
        uint256 nodeKey,
        uint256 personKey,
        uint256 deadline
    ) internal view returns (PersonProof memory proof) {
        proof.person = vm.addr(personKey);
        proof.signature = _sign(personKey, _consentDigest("PersonConsent", operator, vm.addr(nodeKey), deadline));
    }

    function _consentDigest(
        string memory name,
        address operator,
        address nodeKey,
        uint256 deadline
    ) internal view returns (bytes32) {
        bytes32 typehash = keccak256(
            abi.encodePacked(name, "(address operator,address nodeKey,address registry,uint256 deadline)")
        );
        return _typed(keccak256(abi.encode(typehash, operator, nodeKey, address(registry), deadline)));
    }

    function _typed(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", registry.domainSeparator(), structHash));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // --- evidence --------------------------------------------------------------------------------

    /// @dev content || r || vs
    function _side(
        uint256 key,
        uint8 kind,
        bytes32 scope,
        uint64 position,
        bytes32 content
    ) internal view returns (bytes memory) {
        bytes32 typehash = keccak256("Statement(uint8 kind,bytes32 scope,uint64 position,bytes32 content)");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            key,
            _typed(keccak256(abi.encode(typehash, kind, scope, position, content)))
        );
        return abi.encodePacked(content, r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    /// @dev F1: two GOSSIP contents at `index` of this epoch.
    function _lie(uint256 key, uint32 index) internal view returns (bytes memory) {
        return _lie(key, _position(index), "this", "that");
    }

    function _lie(uint256 key, uint64 position, bytes32 a, bytes32 b) internal view returns (bytes memory) {
        return
            bytes.concat(
                abi.encodePacked(vm.addr(key), uint8(2), bytes32(0), position),
                _side(key, 2, 0, position, a),
                _side(key, 2, 0, position, b)
            );
    }

    /// @dev F2: GOSSIP at index 65,536 + `excess` of this epoch.
    function _spam(uint256 key, uint32 excess) internal view returns (bytes memory) {
        uint64 position = _position(65_536 + excess);
        return
            bytes.concat(
                abi.encodePacked(vm.addr(key), uint8(2), bytes32(0), position),
                _side(key, 2, 0, position, "spam")
            );
    }

    /// @dev One body under a statement of its own: signer | kind | scope | position | r | vs | leaf | pathLength | body.
    function _shown(uint256 key, uint8 kind, uint64 position, bytes memory body) internal view returns (bytes memory) {
        return _shownAt(key, kind, position, body, 0, new bytes32[](0));
    }

    function _shownAt(
        uint256 key,
        uint8 kind,
        uint64 position,
        bytes memory body,
        uint8 leaf,
        bytes32[] memory path
    ) internal view returns (bytes memory) {
        bytes32 content = _rootOf(body, leaf, path);
        bytes memory side = _side(key, kind, 0, position, content);
        bytes memory signature = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            signature[i] = side[32 + i];
        }
        return
            bytes.concat(
                abi.encodePacked(vm.addr(key), kind, bytes32(0), position),
                signature,
                abi.encodePacked(leaf, uint8(path.length), path),
                body
            );
    }

    function _rootOf(bytes memory body, uint256 leaf, bytes32[] memory path) internal pure returns (bytes32 node) {
        node = keccak256(abi.encodePacked(uint8(0), body));
        for (uint256 level = 0; level < path.length; ++level) {
            node =
                (leaf >> level) & 1 == 0
                    ? keccak256(abi.encodePacked(uint8(1), node, path[level]))
                    : keccak256(abi.encodePacked(uint8(1), path[level], node));
        }
    }

    /// @dev The EIP-712 digest of a statement without a scope.
    function _statementDigest(uint8 kind, uint64 position, bytes32 content) internal view returns (bytes32) {
        bytes32 typehash = keccak256("Statement(uint8 kind,bytes32 scope,uint64 position,bytes32 content)");
        return _typed(keccak256(abi.encode(typehash, kind, bytes32(0), position, content)));
    }

    function _position(uint32 index) internal view returns (uint64) {
        return (registry.currentEpoch() << 32) | index;
    }

    function _faultId(uint8 faultType, uint64 stakeId, bytes memory evidence) internal view returns (bytes32) {
        bytes memory head = new bytes(61);
        for (uint256 i = 0; i < 61; ++i) {
            head[i] = evidence[i];
        }
        return court.faultIdOf(faultType, stakeId, keccak256(head));
    }

    /// @dev A block header with `number` and `mix` in their places; the rest does not matter.
    function _header(uint256 number, bytes32 mix) internal pure returns (bytes memory) {
        RLP.Encoder memory fields = RLP.encoder();
        fields = fields.push(bytes32(0)).push(bytes32(0)).push(address(0)).push(bytes32(0)).push(bytes32(0));
        fields = fields.push(bytes32(0)).push(new bytes(256)).push(uint256(0)).push(number).push(uint256(30e6));
        fields = fields.push(uint256(0)).push(uint256(1)).push(bytes("")).push(mix).push(new bytes(8)).push(uint256(1));
        return fields.encode();
    }

    // --- expectations ----------------------------------------------------------------------------

    function _equal(uint256 given, uint256 wanted, string memory what) internal pure {
        require(given == wanted, string.concat(what, ": given ", _decimal(given), ", wanted ", _decimal(wanted)));
    }

    function _decimal(uint256 value) internal pure returns (string memory) {
        if (value < 10) return string(abi.encodePacked(uint8(48 + value)));
        return string.concat(_decimal(value / 10), string(abi.encodePacked(uint8(48 + (value % 10)))));
    }

    /// @dev The parts of the balance add up to it.
    function _requireBooks() internal view {
        (uint256 bonded, uint256 unbonding, uint256 credits, uint256 escrow, uint256 burnable) = registry.totals();
        _equal(bonded + unbonding + credits + escrow + burnable, token.balanceOf(address(registry)), "books");
    }
}
