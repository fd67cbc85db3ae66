// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Judges one type of fault from signed statements alone. Never writes.
interface IFaultVerifier {
    /// @notice The evidence is not `expected` bytes long.
    error EvidenceLength(uint256 given, uint256 expected);
    /// @notice The statement can never be valid: unknown kind, a scope its kind may not have, or a kind this fault does not cover.
    error VoidStatement(uint8 kind, bytes32 scope);
    /// @notice The statement's epoch lies beyond the next one.
    error EpochInFuture(uint64 epoch, uint64 currentEpoch);
    /// @notice The signature is not one of `signer` over this digest in its one valid form (low s, non-zero, r below the order).
    error BadSignature(address signer, bytes32 digest);
    /// @notice No stake ever had this key.
    error UnknownKey(address signer);
    /// @notice The key was not its stake's key in that epoch, so the statement is void.
    error KeyNotInTenure(address signer, uint64 epoch, uint64 fromEpoch, uint64 untilEpoch);
    /// @notice The key was retired so long ago that its statements can no longer be punished.
    error EvidenceTooOld(address signer, uint256 punishableUntil, uint256 atSeconds);
    /// @notice The statements are valid and do not break the rule.
    error NotFaulty();

    /// @notice The number of the fault type (F1 is 1).
    function faultType() external view returns (uint8);

    /// @notice Whom `evidence` accuses of what. Checks nothing but the length.
    /// @dev Warning: proves nothing. The court finds the time of a slash by it, then calls `verify` as of that time.
    function accused(bytes calldata evidence) external view returns (uint64 stakeId, bytes32 slot);

    /// @notice Checks `evidence` as of time `atSeconds` and names whom it convicts of what.
    /// @dev Reverts unless the evidence proves the fault.
    /// @param evidence packed bytes, of exactly the verifier's length
    /// @param atSeconds unix seconds: now for a submission, the time of the slash for a claim
    /// @return stakeId the stake behind the key
    /// @return slot keccak256(signer (20) || kind (1) || scope (32) || position (8))
    function verify(bytes calldata evidence, uint256 atSeconds) external view returns (uint64 stakeId, bytes32 slot);
}
