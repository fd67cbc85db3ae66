import type { Connection, PeerId, Stream } from '@libp2p/interface'
import type { Clock, Logger, RequestHandler } from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import {
  ALL_READERS_REQUEST_RATE,
  READER_ANSWERING_MAX,
  READER_REQUEST_RATE,
  REFUSALS_MAX,
  REQUEST_PEERS_MAX,
  REQUESTS_ANSWERING_MAX,
  STAKED_REQUEST_RATE,
} from '../constants.ts'
import { TokenBucket } from '../gossip/token-bucket.ts'
import type { NetMetrics } from '../metrics.ts'
import type { Standing } from '../peers/standing.ts'
import { FramedStream } from './framed-stream.ts'
import { FRAME, type RequestFrame } from './frames.ts'

export interface AnsweringModules {
  readonly standing: Standing
  readonly clock: Clock
  readonly metrics: NetMetrics
  readonly logger: Logger
}

interface Allowance {
  bucket: TokenBucket
  isStaked: boolean
  refusals: number
}

/** The side that answers: one stream a peer, and what each peer may ask. */
export class Answering {
  readonly #modules: AnsweringModules
  readonly #allowances: BoundedMap<string, Allowance>
  /** The stream on which each peer asks, its newest: as many as there are connections. */
  readonly #streams = new Map<string, FramedStream>()
  readonly #readers: TokenBucket
  #handler: RequestHandler | undefined

  constructor(modules: AnsweringModules) {
    this.#modules = modules
    this.#allowances = new BoundedMap(REQUEST_PEERS_MAX, () => modules.metrics.evicted.inc({ name: 'allowances' }))
    this.#readers = new TokenBucket(ALL_READERS_REQUEST_RATE, modules.clock.nowMs())
  }

  /** Ends every stream. */
  stop(): void {
    for (const stream of this.#streams.values()) stream.abort('stopping')
    this.#streams.clear()
  }

  /** @returns the function that takes `handler` back */
  serve(handler: RequestHandler): () => void {
    this.#handler = handler
    return () => {
      if (this.#handler === handler) this.#handler = undefined
    }
  }

  /** How much is remembered, by what; each number has a bound. */
  get sizes(): Record<string, number> {
    let answerBytes = 0
    for (const { queuedBytes } of this.#streams.values()) answerBytes += queuedBytes
    return { answering: this.#streams.size, allowances: this.#allowances.size, 'answer bytes': answerBytes }
  }

  /** Takes a stream on which a peer asks. */
  take(stream: Stream, connection: Connection): void {
    const { remotePeer } = connection
    const peer = remotePeer.toString()
    const most = this.#modules.standing.of(remotePeer) === undefined ? READER_ANSWERING_MAX : REQUESTS_ANSWERING_MAX
    let answering = 0
    // A peer asks on one stream: a second one means that the first is of no more use to it.
    this.#streams.get(peer)?.abort('a newer stream of the same peer')
    const framed: FramedStream = new FramedStream(
      stream,
      (frame) => {
        if (frame.type !== FRAME.request) throw new RangeError('an answer on a stream that is for requests')
        const refusal = this.#admit(peer, remotePeer, frame.payload.length)
        if (refusal === 'end') throw new RangeError('asked too often')
        if (refusal !== undefined) return framed.answer(FRAME.refusal, frame.id, refusal)
        answering++
        if (answering >= most) framed.hold('answering')
        void this.#handle(frame, remotePeer, peer).then(({ type, payload }) => {
          this.#charge(peer, payload.length)
          if (framed.isOpen) framed.answer(type, frame.id, payload)
          if (answering-- === most) framed.release('answering')
        })
      },
      () => {
        if (this.#streams.get(peer) === framed) this.#streams.delete(peer)
      },
    )
    this.#streams.set(peer, framed)
  }

  async #handle({ payload }: RequestFrame, peer: PeerId, text: string) {
    const { clock, standing, metrics, logger } = this.#modules
    const address = standing.addressOf(peer)
    if (this.#handler === undefined || address === undefined) return { type: FRAME.refusal, payload: UNSERVED }
    try {
      const charge = (requests: number) => this.#allowances.get(text)?.bucket.owe(clock.nowMs(), requests)
      const answer = await this.#handler(payload, { address, stakeId: standing.of(peer)?.stakeId, charge })
      metrics.requests.inc({ outcome: 'answered' })
      return { type: FRAME.answer, payload: answer }
    } catch (error) {
      metrics.requests.inc({ outcome: 'failed' })
      logger.warn('a request could not be answered', { error: String(error) })
      return { type: FRAME.refusal, payload: FAILED }
    }
  }

  /** Whether a peer may ask this now: `undefined` when it may. */
  #admit(text: string, peer: PeerId, bytes: number): Uint8Array | 'end' | undefined {
    const { clock, standing, metrics } = this.#modules
    const nowMs = clock.nowMs()
    const isStaked = standing.of(peer) !== undefined
    let allowance = this.#allowances.get(text)
    if (allowance === undefined || allowance.isStaked !== isStaked) {
      const rate = isStaked ? STAKED_REQUEST_RATE : READER_REQUEST_RATE
      allowance = { bucket: new TokenBucket(rate, nowMs), isStaked, refusals: allowance?.refusals ?? 0 }
      this.#allowances.set(text, allowance)
    }
    const isWithin = isStaked || this.#readers.has(1, bytes, nowMs)
    if (isWithin && allowance.bucket.take(1, bytes, nowMs)) {
      if (!isStaked) this.#readers.take(1, bytes, nowMs)
      allowance.refusals = 0
      return undefined
    }
    metrics.requests.inc({ outcome: 'busy' })
    allowance.refusals++
    return allowance.refusals > REFUSALS_MAX ? 'end' : TOO_FAST
  }

  /** A question of 66 bytes may have an answer of 128 KiB: a reader, who has nothing to lose, pays for those too. */
  #charge(text: string, bytes: number): void {
    const allowance = this.#allowances.get(text)
    if (allowance?.isStaked !== false) return
    const nowMs = this.#modules.clock.nowMs()
    allowance.bucket.oweBytes(bytes, nowMs)
    this.#readers.oweBytes(bytes, nowMs)
  }
}

const words = (text: string) => new Uint8Array(Buffer.from(text, 'utf8'))
const UNSERVED = words('unserved')
const FAILED = words('failed')
const TOO_FAST = words('busy')
