import { isZero } from '../zero.ts'
import { MAX_VALUE_BYTES } from './limits.ts'
import type { BodyReader, BodyWriter } from './packing.ts'

/** What a record's key follows from. */
export const KEY_TYPE = {
  /** The signer's stake and a name. */
  owner: 1,
  /** The value itself. */
  content: 2,
  /** A place in a world. */
  cell: 3,
  /** A mesh, by quorum certificate. */
  mesh: 4,
} as const

/** What every PUT says of its record. */
export interface RecordFields {
  /**
   * owner: the hash of the name; content: 32 zero bytes; cell: the world id; mesh: the mesh id.
   */
  readonly keyPreimage: Uint8Array
  /** See `chunkRoot`; zero for an empty value. */
  readonly valueRoot: Uint8Array
  /** Bytes of the value, up to 65,536. */
  readonly size: number
  /** The last epoch in which the record is alive. */
  readonly expiryEpoch: bigint
}

/** @returns what is wrong with a record of this key type */
export function recordProblem(keyType: number, record: RecordFields): [field: string, problem: string] | undefined {
  if (record.size > MAX_VALUE_BYTES) return ['size', `${record.size} bytes, the limit is ${MAX_VALUE_BYTES}`]
  if ((record.size === 0) !== isZero(record.valueRoot)) return ['valueRoot', 'zero for an empty value, and only then']
  if (keyType !== KEY_TYPE.content) return undefined
  if (!isZero(record.keyPreimage)) return ['keyPreimage', 'a content record has none: 32 zero bytes']
  if (record.size === 0) return ['size', 'a content record cannot be empty']
  return undefined
}

export function writeRecord(writer: BodyWriter, keyType: number, record: RecordFields): void {
  writer
    .u8('keyType', keyType)
    .bytes32('keyPreimage', record.keyPreimage)
    .bytes32('valueRoot', record.valueRoot)
    .u32('size', record.size)
    .u64('expiryEpoch', record.expiryEpoch)
}

export function readRecord(reader: BodyReader): { keyType: number; record: RecordFields } {
  const keyType = reader.u8('keyType')
  const record = {
    keyPreimage: reader.bytes32('keyPreimage'),
    valueRoot: reader.bytes32('valueRoot'),
    size: reader.u32('size'),
    expiryEpoch: reader.u64('expiryEpoch'),
  }
  return { keyType, record }
}
