import {
  type Domain,
  fromHex,
  type Hex,
  type Logger,
  type SignedStatement,
  type Table,
  toHex,
} from '../../core/index.ts'
import { decodeBody, decodeFrame, keccak256, packSlot, type ReceiptBody } from '../../statements/index.ts'
import type { SignedPut } from '../interface.ts'

/** Receipts kept; past it the oldest is forgotten. */
export const RECEIPTS_MAX = 1_048_576

/** A promise this client was given. */
export interface KeptReceipt {
  /** keccak256(slot hash of the RECEIPT statement || leaf): one receipt, one id, one fault when it is broken. */
  readonly id: Hex
  /** Who promised. */
  readonly stakeId: number
  readonly recordKey: Hex
  readonly valueRoot: Hex
  readonly size: number
  /** The last epoch in which it can be challenged. */
  readonly untilEpoch: number
  /** The RECEIPT and the PUT it is for: wire frames, form 0. */
  readonly receipt: Uint8Array
  readonly put: Uint8Array
}

/** What is handed to whoever opens a challenge. JSON. */
export interface ReceiptFile {
  readonly version: 1
  readonly domain: { readonly chainId: string; readonly registry: Hex; readonly salt: Hex }
  readonly stakeId: number
  readonly receipt: Hex
  readonly put: Hex
}

/** The id of a receipt in a wire frame of form 0. */
export function receiptId(frame: Uint8Array): Hex {
  const { bodies, signed } = decodeFrame(frame)
  return toHex(idOf(signed, bodies[0]?.leaf ?? 0))
}

/** 32 bytes. */
function idOf({ signer, statement }: SignedStatement, leaf: number): Uint8Array {
  return keccak256(keccak256(packSlot({ signer, ...statement })), Uint8Array.of(leaf))
}

// Rows, by their first byte:
//
//   r | id 32                      the receipt: stake id 8 | until 8 | number 8 | u16 length | receipt | put
//   n | number 8                   in the order in which they came: id 32 | recordKey 32
//   b | recordKey 32 | ~number 8   by record, newest first: id 32

const ROW = 0x72
const ORDER = 0x6e
const BY_RECORD = 0x62
const HEAD_BYTES = 8 + 8 + 8 + 2
const LAST_NUMBER = 2n ** 64n - 1n

/** The receipts this client was given, on disk, until they can be challenged no more. */
export class ReceiptBook {
  readonly #domain: Domain
  readonly #table: Table
  readonly #logger: Logger
  readonly #limit: number
  #first = 0
  #next = 0
  #unwritten: (readonly [Uint8Array, Uint8Array | undefined])[] = []
  /** Kept, and not on disk yet. */
  readonly #pending = new Map<Hex, KeptReceipt>()
  #writing: Promise<void> | undefined

  constructor(
    options: { readonly domain: Domain; readonly limit?: number },
    modules: { readonly table: Table; readonly logger: Logger },
  ) {
    this.#domain = options.domain
    this.#limit = options.limit ?? RECEIPTS_MAX
    this.#table = modules.table
    this.#logger = modules.logger
    let isFirst = true
    for (const [key] of modules.table.range(Uint8Array.of(ORDER), Uint8Array.of(ORDER + 1))) {
      const number = Number(viewOf(key).getBigUint64(1))
      if (isFirst) this.#first = number
      isFirst = false
      this.#next = number + 1
    }
  }

  /** Receipts kept. */
  get size(): number {
    return this.#next - this.#first
  }

  /**
   * Keeps a verified receipt, once however often it is given. The disk follows by itself: losing one to a crash loses
   * the means to complain, no record.
   * @param given `said` and `leaf`: the statement of the frame, and where its body stands; `untilEpoch`: the last epoch
   * in which a court would hear of it
   * @returns it as it is kept
   */
  keep(
    frame: Uint8Array,
    signed: SignedPut,
    given: {
      readonly said: SignedStatement
      readonly leaf: number
      readonly body: ReceiptBody
      readonly stakeId: number
      readonly untilEpoch: number
    },
  ): KeptReceipt {
    const { body, stakeId, untilEpoch } = given
    const idBytes = idOf(given.said, given.leaf)
    const id = toHex(idBytes)
    const known = this.get(id)
    if (known !== undefined) return known
    const kept: KeptReceipt = {
      ...{ id, stakeId, untilEpoch },
      recordKey: toHex(body.recordKey),
      valueRoot: toHex(body.valueRoot),
      size: body.size,
      receipt: frame.slice(),
      put: signed.frame,
    }
    const number = this.#next++
    this.#pending.set(id, kept)
    this.#unwritten.push(
      [rowKeyOf(idBytes), encodeRow(kept, number)],
      [orderKey(number), Buffer.concat([idBytes, body.recordKey])],
      [byRecordKey(body.recordKey, number), idBytes],
    )
    while (this.size > this.#limit) this.#forgetFirst()
    this.#writing ??= this.#write()
    return kept
  }

  get(id: Hex): KeptReceipt | undefined {
    const pending = this.#pending.get(id)
    if (pending !== undefined) return pending
    const row = this.#table.get(rowKey(id))
    return row === undefined ? undefined : readRow(id, row)
  }

