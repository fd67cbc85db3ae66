import { EXIT, equalBytes, toHex } from '../../core/index.ts'
import { chunkRoot, KEY_TYPE } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import type { SignedPut } from '../interface.ts'
import { entryOf, isRefused, type PutReader } from '../records/put-reader.ts'
import { PART_BYTES, PARTS_AT_ONCE, PARTS_BEHIND_MAX, RESIGN_GAIN, STATE_MAX_BYTES } from './constants.ts'
import type { QuorumOptions } from './quorum.ts'
import type { ReceiptBook } from './receipt-book.ts'
import type { Draft, RecordClient, StoreResult } from './record-client.ts'

/** One part of a large value: a content record. */
export interface Part {
  readonly index: number
  readonly root: Uint8Array
  /** Bytes. */
  readonly size: number
}

export interface PartOptions extends QuorumOptions {
  readonly expiryEpoch?: number
  readonly onProgress?: (bytes: number) => void
}

export interface PartStoreModules {
  readonly client: RecordClient
  readonly reader: PutReader
  readonly receipts: ReceiptBook
  /** @throws DhtError `DHT_NO_OWNER` */
  readonly own: () => number
}

/** How many receipts of one part are looked at for one that serves again. */
const RECEIPTS_LOOKED_AT = 16

/** The parts of large values: a few under way at a time, so that memory is bounded whatever the size. */
export class PartStore {
  readonly #modules: PartStoreModules

  constructor(modules: PartStoreModules) {
    this.#modules = modules
  }

  /**
   * Stores pieces as they come. Those that an earlier try brought to their replicas are neither signed nor sent again.
   * @returns the roots in order, and the last epoch in which all of them live
   * @throws DhtError `DHT_TOO_LARGE`, `DHT_PART_NOT_STORED`
   */
  async store(
    pieces: AsyncIterable<Uint8Array>,
    options: PartOptions,
  ): Promise<{ readonly roots: readonly Uint8Array[]; readonly size: number; readonly expiryEpoch: number }> {
    const roots: Uint8Array[] = []
    let size = 0
    const parts = async function* () {
      for await (const piece of pieces) {
        size += piece.length
        if (size > STATE_MAX_BYTES) throw tooLarge(size)
        const root = chunkRoot(piece)
        const index = roots.push(root) - 1
        yield { part: { index, root, size: piece.length }, value: piece }
      }
    }
    const expiryEpoch = await this.#all(parts(), options)
    return { roots, size, expiryEpoch }
  }

  /** Signs parts anew; their bytes are read only for replicas that lack them. @returns the last epoch of all of them */
  renewAll(parts: readonly Part[], options: PartOptions): Promise<number> {
    const items = async function* () {
      for (const part of parts) yield { part, value: undefined }
    }
    return this.#all(items(), options)
  }

  /** The bytes of `parts` in order, a few read ahead. */
  async *read(
    parts: readonly Part[],
    options: QuorumOptions & { readonly owner?: number },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const ahead: Promise<Uint8Array>[] = []
    try {
      for (const part of parts) {
        while (ahead.length < PARTS_AT_ONCE) {
          const following = parts[part.index + ahead.length]
          if (following === undefined) break
          const reading = this.#readPart(following, options)
          // It may fail before its turn comes; it is told then.
          reading.catch(() => undefined)
          ahead.push(reading)
        }
        yield await (ahead.shift() as Promise<Uint8Array>)
      }
    } finally {
      // A reader that stops early leaves questions behind; their failures are nobody's.
      await Promise.allSettled(ahead)
    }
  }

