import { DecodeError, EncodeError } from '../errors.ts'
import { isZero } from '../zero.ts'
import { type CellFields, readCell, writeCell } from './cell.ts'
import { MAX_VALUE_BYTES } from './limits.ts'
import { BodyReader, BodyWriter } from './packing.ts'

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

interface PutFields {
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

/** "Store this." */
export type PutBody =
  | (PutFields & { readonly keyType: 1 | 2 | 4 })
  | (PutFields & { readonly keyType: 3; readonly cell: CellFields })

function problemOf(body: PutBody): [field: string, problem: string] | undefined {
  if (body.size > MAX_VALUE_BYTES) return ['size', `${body.size} bytes, the limit is ${MAX_VALUE_BYTES}`]
  if ((body.size === 0) !== isZero(body.valueRoot)) return ['valueRoot', 'zero for an empty value, and only then']
  if (body.keyType !== KEY_TYPE.content) return undefined
  if (!isZero(body.keyPreimage)) return ['keyPreimage', 'a content record has none: 32 zero bytes']
  if (body.size === 0) return ['size', 'a content record cannot be empty']
  return undefined
}

export function encodePut(body: PutBody): Uint8Array {
  const problem = problemOf(body)
  if (problem) throw new EncodeError('body', ...problem)
  const writer = new BodyWriter()
    .u8('keyType', body.keyType)
    .bytes32('keyPreimage', body.keyPreimage)
    .bytes32('valueRoot', body.valueRoot)
    .u32('size', body.size)
    .u64('expiryEpoch', body.expiryEpoch)
  if (body.keyType === KEY_TYPE.cell) writeCell(writer, body.cell)
  return writer.finish()
}

export function decodePut(bytes: Uint8Array): PutBody {
  const reader = new BodyReader(bytes)
  const keyType = reader.u8('keyType')
  const fields: PutFields = {
    keyPreimage: reader.bytes32('keyPreimage'),
    valueRoot: reader.bytes32('valueRoot'),
    size: reader.u32('size'),
    expiryEpoch: reader.u64('expiryEpoch'),
  }
  const body = withKey(keyType, fields, reader)
  reader.end()
  const problem = problemOf(body)
  if (problem) throw new DecodeError('body', ...problem)
  return body
}

function withKey(keyType: number, fields: PutFields, reader: BodyReader): PutBody {
  switch (keyType) {
    case KEY_TYPE.owner:
    case KEY_TYPE.content:
    case KEY_TYPE.mesh:
      return { ...fields, keyType }
    case KEY_TYPE.cell:
      return { ...fields, keyType, cell: readCell(reader) }
    default:
      throw new DecodeError('body', 'keyType', `${keyType} is none`)
  }
}
