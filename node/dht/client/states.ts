import { equalBytes } from '../../core/index.ts'
import { chunkRoot, KEY_TYPE, keccak256, ownerKey } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import type { DhtRecord } from '../interface.ts'
import { entryOf } from '../records/put-reader.ts'
import { PART_BYTES, PARTS_AT_ONCE, STATE_MAX_BYTES } from './constants.ts'
import { decodeManifest, encodeManifest, isManifest, needsParts } from './manifest.ts'
import type { KeptReceipt } from './receipt-book.ts'
import type { QuorumOptions, RecordClient } from './record-client.ts'

/** A name, or its 32-byte hash as it is. */
export type StateKey = string | Uint8Array

export interface StoreStateOptions extends QuorumOptions {
  /** The last epoch of its life; as long as a receipt lives by default. */
  readonly expiryEpoch?: number
  /** Called with the bytes acknowledged so far, of a value stored in parts. */
  readonly onProgress?: (bytes: number) => void
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

/** Values of any size up to 64 MiB under a name of their writer: one record, or a manifest and its parts. */
export class StateClient {
  readonly #client: RecordClient
  readonly #ownStakeId: () => number | undefined

  constructor(modules: { readonly client: RecordClient; readonly ownStakeId: () => number | undefined }) {
    this.#client = modules.client
    this.#ownStakeId = modules.ownStakeId
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
    const whole = value instanceof Uint8Array ? value : undefined
    if (whole !== undefined && !needsParts(whole)) return this.#storeOwner(key, whole, { options, size: whole.length })
    const pieces = whole === undefined ? cut(value as AsyncIterable<Uint8Array>) : cut([whole])
    // What came as a stream may still fit one record.
    const first = await pieces.next()
    if (first.done === true) return this.#storeOwner(key, new Uint8Array(), { options, size: 0 })
    const second = await pieces.next()
    if (second.done === true && !needsParts(first.value)) {
      return this.#storeOwner(key, first.value, { options, size: first.value.length })
    }
    return this.#storeParts(
      key,
      prepend([first.value, ...(second.done === true ? [] : [second.value])], pieces),
      options,
    )
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
    const { roots, size } = decodeManifest(record.value)
    return { recordKey, record, quorum, missing, size, parts: this.#readParts(roots, size, options) }
  }

  async #storeOwner(
    key: StateKey,
    value: Uint8Array,
    {
      options,
      parts = 0,
      size,
    }: { readonly options: StoreStateOptions; readonly parts?: number; readonly size: number },
  ): Promise<StoredState> {
    const { expiryEpoch } = options
    const draft = { keyType: KEY_TYPE.owner, keyPreimage: nameHashOf(key), value, expiryEpoch }
    const { degraded, receipts, record, rest } = await this.#client.store(draft, options)
    const { position, leaf } = record.version
    return { recordKey: record.recordKey, position, leaf, receipts, degraded, parts, size, rest }
  }

  async #storeParts(
    key: StateKey,
    pieces: AsyncIterable<Uint8Array>,
    options: StoreStateOptions,
  ): Promise<StoredState> {
    const roots: Uint8Array[] = []
    const underWay = new Set<Promise<void>>()
    let size = 0
    let done = 0
    let failure: unknown
    for await (const piece of pieces) {
      size += piece.length
      if (size > STATE_MAX_BYTES) throw tooLarge(size)
      const index = roots.push(chunkRoot(piece)) - 1
      const storing = this.#storePart(piece, index, options)
        .then(() => {
          done += piece.length
          options.onProgress?.(done)
        })
        .catch((error: unknown) => {
          failure ??= error
        })
        .finally(() => underWay.delete(storing))
      underWay.add(storing)
      if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay)
      if (failure !== undefined) break
    }
    await Promise.all(underWay)
    if (failure !== undefined) throw failure
    return this.#storeOwner(key, encodeManifest({ size, roots }), { options, parts: roots.length, size })
  }

  async #storePart(value: Uint8Array, index: number, options: StoreStateOptions): Promise<void> {
    try {
      const { expiryEpoch } = options
      await this.#client.store(
        { keyType: KEY_TYPE.content, keyPreimage: new Uint8Array(32), value, expiryEpoch },
        options,
      )
    } catch (error) {
      throw new DhtError('DHT_PART_NOT_STORED', `part ${index} of the value could not be stored`, {
        exitCode: 75,
        values: { part: index },
        hint: 'store the value again: parts that are there already cost one round trip',
        cause: error,
      })
    }
  }

  async *#readParts(
    roots: readonly Uint8Array[],
    size: number,
    options: RetrieveStateOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const ahead: Promise<Uint8Array>[] = []
    try {
      for (let index = 0; index < roots.length; index++) {
        while (ahead.length < PARTS_AT_ONCE && index + ahead.length < roots.length) {
          const part = index + ahead.length
          const bytes = Math.min(PART_BYTES, size - part * PART_BYTES)
          ahead.push(this.#readPart(roots[part] as Uint8Array, { part, bytes }, options))
        }
        yield await (ahead.shift() as Promise<Uint8Array>)
      }
    } finally {
      // A reader that stops early leaves questions behind; their failures are nobody's.
      await Promise.allSettled(ahead)
    }
  }

  async #readPart(
    root: Uint8Array,
    { bytes, part }: { readonly part: number; readonly bytes: number },
    options: RetrieveStateOptions,
  ): Promise<Uint8Array> {
    // The root names the bytes: whoever signed them, one good copy is enough.
    const owner = options.owner ?? this.#own()
    const entry = contentEntry(owner)
    const { record } = await this.#client.read({ recordKey: root, entry }, options)
    const copy = record ?? (await this.#client.readSet(root, options)).records[0]
    if (copy !== undefined && equalBytes(copy.put.valueRoot, root) && copy.value.length === bytes) return copy.value
    throw new DhtError('DHT_PART_MISSING', `part ${part} of the value is nowhere to be found`, {
      exitCode: 75,
      values: { part },
      hint: 'its replicas may be away; read again later',
    })
  }

  #own(): number {
    const own = this.#ownStakeId()
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

/** The entry under which a stake's own copy of content stands. */
function contentEntry(stakeId: number): Uint8Array {
  const common = { keyPreimage: new Uint8Array(32), valueRoot: new Uint8Array(32), size: 1, expiryEpoch: 0n }
  return entryOf({ ...common, keyType: KEY_TYPE.content }, stakeId)
}

function tooLarge(size: number): DhtError {
  return new DhtError('DHT_TOO_LARGE', `a value of ${size} bytes or more, the limit is ${STATE_MAX_BYTES}`, {
    exitCode: 2,
    values: { size, limit: STATE_MAX_BYTES },
    hint: 'store it in several values',
  })
}

/** Cuts a stream into pieces of {@link PART_BYTES}, the last one shorter. */
async function* cut(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let piece = new Uint8Array(PART_BYTES)
  let filled = 0
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(PART_BYTES - filled, chunk.length - at)
      piece.set(chunk.subarray(at, at + taken), filled)
      filled += taken
      at += taken
      if (filled < PART_BYTES) continue
      yield piece
      piece = new Uint8Array(PART_BYTES)
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
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