  /** Newest first. */
  *list(
    filter: { readonly recordKey?: Hex; readonly stakeId?: number; readonly limit?: number } = {},
  ): Iterable<KeptReceipt> {
    const { limit = Number.POSITIVE_INFINITY, recordKey, stakeId } = filter
    let left = limit
    for (const kept of this.#newestFirst(recordKey)) {
      if (left <= 0) return
      if (stakeId !== undefined && kept.stakeId !== stakeId) continue
      left--
      yield kept
    }
  }

  *#newestFirst(recordKey: Hex | undefined): Iterable<KeptReceipt> {
    const pending = [...this.#pending.values()].reverse()
    for (const kept of pending) if (recordKey === undefined || kept.recordKey === recordKey) yield kept
    const isPending = new Set(pending.map(({ id }) => id))
    for (const id of recordKey === undefined ? this.#ids() : this.#idsOf(recordKey)) {
      const kept = isPending.has(id) ? undefined : this.get(id)
      if (kept !== undefined) yield kept
    }
  }

  *#ids(): Iterable<Hex> {
    for (let number = this.#next - 1; number >= this.#first; number--) {
      const row = this.#table.get(orderKey(number))
      if (row !== undefined) yield toHex(row.subarray(0, 32))
    }
  }

  *#idsOf(recordKey: Hex): Iterable<Hex> {
    const from = byRecordKey(fromHex(recordKey), 0).subarray(0, 33)
    const end = Buffer.concat([from, new Uint8Array(9).fill(0xff)])
    for (const [, id] of this.#table.range(from, end)) yield toHex(id)
  }

  export(kept: KeptReceipt): ReceiptFile {
    const { chainId, salt, verifyingContract } = this.#domain
    return {
      version: 1,
      domain: { chainId: String(chainId), registry: verifyingContract, salt },
      stakeId: kept.stakeId,
      receipt: toHex(kept.receipt),
      put: toHex(kept.put),
    }
  }

  /** Forgets receipts that nobody can challenge any more, oldest first. */
  async sweep(epoch: number): Promise<void> {
    await this.idle()
    while (this.#first < this.#next) {
      const row = this.#table.get(orderKey(this.#first))
      const kept = row && this.get(toHex(row.subarray(0, 32)))
      if (kept !== undefined && kept.untilEpoch >= epoch) break
      this.#forgetFirst()
    }
    this.#writing ??= this.#write()
    await this.#writing
  }

  /** Resolves when all that was kept is on disk. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  #forgetFirst(): void {
    const number = this.#first++
    const row = this.#table.get(orderKey(number))
    this.#unwritten.push([orderKey(number), undefined])
    if (row === undefined) return
    const id = toHex(row.subarray(0, 32))
    this.#unwritten.push([rowKey(id), undefined], [byRecordKey(row.subarray(32), number), undefined])
  }

  async #write(): Promise<void> {
    // One write for all that a turn keeps.
    await Promise.resolve()
    while (this.#unwritten.length > 0) {
      const rows = this.#unwritten
      const ids = [...this.#pending.keys()]
      this.#unwritten = []
      try {
        await this.#table.write(rows)
      } catch (error) {
        this.#logger.warn('receipts could not be written', { count: rows.length, error: String(error) })
      }
      for (const id of ids) this.#pending.delete(id)
    }
    this.#writing = undefined
  }
}

function rowKey(id: Hex): Uint8Array {
  return rowKeyOf(fromHex(id))
}

function rowKeyOf(id: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + id.length)
  key[0] = ROW
  key.set(id, 1)
  return key
}

function orderKey(number: number): Uint8Array {
  const key = new Uint8Array(9)
  key[0] = ORDER
  viewOf(key).setBigUint64(1, BigInt(number))
  return key
}

function byRecordKey(recordKey: Uint8Array, number: number): Uint8Array {
  const key = new Uint8Array(41)
  key[0] = BY_RECORD
  key.set(recordKey, 1)
  viewOf(key).setBigUint64(33, LAST_NUMBER - BigInt(number))
  return key
}

function encodeRow(kept: KeptReceipt, number: number): Uint8Array {
  const row = new Uint8Array(HEAD_BYTES + kept.receipt.length + kept.put.length)
  const view = viewOf(row)
  view.setBigUint64(0, BigInt(kept.stakeId))
  view.setBigUint64(8, BigInt(kept.untilEpoch))
  view.setBigUint64(16, BigInt(number))
  view.setUint16(24, kept.receipt.length)
  row.set(kept.receipt, HEAD_BYTES)
  row.set(kept.put, HEAD_BYTES + kept.receipt.length)
  return row
}

function readRow(id: Hex, row: Uint8Array): KeptReceipt {
  const view = viewOf(row)
  const receiptEnd = HEAD_BYTES + view.getUint16(24)
  const receipt = row.slice(HEAD_BYTES, receiptEnd)
  const body = decodeBody(3, decodeFrame(receipt).bodies[0]?.bytes ?? new Uint8Array()) as ReceiptBody
  return {
    id,
    stakeId: Number(view.getBigUint64(0)),
    recordKey: toHex(body.recordKey),
    valueRoot: toHex(body.valueRoot),
    size: body.size,
    untilEpoch: Number(view.getBigUint64(8)),
    receipt,
    put: row.slice(receiptEnd),
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
