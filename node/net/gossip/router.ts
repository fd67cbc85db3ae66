import { type GossipsubMessage, TopicValidatorResult } from '@libp2p/gossipsub'
import type { RPC } from '@libp2p/gossipsub/message'
import type { PeerId } from '@libp2p/interface'
import type { Clock, Logger } from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import {
  ACCEPTED_GENERATION_MAX,
  EVIDENCE_MAX_BYTES,
  EVIDENCE_PEER_RATE,
  FRAME_MAX_BYTES,
  IGNORED_PEER_RATE,
  IGNORED_PEERS_MAX,
  READER_PEER_RATE,
  SCORE_DECAY_INTERVAL_MS,
} from '../constants.ts'
import type { NetMetrics } from '../metrics.ts'
import type { Standing } from '../peers/standing.ts'
import { AcceptedMessages } from './accepted.ts'
import { copyKey } from './message-id.ts'
import { SCORE_THRESHOLDS, topicScoreParams } from './scores.ts'
import type { GossipService } from './service.ts'
import { type Rate, TokenBucket } from './token-bucket.ts'

/** What a check says of a message. Only `accept` sends it on; only `reject` costs its bringer. */
export type Outcome = 'accept' | 'reject' | 'ignore'

const RESULT = {
  accept: TopicValidatorResult.Accept,
  reject: TopicValidatorResult.Reject,
  ignore: TopicValidatorResult.Ignore,
} as const

/** The same bytes, never a `Buffer`: its `slice` is a view, where everybody else copies what must be kept. */
const plain = (data: Uint8Array) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

const NOTHING = new Uint8Array(0)

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
  readonly logger: Logger
}

/** The outcome of a message's check, and what to do once it is sent on. */
export interface Checked {
  readonly outcome: Outcome
  readonly deliver?: () => void
}

interface Incoming {
  readonly wireTopic: string
  readonly data: Uint8Array
  /** The peer that brought it. */
  readonly from: string
}

export type Check = (message: Incoming) => Checked | Promise<Checked>

/**
 * Between gossipsub and this room: lets through what a peer may send before gossipsub sees it, hands messages to
 * their check, and reports the outcome.
 */
