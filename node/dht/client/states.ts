import { EXIT, type Logger, type Metrics, type Table, type Timers, toHex } from '../../core/index.ts'
import { KEY_TYPE, keccak256, ownerKey } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import type { DhtRecord } from '../interface.ts'
import type { PutReader } from '../records/put-reader.ts'
import { PART_BYTES, RESIGN_GAIN } from './constants.ts'
import { decodeManifest, encodeManifest, isManifest, needsParts } from './manifest.ts'
import { cut, type Part, PartStore } from './parts.ts'
import type { QuorumOptions } from './quorum.ts'
import type { KeptReceipt, ReceiptBook } from './receipt-book.ts'
import type { RecordClient, StoreResult } from './record-client.ts'
import { StateKeeper } from './state-keeper.ts'

/** A name, or its 32-byte hash as it is. */
export type StateKey = string | Uint8Array

export interface StoreStateOptions extends QuorumOptions {
  /** The last epoch of its life; as long as a receipt lives by default. */
  readonly expiryEpoch?: number
  /** Called with the bytes acknowledged so far, of a value stored in parts. */
  readonly onProgress?: (bytes: number) => void
  /** Signs it anew before each end, as long as this node runs; see `StateKeeper`. Not with an `expiryEpoch`. */
  readonly keep?: boolean
}

export interface RenewOptions extends QuorumOptions {
  /** The new last epoch of its life; as long as a receipt lives by default. */
  readonly expiryEpoch?: number
  /** Whose state; of another stake only the parts can be renewed: content may be signed by anyone. */
  readonly owner?: number
  /** Called with the bytes acknowledged so far, of a value stored in parts. */
  readonly onProgress?: (bytes: number) => void
}

export interface RenewedState {
  readonly recordKey: Uint8Array
  /** The last epoch of its life now. */
  readonly expiryEpoch: number
  /** False when it lives almost as long as it may: then nothing was signed. */
  readonly renewed: boolean
  /** Content records that were looked after; 0 for a value that fits one record. */
  readonly parts: number
  /** Bytes of the value. */
  readonly size: number
  /** Receipts of the record itself, or of the manifest; none when only parts of another stake's state were renewed. */
  readonly receipts: readonly KeptReceipt[]
}

export interface StoredState {
  readonly recordKey: Uint8Array
  /** Position of the PUT statement: epoch << 32 | index. */
  readonly position: bigint
  readonly leaf: number
  /** Receipts of the record itself, or of the manifest. */
  readonly receipts: readonly KeptReceipt[]
  readonly degraded: boolean
  /** Content records it was cut into; 0 for a value that fits one record. */
  readonly parts: number
  /** Bytes of the value. */
  readonly size: number
  /** The last epoch of its life. */
  readonly expiryEpoch: number
  /** Receipts that come behind. Never rejects. */
  readonly rest: Promise<readonly KeptReceipt[]>
}

export interface RetrieveStateOptions extends QuorumOptions {
  /** Whose record; the own stake's by default. */
  readonly owner?: number
}

export interface RetrievedState {
  readonly recordKey: Uint8Array
  readonly record: DhtRecord
  readonly quorum: boolean
  /** Bytes of the value. */
  readonly size: number
  /** Stakes that promised this version to this client and did not show it. */
  readonly missing: readonly number[]
  /** The value, part by part; each is verified before it is given. */
  readonly parts: AsyncIterable<Uint8Array>
}

/** What a read without a record gives. */
export interface NoState {
  readonly recordKey: Uint8Array
  readonly record: undefined
}

export interface StateClientModules {
  readonly client: RecordClient
  readonly reader: PutReader
  readonly receipts: ReceiptBook
  readonly ownStakeId: () => number | undefined
  /** What signing states anew by itself takes; `undefined` for a client that only reads. */
  readonly keeping?: {
    /** Which states this node keeps alive. */
    readonly kept: Table
    readonly timers: Timers
    readonly metrics: Metrics
    readonly logger: Logger
  }
}

/** Values of any size up to 64 MiB under a name of their writer: one record, or a manifest and its parts. */
export class StateClient {
  /** `undefined` for a client that only reads. */
  readonly keeper: StateKeeper | undefined
  readonly #modules: StateClientModules
  readonly #client: RecordClient
  readonly #parts: PartStore
  /** The newest write of a name that is under way: the next one waits for it. */
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(params: { readonly epochSeconds: number }, modules: StateClientModules) {
    const { keeping } = modules
    this.#modules = modules
    this.#client = modules.client
    this.#parts = new PartStore({ ...modules, own: () => this.#own() })
    const renew = (key: Uint8Array, options: QuorumOptions) => this.renew(key, options)
    this.keeper = keeping && new StateKeeper(params, { ...modules, ...keeping, renew })
  }

