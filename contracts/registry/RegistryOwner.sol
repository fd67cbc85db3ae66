// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IStakeRegistry} from "../interfaces/IStakeRegistry.sol";
import {RegistryLedger} from "./RegistryLedger.sol";

/// @notice All that an owner may do: steer who registers next. No stake, key, penalty or deadline is in reach.
abstract contract RegistryOwner is RegistryLedger, Ownable2Step {
    uint256 internal constant MAX_PAUSE_SECONDS = 7 days;
    uint256 internal constant PAUSE_REST_SECONDS = 7 days;

    /// @inheritdoc IStakeRegistry
    uint96 public minStake;
    /// @inheritdoc IStakeRegistry
    address public personVerifier;
    /// @inheritdoc IStakeRegistry
    uint64 public registrationsPausedUntil;

    constructor(uint96 minStake_, address personVerifier_, address owner_) Ownable(owner_) {
        _setMinStake(minStake_);
        _setPersonVerifier(personVerifier_);
    }

    /// @inheritdoc IStakeRegistry
    function setMinStake(uint96 minStake_) external onlyOwner {
        _setMinStake(minStake_);
    }

    /// @inheritdoc IStakeRegistry
    function setPersonVerifier(address verifier) external onlyOwner {
        _setPersonVerifier(verifier);
    }

    /// @inheritdoc IStakeRegistry
    function pauseRegistrations(uint32 forSeconds) external onlyOwner {
        require(forSeconds <= MAX_PAUSE_SECONDS, PauseTooLong(forSeconds, MAX_PAUSE_SECONDS));
        uint256 last = registrationsPausedUntil;
        require(last == 0 || block.timestamp >= last + PAUSE_REST_SECONDS, PauseTooSoon(last + PAUSE_REST_SECONDS));
        uint64 until = uint64(block.timestamp + forSeconds);
        registrationsPausedUntil = until;
        emit RegistrationsPausedUntil(until);
    }

    function _setMinStake(uint96 minStake_) private {
        require(minStake_ != 0, BadParams("minStake", 0, 1));
        minStake = minStake_;
        emit MinStakeChanged(minStake_);
    }

    function _setPersonVerifier(address verifier) private {
        require(verifier.code.length != 0, BadParams("personVerifier code", 0, 1));
        personVerifier = verifier;
        emit PersonVerifierChanged(verifier);
    }
}