export class GossipRouter {
  readonly #service: GossipService
  readonly #standing: Standing
  readonly #clock: Clock
  readonly #metrics: NetMetrics
  readonly #logger: Logger
  readonly #evidenceTopic: string
  readonly #fanout: number
  readonly #stakedRate: Rate
  /**
   * Copies of these stop here: most of what a mesh carries is copies, and gossipsub takes each through its whole
   * course. Copies of what was refused do not, so that whoever brings them is scored.
   */
  readonly #accepted = new AcceptedMessages(ACCEPTED_GENERATION_MAX)
  /** Topics open here, by wire name: gossipsub keeps messages of any topic, and hands over only those subscribed to. */
  readonly #open = new Set<string>()
  /** One entry a connected peer; `forget` takes it away. */
  readonly #buckets = new Map<string, PeerBuckets>()
  /** Of staked peers that brought what was ignored: none of it is scored, so what it costs must be bounded. */
  readonly #ignored: BoundedMap<string, TokenBucket>
  /** What is judged after stop() goes nowhere. */
  #running = true
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
    this.#logger = modules.logger
    this.#ignored = new BoundedMap(IGNORED_PEERS_MAX, () => modules.metrics.evicted.inc({ name: 'ignored' }))
    this.#evidenceTopic = options.evidenceTopic
    this.#fanout = options.fanout
    this.#stakedRate = options.stakedRate
    const handleRpc = this.#service.handleReceivedRpc.bind(this.#service)
    this.#service.handleReceivedRpc = (from, rpc) =>
      this.#takeIn(from, rpc) ? handleRpc(from, rpc) : Promise.resolve()
    this.#onMessage = ({ detail: { msg, msgId, propagationSource } }) => {
      const message = { wireTopic: msg.topic, data: plain(msg.data), from: propagationSource.toString() }
      // what leaves here, by a throw or a rejection, would end the process
      const fail = (error: unknown) => this.#fail(msgId, message, error)
      try {
        const checked = check(message)
        if (checked instanceof Promise) checked.then((later) => this.#conclude(msgId, message, later)).catch(fail)
        else this.#conclude(msgId, message, checked)
      } catch (error) {
        fail(error)
      }
    }
    this.#service.addEventListener('gossipsub:message', this.#onMessage)
  }

  /** Entries of each map, by name. */
  get sizes(): Readonly<Record<string, number>> {
    return { buckets: this.#buckets.size, accepted: this.#accepted.size, ignored: this.#ignored.size }
  }

  /** Opens a topic: scored from the first message on, by the rate expected on it. */
  open(wireTopic: string, messagesPerSecond: number): void {
    const rate = { messagesPerSecond, fanout: this.#fanout, decayIntervalMs: SCORE_DECAY_INTERVAL_MS }
    this.#open.add(wireTopic)
    this.#service.score.params.topics[wireTopic] = topicScoreParams(rate)
    this.#service.subscribe(wireTopic)
  }

  close(wireTopic: string): void {
    this.#open.delete(wireTopic)
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
    this.#running = false
    this.#service.removeEventListener('gossipsub:message', this.#onMessage)
    this.#buckets.clear()
    this.#accepted.clear()
    this.#ignored.clear()
  }

  /** Sends an accepted message on, scores a rejected one's bringer, and only then gives bodies to subscribers. */
  #conclude(messageId: string, message: Incoming, { outcome, deliver }: Checked): void {
    if (!this.#running) return
    this.#service.reportMessageValidationResult(messageId, message.from, RESULT[outcome])
    if (outcome === 'accept') this.#accepted.add(copyKey(message.data))
    else if (outcome === 'reject') this.#service.score.scoreCache.delete(message.from)
    else this.#charge(message)
    try {
      deliver?.()
    } catch (error) {
      this.#metrics.handlerErrors.inc()
      this.#logger.error('what takes messages threw', { error: String(error) })
    }
  }

  /** A check that failed says nothing of the message: not of use here, and no fault of its bringer. */
  #fail(messageId: string, message: Incoming, error: unknown): void {
    this.#metrics.checkErrors.inc()
    this.#logger.error('the check of a message failed', { error: String(error) })
    this.#conclude(messageId, message, { outcome: 'ignore' })
  }

  /**
   * Charges a peer for a message that was ignored, for whatever reason: a copy whose signature was changed is taken for a
   * duplicate before it is verified, so no reason is free. Evidence has a bucket of its own, small enough.
   */
  #charge({ wireTopic, from }: Incoming): void {
    if (wireTopic === this.#evidenceTopic) return
    const nowMs = this.#clock.nowMs()
    let bucket = this.#ignored.get(from)
    if (bucket === undefined) {
      bucket = new TokenBucket(IGNORED_PEER_RATE, nowMs)
      this.#ignored.set(from, bucket)
    }
    bucket.owe(nowMs)
  }

  /** Strikes from an RPC what its peer may not send. @returns whether anything is left to handle */
  #takeIn(from: PeerId, rpc: RPC): boolean {
    // gossipsub listens to a peer it once liked for up to 128 messages more before it looks at the score again
    if (this.#service.getScore(from.toString()) < SCORE_THRESHOLDS.graylistThreshold) {
      this.#metrics.dropped.inc({ reason: 'graylisted' })
      return false
    }
    const nowMs = this.#clock.nowMs()
    const staked = this.#standing.of(from) !== undefined
    const buckets = this.#bucketsOf(from.toString(), staked, nowMs)
    if (rpc.messages.length > 0) {
      if (!staked) {
        this.#metrics.dropped.inc({ reason: 'unstaked' }, rpc.messages.length)
        rpc.messages = []
      } else {
        const overdrawn = this.#ignored.get(from.toString())?.has(1, 0, nowMs) === false
        rpc.messages = rpc.messages.filter((message) => this.#mayPass(message, buckets, overdrawn, nowMs))
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

  /** @param overdrawn whether its peer brought too much that was ignored */
  #mayPass(message: RPC.Message, buckets: PeerBuckets, overdrawn: boolean, nowMs: number): boolean {
    const size = message.data?.length ?? 0
    const evidence = message.topic === this.#evidenceTopic
    const limit = evidence ? EVIDENCE_MAX_BYTES : FRAME_MAX_BYTES
    const bucket = evidence ? buckets.evidence : buckets.messages
    if (!this.#open.has(message.topic)) this.#metrics.dropped.inc({ reason: 'topic' })
    else if (size > limit) this.#metrics.dropped.inc({ reason: 'size' })
    else if (overdrawn && !evidence) this.#metrics.dropped.inc({ reason: 'ignored-rate' })
    else if (!bucket.take(1, size, nowMs)) this.#metrics.dropped.inc({ reason: evidence ? 'evidence-rate' : 'rate' })
    else return evidence || !this.#accepted.has(copyKey(message.data ?? NOTHING))
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
