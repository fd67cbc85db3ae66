import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Hex, SuprnovaError } from '../core/index.ts'
import type { ReceiptFile } from '../dht/index.ts'
import type { PeerWalk } from '../net/index.ts'
import { ANSWER_TIMEOUT_MS, SOCKET_NAME, STATE_LIMIT_BYTES, STATE_STALL_MS } from './constants.ts'
import { NodeGoneError, NodeNotRunningError, NodeSilentError } from './errors.ts'
import type { ErrorBody } from './http/answer.ts'
import {
  type ClosestLine,
  HEADER,
  isNotFound,
  type KeptLine,
  type NearbyLine,
  type ReceiptLine,
  type RenewedLine,
  type StoredLine,
} from './http/dht-routes.ts'
import type { GossipLine } from './http/node-api.ts'
import { bodyTooLarge, ERROR_TRAILER } from './http/state-body.ts'
import type { FaultStatus, NodeStatus } from './status.ts'
import { wholeValue } from './whole-value.ts'

/** What a state is asked for with. */
export interface StateQuery {
  /** Whose record; the node's own stake by default. */
  readonly owner?: number
  readonly replicas?: number
  readonly quorum?: number
  /** Waits for all receipts, not only for those that make a store done. */
  readonly all?: boolean
  /** The key is the hash of a name already: 0x and 64 hex digits. */
  readonly hash?: boolean
  /** Of a store or a renewal: sign it anew before each end, as long as the node runs; false ends that. */
  readonly keep?: boolean | undefined
  /** Ends a store or a read half-way. A store that ended so is no store: its name keeps what it had. */
  readonly signal?: AbortSignal
}

/** What is known of a value that was read. */
export interface StateFacts {
  readonly recordKey: Hex
  readonly position: string
  readonly writer: number
  readonly size: number
  readonly quorum: boolean
  /** Stakes that promised this version to the node and did not show it. */
  readonly missing: readonly number[]
}

export type RetrievedValue =
  | (StateFacts & { readonly value: Uint8Array })
  | { readonly value: undefined; readonly quorum: false; readonly missing: readonly [] }

function stateQuery(key: string, { all, hash, keep, owner, quorum, replicas }: StateQuery): URLSearchParams {
  const query = new URLSearchParams({ key })
  for (const [name, value] of Object.entries({ owner, quorum, replicas })) {
    if (value !== undefined) query.set(name, String(value))
  }
  if (all === true) query.set('all', '1')
  if (keep !== undefined) query.set('keep', keep ? '1' : '0')
  if (hash === true) query.set('hash', '1')
  return query
}

/** Aborts when nothing came for {@link STATE_STALL_MS}, or with `given`. */
class Stall {
  readonly #controller = new AbortController()
  readonly signal: AbortSignal
  #timer: NodeJS.Timeout | undefined

  constructor(given: AbortSignal | undefined) {
    const { signal } = this.#controller
    this.signal = given === undefined ? signal : AbortSignal.any([given, signal])
  }

