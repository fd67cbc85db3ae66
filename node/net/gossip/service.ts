import {
  type GossipSub,
  type GossipsubOpts,
  gossipsub,
  StrictNoSign,
  type TopicValidatorResult,
} from '@libp2p/gossipsub'
import type { RPC } from '@libp2p/gossipsub/message'
import type { PeerScoreParams } from '@libp2p/gossipsub/score'
import type { PeerId } from '@libp2p/interface'
import {
  GOSSIP_WRITE_BUFFER_MAX_BYTES,
  HEARTBEAT_MS,
  IDONTWANT_MIN_BYTES,
  RPC_MAX_BYTES,
  SCORE_DECAY_INTERVAL_MS,
  SEEN_TTL_MS,
  TOPIC_BYTES_PER_PEER_MAX,
} from '../constants.ts'
import type { Standing } from '../peers/standing.ts'
import { messageId, messageIdText } from './message-id.ts'
import { peerScoreParams, READER_SCORE, SCORE_THRESHOLDS, stakeScore } from './scores.ts'

/**
 * What we touch of gossipsub beyond its interface. All three are public members of its class:
 * - `handleReceivedRpc` is the one place before the seen cache. A message refused later counts as seen, so a peer over
 *   its rate or without stake could make this node deaf to good messages by racing them.
 * - `score.params.topics` takes parameters of topics opened at run time. A topic absent from it is never scored.
 * - `score.scoreCache` holds scores for a heartbeat; a reject must count at once.
 */
export interface GossipRouterInternals {
  handleReceivedRpc(from: PeerId, rpc: RPC): Promise<void>
  reportMessageValidationResult(messageId: string, from: string, result: TopicValidatorResult): void
  getScore(peer: string): number
  getMeshPeers(topic: string): string[]
  readonly score: {
    readonly params: PeerScoreParams
    readonly scoreCache: Map<string, unknown>
    readonly peerStats: Map<string, { readonly connected: boolean }>
  }
}

export type GossipService = GossipSub & GossipRouterInternals

/** Mesh bounds around D. The lower one is D itself: the fanout that was asked for is the least there is. */
export function meshDegrees(fanout: number) {
  return {
    D: fanout,
    Dlo: fanout,
    Dhi: fanout + Math.max(2, Math.floor(fanout / 2)),
    Dscore: Math.max(1, Math.floor(fanout / 2)),
    // outbound links are the ones this node chose: one of them cannot be crowded out
    Dout: 1,
    Dlazy: fanout,
  }
}

/** Everything but signatures and validation: what a fair comparison with plain gossipsub has to share. */
export function gossipSettings(fanout: number, appSpecificScore: (peer: string) => number): Partial<GossipsubOpts> {
  return {
    ...meshDegrees(fanout),
    allowPublishToZeroTopicPeers: true,
    fallbackToFloodsub: false,
    floodPublish: false,
    doPX: false,
    heartbeatInterval: HEARTBEAT_MS,
    seenTTL: SEEN_TTL_MS,
    idontwantMinDataSize: IDONTWANT_MIN_BYTES,
    maxInboundDataLength: RPC_MAX_BYTES,
    maxOutboundBufferSize: GOSSIP_WRITE_BUFFER_MAX_BYTES,
    maxTopicBytesPerPeer: TOPIC_BYTES_PER_PEER_MAX,
    scoreParams: peerScoreParams(SCORE_DECAY_INTERVAL_MS, appSpecificScore),
    scoreThresholds: SCORE_THRESHOLDS,
  }
}

export interface GossipServiceOptions {
  readonly fanout: number
  readonly stakeUnitWei: bigint
}

/** gossipsub as this network runs it: no signatures of its own, every message held until we report on it. */
export function gossipService(options: GossipServiceOptions, standing: Standing): ReturnType<typeof gossipsub> {
  const score = (peer: string): number => {
    const stake = standing.of(peer)
    return stake === undefined ? READER_SCORE : stakeScore(stake.amountWei, options.stakeUnitWei)
  }
  return gossipsub({
    ...gossipSettings(options.fanout, score),
    globalSignaturePolicy: StrictNoSign,
    asyncValidation: true,
    msgIdFn: messageId,
    msgIdToStrFn: messageIdText,
  })
}
