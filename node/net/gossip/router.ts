import { type GossipSub, type GossipsubMessage, gossipsub, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub'
import type { RPC } from '@libp2p/gossipsub/message'
import type { PeerScoreParams } from '@libp2p/gossipsub/score'
import type { PeerId } from '@libp2p/interface'
import type { Clock } from '../../core/index.ts'
import {
  EVIDENCE_MAX_BYTES,
  EVIDENCE_PEER_RATE,
  FRAME_MAX_BYTES,
  GOSSIP_WRITE_BUFFER_MAX_BYTES,
  HEARTBEAT_MS,
  IDONTWANT_MIN_BYTES,
  READER_PEER_RATE,
  RPC_MAX_BYTES,
  SCORE_DECAY_INTERVAL_MS,
  SEEN_TTL_MS,
  TOPIC_BYTES_PER_PEER_MAX,
} from '../constants.ts'
import type { NetMetrics } from '../metrics.ts'
import type { Standing } from '../peers/standing.ts'
import { messageId, messageIdText } from './message-id.ts'
import { peerScoreParams, READER_SCORE, SCORE_THRESHOLDS, stakeScore, topicScoreParams } from './scores.ts'
import { type Rate, TokenBucket } from './token-bucket.ts'

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

/** What a check says of a message. Only `accept` sends it on; only `reject` costs its bringer. */
export type Outcome = 'accept' | 'reject' | 'ignore'

const RESULT = {
  accept: TopicValidatorResult.Accept,
  reject: TopicValidatorResult.Reject,
  ignore: TopicValidatorResult.Ignore,
} as const

/** Mesh bounds around D. Dout must stay below Dlo and at most D / 2. */
export function meshDegrees(fanout: number) {
  return {
    D: fanout,
    Dlo: Math.max(2, fanout - 1),
    Dhi: fanout + Math.max(2, Math.floor(fanout / 2)),
    Dscore: Math.max(1, Math.floor(fanout / 2)),
    Dout: 1,
    Dlazy: fanout,
  }
}

export interface GossipServiceOptions {
  readonly fanout: number
  readonly stakeUnitWei: bigint
}

/** gossipsub as this network runs it: no signatures of its own, every message held until we report on it. */
export function gossipService(options: GossipServiceOptions, standing: Standing) {
  const appSpecificScore = (peer: string): number => {
    const stake = standing.of(peer)
    return stake === undefined ? READER_SCORE : stakeScore(stake.amountWei, options.stakeUnitWei)
  }
  return gossipsub({
    ...meshDegrees(options.fanout),
    globalSignaturePolicy: StrictNoSign,
    asyncValidation: true,
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
    msgIdFn: messageId,
    msgIdToStrFn: messageIdText,
    scoreParams: peerScoreParams(SCORE_DECAY_INTERVAL_MS, appSpecificScore),
    scoreThresholds: SCORE_THRESHOLDS,
  })
}

interface PeerBuckets {
  staked: boolean
  messages: TokenBucket
  readonly evidence: TokenBucket
}

export interface RouterModules {
  readonly service: GossipService
  readonly standing: Standing
  readonly clock: Clock
  readonly metrics: NetMetrics
}

/** The outcome of a message's check, and what to do once it is sent on. */
export interface Checked {
  readonly outcome: Outcome
  readonly deliver?: () => void
}

export type Check = (message: {
  readonly wireTopic: string
  readonly data: Uint8Array
  readonly from: string
}) => Checked

/**
 * Between gossipsub and this room: lets through what a peer may send before gossipsub sees it, hands messages to
 * their check, and reports the outcome.
 */
export class GossipRouter {
  readonly #service: GossipService
  readonly #standing: Standing
  readonly #clock: Clock
  readonly #metrics: NetMetrics
  readonly #evidenceTopic: string
  readonly #fanout: number
  readonly #stakedRate: Rate
  /** One entry a connected peer; `forget` takes it away. */
  readonly #buckets = new Map<string, PeerBuckets>()
  readonly #onMessage: (event: CustomEvent<GossipsubMessage>) => void

  constructor(
    options: { readonly evidenceTopic: string; readonly fanout: number; readonly stakedRate: Rate },
    modules: RouterModules,
    check: Check,
  ) {
    this.#service = modules.service
    this.#standing = modules.standing
    this.#clock = modules.clock
    this.#metrics = modules.metrics
    this.#evidenceTopic = options.evidenceTopic
    this.#fanout = options.fanout
    this.#stakedRate = options.stakedRate
    const handleRpc = this.#service.handleReceivedRpc.bind(this.#service)
    this.#service.handleReceivedRpc = (from, rpc) =>
      this.#takeIn(from, rpc) ? handleRpc(from, rpc) : Promise.resolve()
    this.#onMessage = ({ detail: { msg, msgId, propagationSource } }) => {
      const from = propagationSource.toString()
      const { outcome, deliver } = check({ wireTopic: msg.topic, data: msg.data, from })
      this.#service.reportMessageValidationResult(msgId, from, RESULT[outcome])
      if (outcome === 'reject') this.#service.score.scoreCache.delete(from)
      deliver?.()
    }
    this.#service.addEventListener('gossipsub:message', this.#onMessage)
  }

  /** Peers with buckets. */
  get size(): number {
    return this.#buckets.size
  }

  /** Opens a topic: scored from the first message on, by the rate expected on it. */
  open(wireTopic: string, messagesPerSecond: number): void {
    const rate = { messagesPerSecond, fanout: this.#fanout, decayIntervalMs: SCORE_DECAY_INTERVAL_MS }
    this.#service.score.params.topics[wireTopic] = topicScoreParams(rate)
    this.#service.subscribe(wireTopic)
  }

  close(wireTopic: string): void {
    this.#service.unsubscribe(wireTopic)
    for (const stats of this.#service.score.peerStats.values()) {
      delete (stats as { topics?: Record<string, unknown> }).topics?.[wireTopic]
    }
    delete this.#service.score.params.topics[wireTopic]
  }

  async publish(wireTopic: string, data: Uint8Array): Promise<number> {
    return (await this.#service.publish(wireTopic, data)).recipients.length
  }

  meshPeers(wireTopic: string): string[] {
    return this.#service.getMeshPeers(wireTopic)
  }

  score(peer: string): number {
    return this.#service.getScore(peer)
  }

  /** Takes a disconnected peer's buckets away; and its score when it had no stake, since new keys cost nothing. */
  forget(peer: PeerId): void {
    const text = peer.toString()
    this.#buckets.delete(text)
    if (this.#standing.of(peer) === undefined) {
      this.#service.score.peerStats.delete(text)
      this.#service.score.scoreCache.delete(text)
    }
  }

  stop(): void {
    this.#service.removeEventListener('gossipsub:message', this.#onMessage)
    this.#buckets.clear()
  }

  /** Strikes from an RPC what its peer may not send. @returns whether anything is left to handle */
  #takeIn(from: PeerId, rpc: RPC): boolean {
    const nowMs = this.#clock.nowMs()
    const staked = this.#standing.of(from) !== undefined
    const buckets = this.#bucketsOf(from.toString(), staked, nowMs)
    if (rpc.messages.length > 0) {
      if (!staked) {
        this.#metrics.dropped.inc({ reason: 'unstaked' }, rpc.messages.length)
        rpc.messages = []
      } else {
        rpc.messages = rpc.messages.filter((message) => this.#mayPass(message, buckets, nowMs))
      }
    }
    const rest = rpc.subscriptions.length + (rpc.control === undefined ? 0 : 1)
    if (rest > 0 && !buckets.messages.take(rest, 0, nowMs)) {
      this.#metrics.dropped.inc({ reason: 'control-rate' })
      rpc.subscriptions = []
      rpc.control = undefined
      return rpc.messages.length > 0
    }
    return rpc.messages.length + rest > 0
  }

  #mayPass(message: RPC.Message, buckets: PeerBuckets, nowMs: number): boolean {
    const size = message.data?.length ?? 0
    const evidence = message.topic === this.#evidenceTopic
    const limit = evidence ? EVIDENCE_MAX_BYTES : FRAME_MAX_BYTES
    const bucket = evidence ? buckets.evidence : buckets.messages
    if (size > limit) this.#metrics.dropped.inc({ reason: 'size' })
    else if (!bucket.take(1, size, nowMs)) this.#metrics.dropped.inc({ reason: evidence ? 'evidence-rate' : 'rate' })
    else return true
    return false
  }

  #bucketsOf(peer: string, staked: boolean, nowMs: number): PeerBuckets {
    let buckets = this.#buckets.get(peer)
    if (buckets === undefined) {
      buckets = {
        staked,
        messages: this.#bucketFor(staked, nowMs),
        evidence: new TokenBucket(EVIDENCE_PEER_RATE, nowMs),
      }
      this.#buckets.set(peer, buckets)
    } else if (buckets.staked !== staked) {
      buckets.staked = staked
      buckets.messages = this.#bucketFor(staked, nowMs)
    }
    return buckets
  }

  #bucketFor(staked: boolean, nowMs: number): TokenBucket {
    return new TokenBucket(staked ? this.#stakedRate : READER_PEER_RATE, nowMs)
  }
}
