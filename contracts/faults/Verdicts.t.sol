// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IFaultVerifier} from "../interfaces/IFaultVerifier.sol";
import {IStakeRegistryTypes, ProtocolParams} from "../interfaces/IStakeRegistry.sol";
import {Domain} from "../libraries/Domain.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {Statements} from "../libraries/Statements.sol";
import {Secp256k1} from "../testing/Secp256k1.sol";
import {Vm} from "../testing/Vm.sol";
import {EquivocationVerifier} from "./EquivocationVerifier.sol";
import {OverrunVerifier} from "./OverrunVerifier.sol";

/// @dev The registry that `test/vectors/evidence.json` speaks of.
contract VectorRegistry is IStakeRegistryTypes {
    ProtocolParams private _params;
    bytes32 public domainSeparator;
    mapping(address key => KeyRecord) private _keys;

    constructor(ProtocolParams memory p, bytes32 separator) {
        _params = p;
        domainSeparator = separator;
    }

    function setKey(address key, KeyRecord memory record) external {
        _keys[key] = record;
    }

    function params() external view returns (ProtocolParams memory) {
        return _params;
    }

    function keyRecord(address key) external view returns (KeyRecord memory) {
        return _keys[key];
    }
}

/// @notice The court's verdicts on the vectors that TypeScript is held to as well.
contract VerdictsTest is IStakeRegistryTypes {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Catches any change of an evidence check: dropping the low-s rule, the tenure or either window breaks a row.
    function test_evidenceVectors() public {
        string memory json = vm.readFile("test/vectors/evidence.json");
        IFaultVerifier[3] memory verifiers = _verifiers(json);
        string[] memory names = vm.parseJsonStringArray(json, ".name");
        uint256[] memory types = vm.parseJsonUintArray(json, ".faultType");
        bytes[] memory evidence = vm.parseJsonBytesArray(json, ".evidence");
        uint256[] memory times = vm.parseJsonUintArray(json, ".at");
        string[] memory verdicts = vm.parseJsonStringArray(json, ".verdict");
        uint256[] memory stakeIds = vm.parseJsonUintArray(json, ".stakeId");
        bytes32[] memory slots = vm.parseJsonBytes32Array(json, ".slot");
        require(names.length > 50, "few vectors");
        for (uint256 i = 0; i < names.length; ++i) {
            string memory given;
            try verifiers[types[i]].verify(evidence[i], times[i]) returns (uint64 stakeId, bytes32 slot) {
                given = "Proven";
                require(stakeId == stakeIds[i] && slot == slots[i], string.concat(names[i], ": another conviction"));
            } catch (bytes memory reason) {
                given = _nameOf(bytes4(reason));
            }
            require(
                keccak256(bytes(given)) == keccak256(bytes(verdicts[i])),
                string.concat(names[i], ": given ", given, ", wanted ", verdicts[i])
            );
        }
    }

    /// @dev Catches a changed type string, field order or slot packing.
    function test_statementVectors() public view {
        string memory json = vm.readFile("test/vectors/statements.json");
        bytes32 separator = vm.parseJsonBytes32(json, ".separator");
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kind");
        bytes32[] memory scopes = vm.parseJsonBytes32Array(json, ".scope");
        uint256[] memory positions = vm.parseJsonUintArray(json, ".position");
        bytes32[] memory contents = vm.parseJsonBytes32Array(json, ".content");
        bytes32[] memory digests = vm.parseJsonBytes32Array(json, ".digest");
        for (uint256 i = 0; i < kinds.length; ++i) {
            Statements.Slot memory slot = Statements.Slot(address(0), uint8(kinds[i]), scopes[i], uint64(positions[i]));
            require(Statements.digest(separator, slot, contents[i]) == digests[i], "digest");
        }
    }

    /// @dev Catches a recovery that takes a high s, a zero, another v or another length.
    function test_signatureVectors() public view {
        string memory json = vm.readFile("test/vectors/signatures.json");
        address signer = vm.parseJsonAddress(json, ".signer");
        bytes32[] memory digests = vm.parseJsonBytes32Array(json, ".digest");
        bytes[] memory signatures = vm.parseJsonBytesArray(json, ".signature");
        uint256[] memory vs = vm.parseJsonUintArray(json, ".v");
        bool[] memory recovers = vm.parseJsonBoolArray(json, ".recovers");
        string[] memory names = vm.parseJsonStringArray(json, ".name");
        for (uint256 i = 0; i < digests.length; ++i) {
            bytes memory packed = abi.encodePacked(signatures[i], uint8(vs[i]));
            bool given = this.recover(digests[i], packed) == signer;
            require(given == recovers[i], names[i]);
        }
    }

    /// @dev Catches a recovery from EIP-2098 that takes a high s: a liar chooses s first and the key to it afterwards.
    function test_halfTheOrderIsTheLargestS() public view {
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes32 digest = keccak256("a statement");
        (bytes32 r, bytes32 y) = Secp256k1.publicKey(0x5EC2E7);
        (bool ok, bytes memory inverse) = address(5).staticcall(abi.encode(32, 32, 32, uint256(r), order - 2, order));
        require(ok, "modexp");
        for (uint256 s = order / 2; s <= order / 2 + 1; ++s) {
            uint256 difference = addmod(mulmod(s, 0x5EC2E7, order), order - (uint256(digest) % order), order);
            address signer = vm.addr(mulmod(difference, abi.decode(inverse, (uint256)), order));
            uint256 parity = uint256(y) & 1;
            require(ecrecover(digest, uint8(27 + parity), r, bytes32(s)) == signer, "the chain takes both");
            address recovered = Signatures.recover(digest, r, bytes32(s | (parity << 255)));
            require(recovered == (s == order / 2 ? signer : address(0)), "only the low one is valid");
        }
    }

    function recover(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return Signatures.recover(digest, signature);
    }

    /// @dev Catches a domain without its salt or with another field order.
    function test_domainOfTheVectors() public view {
        string memory json = vm.readFile("test/vectors/evidence.json");
        bytes32 separator = Domain.separator(
            vm.parseJsonUint(json, ".chainId"),
            vm.parseJsonAddress(json, ".registry"),
            vm.parseJsonBytes32(json, ".salt")
        );
        require(separator == vm.parseJsonBytes32(json, ".separator"), "separator");
    }

    function _verifiers(string memory json) private returns (IFaultVerifier[3] memory verifiers) {
        ProtocolParams memory p;
        p.epochSeconds = uint32(vm.parseJsonUint(json, ".epochSeconds"));
        p.putLimit = uint32(vm.parseJsonUint(json, ".putLimit"));
        p.gossipLimit = uint32(vm.parseJsonUint(json, ".gossipLimit"));
        p.receiptLimit = uint32(vm.parseJsonUint(json, ".receiptLimit"));
        p.evidenceWindowSeconds = uint32(vm.parseJsonUint(json, ".evidenceWindowSeconds"));
        p.unbondingSeconds = uint32(vm.parseJsonUint(json, ".unbondingSeconds"));
        VectorRegistry registry = new VectorRegistry(p, vm.parseJsonBytes32(json, ".separator"));
        address[] memory keys = vm.parseJsonAddressArray(json, ".key");
        uint256[] memory ids = vm.parseJsonUintArray(json, ".keyStakeId");
        uint256[] memory from = vm.parseJsonUintArray(json, ".keyFromEpoch");
        uint256[] memory until = vm.parseJsonUintArray(json, ".keyUntilEpoch");
        for (uint256 i = 0; i < keys.length; ++i) {
            registry.setKey(keys[i], KeyRecord(uint64(ids[i]), uint64(from[i]), uint64(until[i])));
        }
        verifiers[1] = new EquivocationVerifier(address(registry));
        verifiers[2] = new OverrunVerifier(address(registry));
    }

    function _nameOf(bytes4 selector) private pure returns (string memory) {
        if (selector == IFaultVerifier.EvidenceLength.selector) return "EvidenceLength";
        if (selector == IFaultVerifier.VoidStatement.selector) return "VoidStatement";
        if (selector == IFaultVerifier.EpochInFuture.selector) return "EpochInFuture";
        if (selector == IFaultVerifier.BadSignature.selector) return "BadSignature";
        if (selector == IFaultVerifier.UnknownKey.selector) return "UnknownKey";
        if (selector == IFaultVerifier.KeyNotInTenure.selector) return "KeyNotInTenure";
        if (selector == IFaultVerifier.EvidenceTooOld.selector) return "EvidenceTooOld";
        if (selector == IFaultVerifier.NotFaulty.selector) return "NotFaulty";
        return "an error that is not the verifier's";
    }
}