  /** The key of a state: keccak256(0x01 || stake id || name hash). */
  keyOf(key: StateKey, owner?: number): Uint8Array {
    return ownerKey(owner ?? this.#own(), nameHashOf(key))
  }

  /**
   * Stores a value under a name.
   * @throws DhtError as `RecordClient.store`, and `DHT_TOO_LARGE`
   */
  async storeState(
    key: StateKey,
    value: Uint8Array | AsyncIterable<Uint8Array>,
    options: StoreStateOptions = {},
  ): Promise<StoredState> {
    this.#own()
    if (options.keep === true && options.expiryEpoch !== undefined) {
      throw new DhtError('DHT_BAD_KEEP', 'a state that is kept alive has no end of its own', {
        exitCode: EXIT.usage,
        hint: 'leave out either the expiry or the wish to keep it',
      })
    }
    const stored = await this.#store(key, value, options)
    if (options.keep === true) await this.keeper?.keep(nameHashOf(key), { ...options, expiryEpoch: stored.expiryEpoch })
    return stored
  }

  /**
   * Signs a state anew, and its parts, so that it lives longer. Its bytes are not sent where they are held.
   * @throws DhtError `DHT_NOTHING_TO_RENEW` when nobody shows it; `DHT_NO_QUORUM` when a newer version may have been
   * missed; `DHT_NOT_YOURS` for another stake's state without parts; as `RecordClient.store`; `DHT_PART_NOT_STORED`
   */
  async renew(key: StateKey, options: RenewOptions = {}): Promise<RenewedState> {
    const own = this.#own()
    const { owner = own } = options
    const recordKey = this.keyOf(key, owner)
    // Nothing of this name is written between the look and the signature: it would be put out by an older value.
    return this.#inTurn(recordKey, async () => {
      const { quorum, record } = await this.#client.read({ recordKey, entry: new Uint8Array(32) }, options)
      if (record === undefined) throw nothingToRenew(recordKey)
      const parts = isManifest(record.value) ? partsOf(record.value) : []
      const size = parts.length === 0 ? record.value.length : parts.reduce((sum, part) => sum + part.size, 0)
      if (owner !== own) {
        if (parts.length === 0) throw notYours(owner)
        const expiryEpoch = await this.#parts.renewAll(parts, options)
        return { recordKey, expiryEpoch, renewed: true, parts: parts.length, size, receipts: [] }
      }
      if (!quorum) throw noQuorum(recordKey)
      const wanted = Math.min(options.expiryEpoch ?? Number.POSITIVE_INFINITY, this.#client.longestExpiry)
      const gained = wanted - Number(record.put.expiryEpoch)
      const least = options.expiryEpoch === undefined ? RESIGN_GAIN * this.#client.lifeEpochs : 1
      if (gained < least) {
        const expiryEpoch = Number(record.put.expiryEpoch)
        return { recordKey, expiryEpoch, renewed: false, parts: parts.length, size, receipts: [] }
      }
      const expiryEpoch = parts.length === 0 ? wanted : await this.#parts.renewAll(parts, options)
      const { put, value } = record
      const held = { valueRoot: put.valueRoot, size: put.size, load: async () => value }
      const draft = { keyType: KEY_TYPE.owner, keyPreimage: put.keyPreimage, value: held, expiryEpoch }
      const { receipts } = await this.#client.store(draft, options)
      return { recordKey, expiryEpoch, renewed: true, parts: parts.length, size, receipts }
    })
  }

