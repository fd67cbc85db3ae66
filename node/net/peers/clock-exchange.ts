import type { PeerId, Stream } from '@libp2p/interface'
import type { Clock, Random } from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import {
  CLOCK_ANSWER_MAX_MS,
  CLOCK_ANSWERS_BURST,
  CLOCK_ANSWERS_PER_SECOND,
  CLOCK_ASK_INTERVAL_MS,
  CLOCK_PEERS_MAX,
  CLOCK_VALID_MS,
  DIAL_TIMEOUT_MS,
} from '../constants.ts'
import { TokenBucket } from '../gossip/token-bucket.ts'
import type { NetMetrics } from '../metrics.ts'
import type { Host } from './host.ts'
import type { Standing } from './standing.ts'

/** A question is 8 bytes that its answer repeats; the answer adds unix milliseconds as u64, big-endian. */
const QUESTION_BYTES = 8
const ANSWER_BYTES = 16

type Bytes = { readonly byteLength: number; subarray(): Uint8Array }

/** Cuts a stream into frames of `size` bytes; never holds more than one frame and one chunk. */
function onFrames(stream: Stream, size: number, take: (frame: Uint8Array) => void): void {
  let rest = new Uint8Array(0)
  stream.addEventListener('message', (event) => {
    const chunk = (event.data as Bytes).subarray()
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (; bytes.length >= size; bytes = bytes.subarray(size)) take(bytes.subarray(0, size))
    rest = Uint8Array.from(bytes)
  })
}

/** Answers the question "what time do you have?" on one stream, at a bounded rate; past it the stream is reset. */
export class ClockLocal {
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  serve(stream: Stream): void {
    const rate = {
      messagesPerSecond: CLOCK_ANSWERS_PER_SECOND,
      bytesPerSecond: 1024,
      burstSeconds: CLOCK_ANSWERS_BURST,
    }
    const bucket = new TokenBucket(rate, this.#clock.nowMs())
    onFrames(stream, QUESTION_BYTES, (question) => {
      if (stream.writeStatus !== 'writable') return
      const nowMs = this.#clock.nowMs()
      if (!bucket.take(1, QUESTION_BYTES, nowMs)) {
        stream.abort(new Error('asked for the time too often'))
        return
      }
      const answer = new Uint8Array(ANSWER_BYTES)
      answer.set(question)
      new DataView(answer.buffer).setBigUint64(QUESTION_BYTES, BigInt(nowMs))
      stream.send(answer)
    })
  }
}

interface Asked {
  readonly question: string
  readonly atMs: number
}

/** What a peer's clock was found to be. */
export interface PeerClock {
  readonly stakeId: number
  /** Its clock minus ours, in milliseconds, half the round trip taken off. */
  readonly offsetMs: number
  /** Our clock when it answered. */
  readonly atMs: number
}

export interface ClockRemoteModules {
  readonly host: Host
  readonly standing: Standing
  readonly clock: Clock
  readonly random: Random
  readonly metrics: NetMetrics
}

/**
 * Asks connected stakes for their time, on one stream a peer that stays open. One voice a stake: the newest answer of
 * a stake replaces the one before, whatever key gave it.
 */
export class ClockRemote {
  readonly #protocol: string
  readonly #modules: ClockRemoteModules
  readonly #streams: BoundedMap<string, Stream>
  readonly #asked: BoundedMap<string, Asked>
  readonly #clocks: BoundedMap<number, PeerClock>

  constructor(protocol: string, modules: ClockRemoteModules) {
    this.#protocol = protocol
    this.#modules = modules
    this.#streams = new BoundedMap(CLOCK_PEERS_MAX)
    this.#asked = new BoundedMap(CLOCK_PEERS_MAX)
    this.#clocks = new BoundedMap(CLOCK_PEERS_MAX)
  }

  /** Offsets of stakes heard within {@link CLOCK_VALID_MS}. */
  offsets(): PeerClock[] {
    const nowMs = this.#modules.clock.nowMs()
    return [...this.#clocks].map(([, clock]) => clock).filter(({ atMs }) => Math.abs(nowMs - atMs) <= CLOCK_VALID_MS)
  }

  /** Asks each of `peers` that was not asked within {@link CLOCK_ASK_INTERVAL_MS}. */
  async askAll(peers: readonly PeerId[]): Promise<void> {
    const staked = peers.filter((peer) => this.#modules.standing.of(peer) !== undefined).slice(0, CLOCK_PEERS_MAX)
    await Promise.all(staked.map((peer) => this.#ask(peer)))
  }

  forget(peer: PeerId): void {
    const text = peer.toString()
    this.#streams.get(text)?.abort(new Error('the peer is gone'))
    this.#streams.delete(text)
    this.#asked.delete(text)
  }

  async stop(): Promise<void> {
    const streams = [...this.#streams].map(([, stream]) => stream)
    this.#streams.clear()
    this.#asked.clear()
    for (const stream of streams) stream.abort(new Error('stopping'))
  }

  async #ask(peer: PeerId): Promise<void> {
    const { clock, random, host } = this.#modules
    const text = peer.toString()
    const atMs = clock.nowMs()
    const asked = this.#asked.get(text)
    if (asked !== undefined && Math.abs(atMs - asked.atMs) < CLOCK_ASK_INTERVAL_MS) return
    const question = random.bytes(QUESTION_BYTES)
    this.#asked.set(text, { question: Buffer.from(question).toString('hex'), atMs })
    try {
      let stream = this.#streams.get(text)
      if (stream?.status !== 'open') {
        stream = await host.dialProtocol(peer, this.#protocol, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
        onFrames(stream, ANSWER_BYTES, (answer) => this.#take(text, peer, answer))
        this.#streams.set(text, stream)
        this.#asked.set(text, { question: Buffer.from(question).toString('hex'), atMs: clock.nowMs() })
      }
      stream.send(question)
    } catch (error) {
      // a peer that went away or does not know the protocol has no voice; the next round asks again
      this.#streams.delete(text)
      host.logger.forComponent('suprnova:clock')('%p gave no time - %e', peer, error)
    }
  }

  #take(text: string, peer: PeerId, answer: Uint8Array): void {
    const { clock, standing, metrics } = this.#modules
    const asked = this.#asked.get(text)
    const stake = standing.of(peer)
    const nowMs = clock.nowMs()
    if (asked === undefined || stake === undefined) return
    if (Buffer.from(answer.subarray(0, QUESTION_BYTES)).toString('hex') !== asked.question) return
    const tripMs = nowMs - asked.atMs
    if (tripMs < 0 || tripMs > CLOCK_ANSWER_MAX_MS) return
    const peerMs = Number(new DataView(answer.buffer, answer.byteOffset).getBigUint64(QUESTION_BYTES))
    const offsetMs = peerMs + tripMs / 2 - nowMs
    if (!Number.isSafeInteger(peerMs)) return
    this.#clocks.set(stake.stakeId, { stakeId: stake.stakeId, offsetMs, atMs: nowMs })
    metrics.clockOffset.observe(Math.abs(offsetMs))
  }
}
