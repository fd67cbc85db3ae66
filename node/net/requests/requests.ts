import type { PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type {
  Address,
  Clock,
  Logger,
  RequestHandler,
  RequestOptions,
  RequestTransport,
  StakeView,
  Timers,
} from '../../core/index.ts'
import { SuprnovaError } from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import {
  DIAL_TIMEOUT_MS,
  REQUEST_MAX_BYTES,
  REQUEST_PEERS_MAX,
  REQUEST_QUEUE_MAX_BYTES,
  REQUEST_SWEEP_MS,
  REQUEST_TIMEOUT_MS,
  REQUESTS_WAITING_MAX,
  UNREACHABLE_MS,
} from '../constants.ts'
import type { NetMetrics } from '../metrics.ts'
import { forgetHearsay } from '../peers/hearsay.ts'
import type { Host } from '../peers/host.ts'
import { peerIdOfPublicKey } from '../peers/identity.ts'
import type { Standing } from '../peers/standing.ts'
import { Answering } from './answering.ts'
import { busy, lost, refused, timedOut, tooLarge, unreachable } from './errors.ts'
import { FramedStream } from './framed-stream.ts'
import { FRAME, type RequestFrame } from './frames.ts'

export interface RequestsModules {
  readonly host: Host
  readonly standing: Standing
  readonly stakeView: Pick<StakeView, 'key'>
  /** Addresses to be tried when a peer is not reached otherwise. */
  readonly findAddresses: (address: Address, peer: PeerId) => Promise<Multiaddr[]>
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: NetMetrics
  readonly logger: Logger
}

interface Waiting {
  readonly to: Address
  readonly timeoutMs: number
  /** Looks for what waited too long that this one lives through: counted, since clocks step. */
  looksLeft: number
  /** The stream it was asked on; `undefined` while that is being opened. */
  stream: FramedStream | undefined
  readonly resolve: (answer: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

/** What this node asked one peer, on a stream of its own that stays open. */
interface Asking {
  readonly waiting: Map<number, Waiting>
  nextId: number
  /** Requests on the open stream that were given up: as many answers may still come that nobody waits for. */
  givenUp: number
  stream: FramedStream | undefined
  opening: Promise<FramedStream> | undefined
}

/**
 * Requests with one answer each over one long-lived stream a peer and direction: each side opens the stream on which it
 * asks. A peer not connected is looked up and dialled, once at a time. Nothing here makes a timer or a promise chain a
 * request: one sweep finds what waited too long.
 */
export class Requests implements RequestTransport {
  readonly #protocol: string
  readonly #modules: RequestsModules
  readonly #asking: BoundedMap<Address, Asking>
  readonly #unreachable: BoundedMap<Address, number>
  readonly #peerIds: BoundedMap<Address, PeerId>
  readonly #answering: Answering
  #cancelSweep: (() => void) | undefined
  #running = false

  constructor(protocol: string, modules: RequestsModules) {
    this.#protocol = protocol
    this.#modules = modules
    const evicted = (name: string) => () => modules.metrics.evicted.inc({ name })
    this.#asking = new BoundedMap(REQUEST_PEERS_MAX, evicted('asking'))
    this.#unreachable = new BoundedMap(REQUEST_PEERS_MAX, evicted('unreachable'))
    this.#peerIds = new BoundedMap(REQUEST_PEERS_MAX, evicted('peer ids'))
    this.#answering = new Answering(modules)
  }

  async start(): Promise<void> {
    this.#running = true
    const options = { maxInboundStreams: 2, maxOutboundStreams: 2, runOnLimitedConnection: false }
    await this.#modules.host.handle(
      this.#protocol,
      (stream, connection) => this.#answering.take(stream, connection),
      options,
    )
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#cancelSweep?.()
    await this.#modules.host.unhandle(this.#protocol)
    for (const [address, asking] of this.#asking) {
      asking.stream?.abort('stopping')
      this.#lose(address, asking, 'all')
    }
    this.#asking.clear()
    this.#answering.stop()
  }

  serve(handler: RequestHandler): () => void {
    return this.#answering.serve(handler)
  }

  isConnected(to: Address): boolean {
    const peer = this.#peerOf(to)
    return peer !== undefined && this.#modules.host.getConnections(peer).length > 0
  }

  /** How much is remembered, by what; each number has a bound. */
  get sizes(): Record<string, number> {
    let waiting = 0
    let queuedBytes = 0
    for (const [, asking] of this.#asking) {
      waiting += asking.waiting.size
      queuedBytes += asking.stream?.queuedBytes ?? 0
    }
    return { asking: this.#asking.size, waiting, 'queued bytes': queuedBytes, ...this.#answering.sizes }
  }

  request(to: Address, request: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (!this.#running) return reject(unreachable(to, 'the network is not running'))
      if (request.length > REQUEST_MAX_BYTES) return reject(tooLarge(request.length, REQUEST_MAX_BYTES))
      const asking = this.#askingOf(to)
      if (asking === undefined) return reject(busy(to, REQUESTS_WAITING_MAX))
      if (asking.waiting.size >= REQUESTS_WAITING_MAX || (asking.stream?.queuedBytes ?? 0) > REQUEST_QUEUE_MAX_BYTES) {
        return reject(busy(to, asking.waiting.size))
      }
      const { signal, timeoutMs = REQUEST_TIMEOUT_MS } = options
      if (signal?.aborted === true) return reject(signal.reason)
      const id = asking.nextId
      asking.nextId = (id + 1) >>> 0
      const abort = () => this.#giveUp(asking, id, signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      const leave = () => signal?.removeEventListener('abort', abort)
      const waiting: Waiting = {
        ...{ to, timeoutMs, stream: undefined },
        // One more: the next look may come at once.
        looksLeft: Math.ceil(timeoutMs / REQUEST_SWEEP_MS) + 1,
        resolve: (answer) => {
          leave()
          resolve(answer)
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      asking.waiting.set(id, waiting)
      this.#scheduleSweep()
      const write = (stream: FramedStream) => {
        waiting.stream = stream
        stream.write(FRAME.request, id, request)
      }
      if (asking.stream?.isOpen === true) return write(asking.stream)
      this.#open(to, asking).then(
        (stream) => {
          if (asking.waiting.has(id)) write(stream)
        },
        (error: unknown) => {
          if (asking.waiting.delete(id)) waiting.reject(error)
        },
      )
    })
  }

  /** Waits no longer for an answer, which may come all the same. */
  #giveUp(asking: Asking, id: number, error: unknown): void {
    const waiting = asking.waiting.get(id)
    if (waiting === undefined) return
    asking.waiting.delete(id)
    if (waiting.stream !== undefined && waiting.stream === asking.stream) asking.givenUp++
    waiting.reject(error)
  }

  /** `undefined` while answers of as many peers as may be are waited for. */
  #askingOf(to: Address): Asking | undefined {
    const known = this.#asking.get(to)
    if (known !== undefined) return known
    if (this.#asking.size >= REQUEST_PEERS_MAX) {
      const idle = [...this.#asking].find(([, { waiting }]) => waiting.size === 0)
      if (idle === undefined) return undefined
      idle[1].stream?.abort('another peer is asked in its place')
      this.#asking.delete(idle[0])
    }
    const asking: Asking = { waiting: new Map(), nextId: 1, givenUp: 0, stream: undefined, opening: undefined }
    this.#asking.set(to, asking)
    return asking
  }

  /** Opens the stream on which this node asks, once at a time. */
  #open(to: Address, asking: Asking): Promise<FramedStream> {
    if (asking.opening === undefined) {
      asking.opening = this.#dial(to, asking).finally(() => {
        asking.opening = undefined
      })
    }
    return asking.opening
  }

  async #dial(to: Address, asking: Asking): Promise<FramedStream> {
    const { host, clock } = this.#modules
    const peer = this.#peerOf(to)
    if (peer === undefined) throw unreachable(to, 'no stake has this key')
    const failedAtMs = this.#unreachable.get(to)
    const isConnected = host.getConnections(peer).length > 0
    if (!isConnected && failedAtMs !== undefined && Math.abs(clock.nowMs() - failedAtMs) < UNREACHABLE_MS) {
      throw unreachable(to, 'it could not be reached a moment ago')
    }
    try {
      const stream = await this.#reach(to, peer)
      const framed = new FramedStream(
        stream,
        (frame) => this.#settle(asking, frame),
        () => {
          if (asking.stream === framed) asking.stream = undefined
          this.#lose(to, asking, framed)
        },
      )
      asking.stream = framed
      asking.givenUp = 0
      this.#unreachable.delete(to)
      return framed
    } catch (error) {
      if (error instanceof SuprnovaError) throw error
      this.#unreachable.set(to, clock.nowMs())
      throw unreachable(to, error instanceof Error ? error.message : String(error))
    }
  }

  /** By the addresses that libp2p knows or its routing table tells; else by those that the peer's stake wrote down. */
  async #reach(to: Address, peer: PeerId): Promise<Stream> {
    const { findAddresses, host } = this.#modules
    try {
      return await host.dialProtocol(peer, this.#protocol, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
    } catch (error) {
      if (host.getConnections(peer).length === 0) await forgetHearsay(host, peer)
      const addresses = host.getConnections(peer).length > 0 ? [] : await findAddresses(to, peer)
      if (addresses.length === 0) throw error
      return host.dialProtocol(addresses, this.#protocol, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
    }
  }

  #settle(asking: Asking, { id, payload, type }: RequestFrame): void {
    if (type === FRAME.request) throw new RangeError('a request on a stream that is for answers')
    const waiting = asking.waiting.get(id)
    if (waiting === undefined) {
      // Whoever asked gave up meanwhile; but no more answers come than were asked for.
      if (asking.givenUp-- > 0) return
      this.#modules.metrics.requests.inc({ outcome: 'unasked' })
      throw new RangeError('an answer that nobody asked for')
    }
    asking.waiting.delete(id)
    if (type === FRAME.answer) waiting.resolve(payload)
    else waiting.reject(refused(waiting.to, Buffer.from(payload.subarray(0, 64)).toString('utf8')))
  }

  /** Ends what was asked on a stream that is gone. What waits for another one goes on. */
  #lose(to: Address, asking: Asking, of: FramedStream | 'all'): void {
    for (const [id, { reject, stream }] of [...asking.waiting]) {
      if (of !== 'all' && stream !== of) continue
      asking.waiting.delete(id)
      reject(lost(to))
    }
  }

  #peerOf(address: Address): PeerId | undefined {
    const known = this.#peerIds.get(address)
    if (known !== undefined) return known
    const key = this.#modules.stakeView.key(address)
    if (key === undefined) return undefined
    const peer = peerIdOfPublicKey(key.publicKey)
    this.#peerIds.set(address, peer)
    return peer
  }

  #scheduleSweep(): void {
    if (this.#cancelSweep !== undefined) return
    this.#cancelSweep = this.#modules.timers.after(REQUEST_SWEEP_MS, () => {
      this.#cancelSweep = undefined
      let left = 0
      for (const [to, asking] of this.#asking) {
        for (const [id, waiting] of asking.waiting) {
          if (--waiting.looksLeft > 0) left++
          else this.#giveUp(asking, id, timedOut(to, waiting.timeoutMs))
        }
      }
      if (left > 0 && this.#running) this.#scheduleSweep()
    })
  }
}
