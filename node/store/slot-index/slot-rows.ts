import { hash } from 'node:crypto'
import { type Address, fromHex, type Hex, type Slot, type SlotEntry, type Table, toHex } from '../../core/index.ts'

/** A table's writes. */
export type Write = readonly [key: Uint8Array, value: Uint8Array | undefined]

const ROW = { metered: 1, meteredCount: 2, mesh: 3, meshOrder: 4, quarantine: 5 } as const

/** Metered slots: by epoch, then by hash, so that an epoch is dropped as one range. */
export function meteredKey(slot: Slot): Buffer {
  return Buffer.concat([Buffer.of(ROW.metered), u32(epochOf(slot)), slotDigest(slot)])
}

export function meteredRange(epoch: number): readonly [start: Buffer, end: Buffer] {
  return [
    Buffer.concat([Buffer.of(ROW.metered), u32(epoch)]),
    Buffer.concat([Buffer.of(ROW.metered), u32(epoch), FULL]),
  ]
}

export function writeMeteredCount(epoch: number, count: number): Write {
  return [Buffer.concat([Buffer.of(ROW.meteredCount), u32(epoch)]), count > 0 ? u32(count) : undefined]
}

/** How many slots of each epoch the table holds, oldest epoch first. */
export function readMeteredCounts(table: Table): Map<number, number> {
  const counts = new Map<number, number>()
  for (const [key, value] of table.range(Buffer.of(ROW.meteredCount), Buffer.of(ROW.meteredCount + 1))) {
    counts.set(asBuffer(key).readUInt32BE(1), asBuffer(value).readUInt32BE(0))
  }
  return counts
}

/** Mesh slots: by hash, with a second row that keeps the order they came in. */
export function meshKey(slot: Slot): Buffer {
  return Buffer.concat([Buffer.of(ROW.mesh), slotDigest(slot)])
}

export function meshOrderKey(sequence: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt8(ROW.meshOrder)
  bytes.writeBigUInt64BE(BigInt(sequence), 1)
  return bytes
}

/** The mesh rows in the order they came in: sequence and key of the slot's row. */
export function* readMeshOrder(table: Table): Iterable<readonly [sequence: number, slotKey: Uint8Array]> {
  for (const [key, slotKey] of table.range(Buffer.of(ROW.meshOrder), Buffer.of(ROW.meshOrder + 1))) {
    yield [Number(asBuffer(key).readBigUInt64BE(1)), slotKey]
  }
}

export function writeQuarantine(signer: Address, faultId: Hex): Write {
  return [Buffer.concat([Buffer.of(ROW.quarantine), fromHex(signer)]), fromHex(faultId)]
}

export function readQuarantine(table: Table): Map<Address, Hex> {
  const keys = new Map<Address, Hex>()
  for (const [key, value] of table.range(Buffer.of(ROW.quarantine), Buffer.of(ROW.quarantine + 1))) {
    keys.set(toHex(key.subarray(1)), toHex(value))
  }
  return keys
}

export function encodeEntry({ digest, content, signature }: SlotEntry): Buffer {
  return Buffer.concat([digest, content, signature])
}

export function decodeEntry(bytes: Uint8Array): SlotEntry {
  return { digest: bytes.subarray(0, 32), content: bytes.subarray(32, 64), signature: bytes.subarray(64, 128) }
}

export function epochOf(slot: Slot): number {
  return Number(slot.position >> 32n)
}

const FULL = Buffer.alloc(21, 0xff)
const DIGEST_BYTES = 20

function slotDigest({ signer, kind, scope, position }: Slot): Buffer {
  const bytes = Buffer.alloc(61)
  bytes.set(fromHex(signer))
  bytes.writeUInt8(kind, 20)
  bytes.set(scope, 21)
  bytes.writeBigUInt64BE(position, 53)
  return hash('sha256', bytes, 'buffer').subarray(0, DIGEST_BYTES)
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
