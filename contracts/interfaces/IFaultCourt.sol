// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IStakeRegistryTypes} from "./IStakeRegistry.sol";

interface IFaultCourtTypes {
    /// @dev One line of the court's fixed list.
    struct FaultRule {
        uint8 faultType;
        address verifier;
        uint16 penaltyBps; // 1 to 10,000
        bool tombstones;
    }

    /// @dev The best claim so far.
    struct Claim {
        address beneficiary;
        uint64 commitBlock;
    }
}

interface IFaultCourtErrors {
    error UnknownFaultType(uint8 faultType);
    error AlreadySlashed(bytes32 faultId);
    error UnknownFault(bytes32 faultId);
    error AlreadyCommitted(bytes32 commitment, uint256 blockNumber);
    error UnknownCommitment(bytes32 commitment);
    /// @notice Only commits mined before the slash can earn its reward.
    error CommitNotBeforeSlash(uint256 commitBlock, uint256 slashedBlock);
    error NotEarlier(uint256 commitBlock, uint256 bestBlock);
    error ClaimWindowClosed(bytes32 faultId, uint256 closedAt, uint256 nowSeconds);
    error ClaimWindowOpen(bytes32 faultId, uint256 closesAt, uint256 nowSeconds);
    error AlreadyReleased(bytes32 faultId);
    error EvidenceForAnotherFault(bytes32 given, bytes32 wanted);
    error NotVerifier(address caller);
    error BadVerifier(address verifier, uint8 faultType);
    error BadRule(string what, uint256 value, uint256 limit);
}

interface IFaultCourtEvents {
    event Committed(bytes32 indexed commitment, uint256 blockNumber);
    /// @dev `submitter` is only who sent the transaction; the reward follows commits.
    event FaultProven(
        bytes32 indexed faultId,
        uint64 indexed stakeId,
        uint8 indexed faultType,
        bytes32 slot,
        address submitter,
        uint256 charged,
        uint256 escrowed
    );
    event Claimed(bytes32 indexed faultId, address indexed beneficiary, address reporter, uint256 commitBlock);
    event Released(bytes32 indexed faultId, address indexed beneficiary, uint256 amount);
}

/// @notice Takes evidence from anyone at any time, asks the verifier of that fault type, and applies each penalty once.
/// faultId = keccak256(abi.encode(chain id, registry, fault type, stake id, slot)).
interface IFaultCourt is IFaultCourtTypes, IFaultCourtErrors, IFaultCourtEvents {
    /// @notice Notes the block of a commitment, the first time it is seen. A repeat reverts.
    /// @param commitment keccak256(abi.encode(reporter, beneficiary, faultId, keccak256(evidence), salt))
    function commit(bytes32 commitment) external;

    /// @notice Proves a fault and slashes for it, at once.
    function submit(uint8 faultType, bytes calldata evidence) external returns (bytes32 faultId);

    /// @notice Asks for the escrowed reward of a proven fault, until its window closes. The earliest commit wins;
    /// between commits of one block, the first to claim.
    function claim(
        uint8 faultType,
        bytes calldata evidence,
        address reporter,
        address beneficiary,
        bytes32 salt
    ) external;

    /// @notice After the window: credits the best claim, or burns the escrow when there is none. Anyone may.
    function release(bytes32 faultId) external;

    /// @notice Gives the escrow of an unavailability to its victim, or burns it when that is zero. Only for the verifier
    /// of fault type 3, which calls it together with `submit`.
    function awardVictim(bytes32 faultId, address victim) external;

    function registry() external view returns (address);

    /// @notice Zero for a type this court does not judge.
    function verifierOf(uint8 faultType) external view returns (address);

    function penaltyOf(uint8 faultType) external view returns (uint16 penaltyBps, bool tombstones);

    function rewardBps() external view returns (uint16);

    function commitBlockOf(bytes32 commitment) external view returns (uint256);

    /// @notice What the registry remembers of a fault; all zero for one that was not proven.
    function faultOf(bytes32 faultId) external view returns (IStakeRegistryTypes.Fault memory);

    function bestClaimOf(bytes32 faultId) external view returns (Claim memory);

    function faultIdOf(uint8 faultType, uint64 stakeId, bytes32 slot) external view returns (bytes32);
}