  async #all(
    items: AsyncIterable<{ readonly part: Part; readonly value: Uint8Array | undefined }>,
    options: PartOptions,
  ): Promise<number> {
    const wanted = Math.min(options.expiryEpoch ?? Number.POSITIVE_INFINITY, this.#modules.client.longestExpiry)
    const underWay = new Set<Promise<void>>()
    const behind = new Set<Promise<unknown>>()
    let expiryEpoch = wanted
    let done = 0
    let failure: unknown
    for await (const { part, value } of items) {
      const storing = this.#storePart(part, value, { ...options, wanted })
        .then(({ record, rest }) => {
          expiryEpoch = Math.min(expiryEpoch, Number(record.put.expiryEpoch))
          done += part.size
          options.onProgress?.(done)
          const waiting = rest.finally(() => behind.delete(waiting))
          behind.add(waiting)
        })
        .catch((error: unknown) => {
          failure ??= error
        })
        .finally(() => underWay.delete(storing))
      underWay.add(storing)
      if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay)
      if (behind.size >= PARTS_BEHIND_MAX) await Promise.race(behind)
      if (failure !== undefined) break
    }
    await Promise.all(underWay)
    if (failure !== undefined) throw failure
    return expiryEpoch
  }

  async #storePart(
    part: Part,
    value: Uint8Array | undefined,
    options: PartOptions & { readonly wanted: number },
  ): Promise<StoreResult> {
    const { client } = this.#modules
    const { root: valueRoot, size } = part
    const load = async () => value ?? (await this.#readPart(part, options))
    try {
      const known = this.#known(part, options)
      if (known.put !== undefined) {
        const again = await client.forwardHeld(known.put, load, options).catch(orSuperseded)
        if (again !== undefined) return again
      }
      const isHeld = value === undefined || known.isKnown
      const common = { keyType: KEY_TYPE.content, keyPreimage: new Uint8Array(32), expiryEpoch: options.wanted }
      const draft: Draft = { ...common, value: isHeld ? { valueRoot, size, load } : value }
      return await client.store(draft, options)
    } catch (error) {
      throw new DhtError('DHT_PART_NOT_STORED', `part ${part.index} of the value could not be stored`, {
        exitCode: EXIT.tryAgain,
        values: { part: part.index },
        hint: 'store the value again: parts that are there already are not sent again',
        cause: error,
      })
    }
  }

  /** Whether this client was given a receipt for a part, and the own PUT of it that lives about as long as is wanted. */
  #known(
    { root }: Part,
    { expiryEpoch, wanted }: PartOptions & { readonly wanted: number },
  ): { readonly isKnown: boolean; readonly put?: SignedPut } {
    const { client, own, reader, receipts } = this.#modules
    const least = expiryEpoch === undefined ? wanted - RESIGN_GAIN * client.lifeEpochs : wanted
    let isKnown = false
    for (const kept of receipts.list({ recordKey: toHex(root), limit: RECEIPTS_LOOKED_AT })) {
      isKnown = true
      const put = reader.read(kept.put)
      if (!isRefused(put) && put.writerStakeId === own() && put.put.expiryEpoch >= least) return { isKnown, put }
    }
    return { isKnown }
  }

  async #readPart(
    { index, root, size }: Part,
    options: QuorumOptions & { readonly owner?: number },
  ): Promise<Uint8Array> {
    const { client, own } = this.#modules
    // The root names the bytes: whoever signed them, one good copy is enough.
    const { record } = await client.read({ recordKey: root, entry: contentEntry(options.owner ?? own()) }, options)
    const copy = record ?? (await client.readSet(root, options)).records[0]
    if (copy !== undefined && equalBytes(copy.put.valueRoot, root) && copy.value.length === size) return copy.value
    throw new DhtError('DHT_PART_MISSING', `part ${index} of the value is nowhere to be found`, {
      exitCode: EXIT.tryAgain,
      values: { part: index },
      hint: 'its replicas may be away; read again later',
    })
  }
}

/** A newer PUT of the same content is there: then another one must be signed. */
function orSuperseded(error: unknown): undefined {
  if (error instanceof DhtError && error.code === 'DHT_SUPERSEDED') return undefined
  throw error
}

/** The entry under which a stake's own copy of content stands. */
function contentEntry(stakeId: number): Uint8Array {
  const common = { keyPreimage: new Uint8Array(32), valueRoot: new Uint8Array(32), size: 1, expiryEpoch: 0n }
  return entryOf({ ...common, keyType: KEY_TYPE.content }, stakeId)
}

function tooLarge(size: number): DhtError {
  return new DhtError('DHT_TOO_LARGE', `a value of ${size} bytes or more, the limit is ${STATE_MAX_BYTES}`, {
    exitCode: EXIT.usage,
    values: { size, limit: STATE_MAX_BYTES },
    hint: 'store it in several values',
  })
}

/** Cuts a stream into pieces of {@link PART_BYTES}, the last one shorter. */
export async function* cut(
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
