// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Penalties} from "../libraries/Penalties.sol";
import {IStakeRegistry, ProtocolParams} from "../interfaces/IStakeRegistry.sol";

/// @notice What decides validity, checked once and then immutable.
abstract contract RegistryParams is IStakeRegistry {
    uint32 internal immutable EPOCH_SECONDS;
    uint32 internal immutable PUT_LIMIT;
    uint32 internal immutable GOSSIP_LIMIT;
    uint32 internal immutable RECEIPT_LIMIT;
    uint32 internal immutable RECEIPT_LIFE_SECONDS;
    uint32 internal immutable RESPONSE_SECONDS;
    uint32 internal immutable RESPONSE_BLOCKS;
    uint32 internal immutable EVIDENCE_WINDOW_SECONDS;
    uint32 internal immutable SKEW_SECONDS;
    uint32 internal immutable UNBONDING_SECONDS;
    uint32 internal immutable REWARD_WINDOW_SECONDS;
    uint32 internal immutable JAIL_SECONDS;
    uint32 internal immutable CORRELATION_SECONDS;
    uint32 internal immutable DRAW_DELAY_BLOCKS;
    uint256 internal immutable BUCKET_SECONDS;

    constructor(ProtocolParams memory p) {
        // 1. Nothing may be zero.
        _requireAtLeast("epochSeconds", p.epochSeconds, 1);
        _requireAtLeast("putLimit", p.putLimit, 1);
        _requireAtLeast("gossipLimit", p.gossipLimit, 1);
        _requireAtLeast("receiptLimit", p.receiptLimit, 1);
        _requireAtLeast("receiptLifeSeconds", p.receiptLifeSeconds, 1);
        _requireAtLeast("responseSeconds", p.responseSeconds, 1);
        _requireAtLeast("responseBlocks", p.responseBlocks, 1);
        _requireAtLeast("skewSeconds", p.skewSeconds, 1);
        _requireAtLeast("rewardWindowSeconds", p.rewardWindowSeconds, 1);
        _requireAtLeast("jailSeconds", p.jailSeconds, 1);
        _requireAtLeast("correlationSeconds", p.correlationSeconds, uint32(Penalties.BUCKETS_PER_WINDOW));
        _requireAtLeast("drawDelayBlocks", p.drawDelayBlocks, 1);

        // 2. Clocks of honest machines may differ by one epoch at most.
        _requireAtMost("skewSeconds", p.skewSeconds, p.epochSeconds);

        // 3. Whatever a receipt promised can still be judged while the money behind it is bound.
        _requireAtMost("receiptLifeSeconds", p.receiptLifeSeconds, p.evidenceWindowSeconds);
        uint256 bound = uint256(p.receiptLifeSeconds) + p.responseSeconds + p.evidenceWindowSeconds + p.skewSeconds;
        require(
            bound < p.unbondingSeconds,
            BadParams("receiptLife + response + evidenceWindow + skew", bound, p.unbondingSeconds)
        );

        // 4. A fault of the last day before an exit is still weighed against those around it.
        require(
            p.correlationSeconds < p.unbondingSeconds,
            BadParams("correlationSeconds", p.correlationSeconds, p.unbondingSeconds)
        );

        EPOCH_SECONDS = p.epochSeconds;
        PUT_LIMIT = p.putLimit;
        GOSSIP_LIMIT = p.gossipLimit;
        RECEIPT_LIMIT = p.receiptLimit;
        RECEIPT_LIFE_SECONDS = p.receiptLifeSeconds;
        RESPONSE_SECONDS = p.responseSeconds;
        RESPONSE_BLOCKS = p.responseBlocks;
        EVIDENCE_WINDOW_SECONDS = p.evidenceWindowSeconds;
        SKEW_SECONDS = p.skewSeconds;
        UNBONDING_SECONDS = p.unbondingSeconds;
        REWARD_WINDOW_SECONDS = p.rewardWindowSeconds;
        JAIL_SECONDS = p.jailSeconds;
        CORRELATION_SECONDS = p.correlationSeconds;
        DRAW_DELAY_BLOCKS = p.drawDelayBlocks;
        BUCKET_SECONDS = p.correlationSeconds / Penalties.BUCKETS_PER_WINDOW;
    }

    /// @inheritdoc IStakeRegistry
    function params() external view returns (ProtocolParams memory) {
        return
            ProtocolParams({
                epochSeconds: EPOCH_SECONDS,
                putLimit: PUT_LIMIT,
                gossipLimit: GOSSIP_LIMIT,
                receiptLimit: RECEIPT_LIMIT,
                receiptLifeSeconds: RECEIPT_LIFE_SECONDS,
                responseSeconds: RESPONSE_SECONDS,
                responseBlocks: RESPONSE_BLOCKS,
                evidenceWindowSeconds: EVIDENCE_WINDOW_SECONDS,
                skewSeconds: SKEW_SECONDS,
                unbondingSeconds: UNBONDING_SECONDS,
                rewardWindowSeconds: REWARD_WINDOW_SECONDS,
                jailSeconds: JAIL_SECONDS,
                correlationSeconds: CORRELATION_SECONDS,
                drawDelayBlocks: DRAW_DELAY_BLOCKS
            });
    }

    /// @inheritdoc IStakeRegistry
    function currentEpoch() public view returns (uint64) {
        return uint64(block.timestamp / EPOCH_SECONDS);
    }

    function _requireAtLeast(string memory what, uint256 value, uint256 limit) private pure {
        require(value >= limit, BadParams(what, value, limit));
    }

    function _requireAtMost(string memory what, uint256 value, uint256 limit) private pure {
        require(value <= limit, BadParams(what, value, limit));
    }
}