  /** Begins to wait, or begins anew. */
  wait(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#controller.abort(), STATE_STALL_MS).unref()
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

function factsOf({ headers }: IncomingMessage): StateFacts {
  const missing = String(headers[HEADER.missing] ?? '')
  return {
    recordKey: String(headers[HEADER.recordKey]) as Hex,
    position: String(headers[HEADER.position]),
    writer: Number(headers[HEADER.writer]),
    size: Number(headers[HEADER.size]),
    quorum: headers[HEADER.quorum] === 'true',
    missing: missing === '' ? [] : missing.split(',').map(Number),
  }
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Talks to the node that runs on a data directory.
 * @example
 *   const node = new NodeClient('/home/me/.suprnova')
 *   console.log((await node.status()).peers.length)
 * @throws NodeNotRunningError from every call when none runs there
 * @throws NodeSilentError from every call but `subscribe` when it does not answer in time
 * @throws SuprnovaError the node's own errors, with their codes
 */
export class NodeClient {
  readonly socketPath: string
  readonly #timeoutMs: number

  constructor(dataDir: string, options: { readonly timeoutMs?: number } = {}) {
    this.socketPath = join(dataDir, SOCKET_NAME)
    this.#timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS
  }

  status(): Promise<NodeStatus> {
    return this.#json('GET', '/status')
  }

  publish(topic: string, payload: Uint8Array): Promise<{ recipients: number }> {
    return this.#json('POST', '/gossip/publish', { topic, payload: Buffer.from(payload).toString('base64') })
  }

  /** Messages of a topic as they come. Ends when the node does, or when `signal` aborts. */
  async *subscribe(topic: string, signal?: AbortSignal): AsyncGenerator<GossipLine | { dropped: number }> {
    const message = await this.#open('GET', `/gossip/subscribe?topic=${encodeURIComponent(topic)}`, undefined, signal)
    try {
      for await (const line of createInterface({ input: message })) {
        const read = JSON.parse(line)
        if (read.subscribed === undefined) yield read
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error
    } finally {
      message.destroy()
    }
  }

  async evidence(): Promise<FaultStatus[]> {
    return (await this.#json<{ faults: FaultStatus[] }>('GET', '/evidence')).faults
  }

  /** The bundle as a JSON document. */
  bundle(faultId: Hex): Promise<Record<string, unknown>> {
    return this.#json('GET', `/evidence/${faultId}`)
  }

  submit(faultId: Hex): Promise<FaultStatus> {
    return this.#json('POST', `/evidence/${faultId}/submit`, {})
  }

  /**
   * Stores a value under a name.
   * @param value bytes, or a stream of them; it is sent as fast as replicas take it
   */
  async storeState(
    key: string,
    value: Uint8Array | AsyncIterable<Uint8Array>,
    options: StateQuery = {},
  ): Promise<StoredLine> {
    const stall = new Stall(options.signal)
    try {
      const sent = bounded(value instanceof Uint8Array ? one(value) : value, () => stall.wait())
      const path = `/dht/state?${stateQuery(key, options)}`
      return JSON.parse(await textOf(await this.#open('PUT', path, undefined, stall.signal, sent)))
    } finally {
      stall.end()
    }
  }

  /** Reads a value whole; `undefined` when nobody showed a record. */
  async retrieveState(key: string, options: StateQuery = {}): Promise<RetrievedValue> {
    const opened = await this.openState(key, options)
    if (opened === undefined) return { value: undefined, quorum: false, missing: [] }
    return { ...opened.facts, value: await wholeValue(opened.parts, opened.facts.size) }
  }

  /**
   * Reads a value as a stream; `undefined` when nobody showed a record. What breaks it off half-way, a part that is
   * nowhere to be found or a node that ends, is thrown while it is read.
   */
  async openState(
    key: string,
    options: StateQuery = {},
  ): Promise<{ readonly facts: StateFacts; readonly parts: AsyncIterable<Uint8Array> } | undefined> {
    const stall = new Stall(options.signal)
    stall.wait()
    try {
      const message = await this.#open('GET', `/dht/state?${stateQuery(key, options)}`, undefined, stall.signal)
      return { facts: factsOf(message), parts: this.#partsOf(message, stall) }
    } catch (error) {
      stall.end()
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Signs a state anew, so that it lives longer; of another stake's state the parts alone. Its bytes are not sent. */
  async renew(key: string, options: StateQuery = {}): Promise<RenewedLine> {
    const stall = new Stall(options.signal)
    stall.wait()
    try {
      return JSON.parse(
        await textOf(await this.#open('POST', `/dht/renew?${stateQuery(key, options)}`, undefined, stall.signal)),
      )
    } finally {
      stall.end()
    }
  }

  /** The states that the node keeps alive. */
  async kept(): Promise<KeptLine[]> {
    return (await this.#json<{ states: KeptLine[] }>('GET', '/dht/kept')).states
  }

  /** Which stakes hold a state now. */
  closest(key: string, options: StateQuery = {}): Promise<ClosestLine> {
    return this.#json('GET', `/dht/closest?${stateQuery(key, options)}`)
  }

  /** Peers found by a walk of the routing table towards a state's key. */
  findPeers(key: string, options: StateQuery = {}): Promise<PeerWalk> {
    return this.#json('GET', `/dht/peers?${stateQuery(key, options)}`)
  }

  /** Agents near a position, in the default world unless one is named (see `worldOf`). */
  query(
    position: readonly number[],
    radius: number,
    options: { readonly consistency?: 'quorum' | 'one'; readonly world?: string } = {},
  ): Promise<NearbyLine> {
    const query = new URLSearchParams({ position: position.join(','), radius: String(radius) })
    if (options.consistency !== undefined) query.set('consistency', options.consistency)
    if (options.world !== undefined) query.set('world', options.world)
    return this.#json('GET', `/dht/query?${query}`)
  }

  /** Says where an agent of this stake is, in the default world unless one is named. */
  announce(announcement: {
    readonly agentId: string
    readonly position: readonly number[]
    readonly capabilities?: readonly string[]
    readonly data?: unknown
    readonly world?: string
  }): Promise<{ agentId: Hex }> {
    return this.#json('POST', '/dht/presence', announcement)
  }

  /** Receipts this node was given, newest first. */
  async receipts(
    options: { readonly key?: string; readonly stake?: number; readonly limit?: number } = {},
  ): Promise<ReceiptLine[]> {
    const query = new URLSearchParams()
    if (options.key !== undefined) query.set('key', options.key)
    if (options.stake !== undefined) query.set('stake', String(options.stake))
    if (options.limit !== undefined) query.set('limit', String(options.limit))
    return (await this.#json<{ receipts: ReceiptLine[] }>('GET', `/dht/receipts?${query}`)).receipts
  }

  /** A receipt with its PUT, as a challenge needs them. */
  receipt(id: Hex): Promise<ReceiptFile> {
    return this.#json('GET', `/dht/receipts/${id}`)
  }

  /** The guard's marks as an interchange document. */
  exportGuard(): Promise<Record<string, unknown>> {
    return this.#json('GET', '/guard')
  }

  /** What the node knows of the registry: what `openLightClient` takes as a snapshot. */
  registrySnapshot(): Promise<Record<string, unknown>> {
    return this.#json('GET', '/registry')
  }

  async shutdown(): Promise<void> {
    await this.#json('POST', '/shutdown', {})
  }

  async *#partsOf(message: IncomingMessage, stall: Stall): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of message) {
        stall.wait()
        yield chunk
      }
    } catch (error) {
      if (stall.signal.aborted) throw error
      throw new NodeGoneError(this.socketPath, error)
    } finally {
      stall.end()
      message.destroy()
    }
    const broken = message.trailers[ERROR_TRAILER]
    if (broken !== undefined) throw errorOf(JSON.parse(decodeURIComponent(broken)))
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    try {
      return JSON.parse(await textOf(await this.#open(method, path, body, signal)))
    } catch (error) {
      throw signal.aborted ? new NodeSilentError(this.socketPath, this.#timeoutMs, error) : error
    }
  }

  async #open(
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    bytes?: AsyncIterable<Uint8Array>,
  ): Promise<IncomingMessage> {
    const { socketPath } = this
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const type = bytes === undefined ? 'application/json' : 'application/octet-stream'
      const headers = { 'content-type': type, connection: 'close' }
      const call = request({ socketPath, method, path, headers, ...(signal === undefined ? {} : { signal }) }, resolve)
      // More than one may come: of a body that cannot be written any more after its answer has come, for one.
      call.on('error', (error: NodeJS.ErrnoException) => {
        const away = error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR'
        const gone = error.code === 'ECONNRESET' || error.code === 'EPIPE'
        if (away) reject(new NodeNotRunningError(socketPath, error))
        else reject(gone && bytes !== undefined ? new NodeGoneError(socketPath, error) : error)
      })
      if (bytes === undefined) call.end(body && JSON.stringify(body))
      else {
        pipeline(Readable.from(bytes), call).catch((error: NodeJS.ErrnoException) => {
          // A source that fails ends the call: a value that is cut off must not look like one that is whole.
          const isOfCall = error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'EPIPE'
          if (!isOfCall) reject(error)
        })
      }
    })
    if ((message.statusCode ?? 500) < 400) return message
    throw errorOf(JSON.parse(await textOf(message)))
  }
}

function errorOf({ error }: ErrorBody): SuprnovaError {
  return new SuprnovaError(error.code, error.message, {
    exitCode: error.exitCode,
    values: error.values,
    ...(error.hint === null ? {} : { hint: error.hint }),
  })
}

async function* one(value: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield value
}

/** Passes a value on as long as it is not too large: a stream without end is cut off here, not by the node. */
async function* bounded(
  value: AsyncIterable<Uint8Array>,
  onEnd: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  for await (const chunk of value) {
    size += chunk.length
    if (size > STATE_LIMIT_BYTES) throw bodyTooLarge()
    yield chunk
  }
  onEnd()
}