  /**
   * Reads what an owner stored under a name.
   * @throws DhtError as `RecordClient.read`; while the parts are read `DHT_PART_MISSING`, `DHT_BAD_MANIFEST`
   */
  async retrieveState(key: StateKey, options: RetrieveStateOptions = {}): Promise<RetrievedState | NoState> {
    const recordKey = this.keyOf(key, options.owner)
    const { missing, quorum, record } = await this.#client.read({ recordKey, entry: new Uint8Array(32) }, options)
    if (record === undefined) return { recordKey, record }
    if (!isManifest(record.value)) {
      return { recordKey, record, quorum, missing, size: record.value.length, parts: one(record.value) }
    }
    const parts = partsOf(record.value)
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    return { recordKey, record, quorum, missing, size, parts: this.#parts.read(parts, options) }
  }

  async #store(
    key: StateKey,
    value: Uint8Array | AsyncIterable<Uint8Array>,
    options: StoreStateOptions,
  ): Promise<StoredState> {
    const whole = value instanceof Uint8Array ? value : undefined
    if (whole !== undefined && !needsParts(whole)) return this.#storeOwner(key, whole, options)
    const pieces = whole === undefined ? cut(value as AsyncIterable<Uint8Array>) : cut([whole])
    // What came as a stream may still fit one record.
    const first = await pieces.next()
    if (first.done === true) return this.#storeOwner(key, new Uint8Array(), options)
    const second = await pieces.next()
    if (second.done === true && !needsParts(first.value)) return this.#storeOwner(key, first.value, options)
    const all = prepend([first.value, ...(second.done === true ? [] : [second.value])], pieces)
    const { expiryEpoch, roots, size } = await this.#parts.store(all, options)
    const manifest = encodeManifest({ size, roots })
    const stored = await this.#storeOwner(key, manifest, { ...options, expiryEpoch })
    return { ...stored, parts: roots.length, size }
  }

  async #storeOwner(key: StateKey, value: Uint8Array, options: StoreStateOptions): Promise<StoredState> {
    const { expiryEpoch } = options
    const draft = { keyType: KEY_TYPE.owner, keyPreimage: nameHashOf(key), value, expiryEpoch }
    const result = await this.#inTurn(this.keyOf(key), () => this.#client.store(draft, options))
    return { ...storedOf(result), parts: 0, size: value.length }
  }

  #inTurn<T>(recordKey: Uint8Array, work: () => Promise<T>): Promise<T> {
    const name = toHex(recordKey)
    const before = this.#underWay.get(name)
    const working = before === undefined ? work() : before.then(work)
    const settled = working.then(
      () => undefined,
      () => undefined,
    )
    this.#underWay.set(name, settled)
    void settled.then(() => {
      if (this.#underWay.get(name) === settled) this.#underWay.delete(name)
    })
    return working
  }

  #own(): number {
    const own = this.#modules.ownStakeId()
    if (own !== undefined) return own
    throw new DhtError('DHT_NO_OWNER', 'this node has no stake, so it must be told whose record is meant', {
      exitCode: 2,
      hint: 'give the owner: the id of the stake that wrote it',
    })
  }
}

/** keccak256 of the UTF-8 name; 32 bytes are taken as they are. */
export function nameHashOf(key: StateKey): Uint8Array {
  if (typeof key === 'string') return keccak256(new Uint8Array(Buffer.from(key, 'utf8')))
  if (key.length === 32) return key
  throw new DhtError('DHT_BAD_KEY', `a key is a name or 32 bytes, got ${key.length} bytes`, { exitCode: 2 })
}

function storedOf({ degraded, receipts, record, rest }: StoreResult) {
  const { leaf, position } = record.version
  const expiryEpoch = Number(record.put.expiryEpoch)
  return { recordKey: record.recordKey, position, leaf, receipts, degraded, expiryEpoch, rest }
}

/** @throws DhtError `DHT_BAD_MANIFEST` */
function partsOf(manifest: Uint8Array): Part[] {
  const { roots, size } = decodeManifest(manifest)
  return roots.map((root, index) => ({ index, root, size: Math.min(PART_BYTES, size - index * PART_BYTES) }))
}

function nothingToRenew(recordKey: Uint8Array): DhtError {
  return new DhtError('DHT_NOTHING_TO_RENEW', `nobody shows the record ${toHex(recordKey)}`, {
    exitCode: EXIT.tryAgain,
    values: { recordKey: toHex(recordKey) },
    hint: 'its replicas may be away; when it has expired, store it again',
  })
}

function noQuorum(recordKey: Uint8Array): DhtError {
  return new DhtError('DHT_NO_QUORUM', 'too few replicas answered to know that this is the newest version', {
    exitCode: EXIT.tryAgain,
    values: { recordKey: toHex(recordKey) },
    hint: 'signing an older one anew would put the newest out: try again when more replicas are there',
  })
}

function notYours(owner: number): DhtError {
  return new DhtError('DHT_NOT_YOURS', `only stake ${owner} can sign its record anew`, {
    exitCode: EXIT.usage,
    values: { owner },
    hint: 'of values stored in parts the parts can be renewed by anyone',
  })
}

async function* prepend(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* first
  yield* rest
}

async function* one(value: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (value.length > 0) yield value
}
