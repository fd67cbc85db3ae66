import { createHash, hash } from 'node:crypto'
import type { Address, Domain, MeshKind, MeteredKind, SlotEntry, Table } from '../../core/index.ts'
import type { Expected } from '../conditional-table.ts'
import { KEPT_EPOCHS } from '../constants.ts'
import { storeCorrupt } from '../errors.ts'
import type { GuardRecord } from './opening.ts'

export type Write = readonly [key: Uint8Array, value: Uint8Array | undefined]

/** What is stored for a mesh slot. An imported digest has no signature yet. */
export interface StoredSlot {
  readonly digest: Uint8Array
  readonly entry: SlotEntry | undefined
  readonly body: Uint8Array
}

/** A mesh kind and scope: below `prunedBelow` no digests are kept and nothing is signed. */
export interface ScopeMark {
  readonly kind: MeshKind
  readonly scope: Uint8Array
  readonly prunedBelow: bigint
  readonly newest: bigint
}

const ROW = { record: 1, sequence: 2, meteredEnd: 3, scopeMark: 4, slot: 5 } as const

/**
 * The rows of one guard, that is of one key in one domain, inside a table shared with others.
 * Every value ends in a checksum over key and value: LMDB itself would not see a flipped bit.
 */
export class GuardRows {
  readonly #table: Table
  readonly #prefix: Uint8Array

  constructor(table: Table, address: Address, domain: Domain) {
    this.#table = table
    const text = `${address}:${domain.chainId}:${domain.verifyingContract}:${domain.salt}`.toLowerCase()
    this.#prefix = createHash('sha256').update(text).digest().subarray(0, 20)
  }

  readRecord(): GuardRecord | undefined {
    const value = this.#get(this.#key(ROW.record))
    return value && (JSON.parse(value.toString('utf8')) as GuardRecord)
  }

  readSequence(): number {
    return Number(this.#get(this.#key(ROW.sequence))?.readBigUInt64BE(0) ?? 0n)
  }

  /** The row that every write of a guard raises, as it lies in the table. */
  sequenceRow(): Expected {
    const key = this.#key(ROW.sequence)
    return [key, this.#table.get(key)]
  }

  /** Ends by epoch. */
  readMeteredEnds(kind: MeteredKind): Map<number, number> {
    const ends = new Map<number, number>()
    for (const [key, value] of this.#range(this.#key(ROW.meteredEnd, u8(kind)))) {
      ends.set(key.readUInt32BE(key.length - 4), value.readUInt32BE(0))
    }
    return ends
  }

  *readScopeMarks(): Iterable<ScopeMark> {
    for (const [key, value] of this.#range(this.#key(ROW.scopeMark))) {
      const at = this.#prefix.length + 1
      yield {
        kind: key.readUInt8(at) as MeshKind,
        scope: key.subarray(at + 1, at + 33),
        prunedBelow: value.readBigUInt64BE(0),
        newest: value.readBigUInt64BE(8),
      }
    }
  }

  readSlot(kind: MeshKind, scope: Uint8Array, slot: bigint): StoredSlot | undefined {
    const value = this.#get(this.#key(ROW.slot, u8(kind), scope, u64(slot)))
    return value && decodeSlot(value)
  }

  /** Slots and digests of a scope, in order. */
  *readSlots(kind: MeshKind, scope: Uint8Array): Iterable<readonly [slot: bigint, stored: StoredSlot]> {
    for (const [key, value] of this.#range(this.#key(ROW.slot, u8(kind), scope))) {
      yield [key.readBigUInt64BE(key.length - 8), decodeSlot(value)]
    }
  }

  writeRecord(record: GuardRecord): Write {
    return this.#seal(this.#key(ROW.record), Buffer.from(JSON.stringify(record)))
  }

  writeSequence(sequence: number): Write {
    return this.#seal(this.#key(ROW.sequence), u64(BigInt(sequence)))
  }

  /** The end of an epoch, and the epochs that fall out of memory for it. */
  writeMeteredEnd(kind: MeteredKind, epoch: number, end: number): readonly Write[] {
    const first = this.#key(ROW.meteredEnd, u8(kind), u32(0))
    const kept = this.#key(ROW.meteredEnd, u8(kind), u32(Math.max(0, epoch - KEPT_EPOCHS + 1)))
    return [
      this.#seal(this.#key(ROW.meteredEnd, u8(kind), u32(epoch)), u32(end)),
      ...[...this.#table.range(first, kept)].map(([key]) => [key, undefined] as const),
    ]
  }

  writeScopeMark({ kind, scope, prunedBelow, newest }: ScopeMark): Write {
    return this.#seal(this.#key(ROW.scopeMark, u8(kind), scope), Buffer.concat([u64(prunedBelow), u64(newest)]))
  }

  writeSlot(kind: MeshKind, scope: Uint8Array, slot: bigint, stored: StoredSlot): Write {
    return this.#seal(this.#key(ROW.slot, u8(kind), scope, u64(slot)), encodeSlot(stored))
  }

  dropSlots(kind: MeshKind, scope: Uint8Array, from: bigint, below: bigint): readonly Write[] {
    const start = this.#key(ROW.slot, u8(kind), scope, u64(from))
    const end = this.#key(ROW.slot, u8(kind), scope, u64(below))
    return [...this.#table.range(start, end)].map(([key]) => [key, undefined] as const)
  }

  #key(row: number, ...parts: Uint8Array[]): Buffer {
    return Buffer.concat([this.#prefix, u8(row), ...parts])
  }

  #get(key: Buffer): Buffer | undefined {
    const value = this.#table.get(key)
    return value && unseal(key, value)
  }

  *#range(prefix: Buffer): Iterable<readonly [Buffer, Buffer]> {
    for (const [key, value] of this.#table.range(prefix, successor(prefix))) {
      yield [asBuffer(key), unseal(asBuffer(key), value)]
    }
  }

  #seal(key: Buffer, value: Uint8Array): Write {
    return [key, Buffer.concat([value, sumOf(key, value)])]
  }
}

const CHECKSUM_BYTES = 4

function sumOf(key: Uint8Array, value: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([key, value]), 'buffer').subarray(0, CHECKSUM_BYTES)
}

function unseal(key: Buffer, sealed: Uint8Array): Buffer {
  const value = asBuffer(sealed).subarray(0, -CHECKSUM_BYTES)
  if (!sumOf(key, value).equals(asBuffer(sealed).subarray(-CHECKSUM_BYTES))) {
    throw storeCorrupt('the signing guard', `the row ${key.toString('hex')} does not match its checksum`)
  }
  return value
}

const SIGNED = 1

function encodeSlot({ digest, entry, body }: StoredSlot): Buffer {
  if (!entry) return Buffer.concat([u8(0), digest])
  return Buffer.concat([u8(SIGNED), digest, entry.content, entry.signature, body])
}

function decodeSlot(value: Buffer): StoredSlot {
  const digest = value.subarray(1, 33)
  if (value.readUInt8(0) !== SIGNED) return { digest, entry: undefined, body: new Uint8Array() }
  return {
    digest,
    entry: { digest, content: value.subarray(33, 65), signature: value.subarray(65, 129) },
    body: value.subarray(129),
  }
}

/** The first key after all that begin with `prefix`, whose last byte is a row, a kind or a scope's. */
function successor(prefix: Buffer): Buffer {
  return Buffer.concat([prefix, Buffer.alloc(64, 0xff)])
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function u8(value: number): Buffer {
  return Buffer.of(value)
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
