import { DecodeError, EncodeError } from '../errors.ts'
import { isZero } from '../zero.ts'
import { MAX_VALUE_BYTES } from './limits.ts'
import { BodyReader, BodyWriter } from './packing.ts'

/** PUT statements carry at most this many bodies, so a leaf of one is below it. */
const PUT_LEAVES = 64

/** "I hold this value, and show any chunk of it until then." */
export interface ReceiptBody {
  /** EIP-712 digest of the PUT statement. */
  readonly putDigest: Uint8Array
  /** Which of its bodies. */
  readonly leaf: number
  /** The record's key, which follows from the PUT body and its signer. */
  readonly recordKey: Uint8Array
  readonly valueRoot: Uint8Array
  /** Bytes of the value. */
  readonly size: number
  /** The last epoch in which a challenge may be opened. */
  readonly untilEpoch: bigint
  /** Whose PUT it is: a digest names no signer, so every stake can sign a copy that has the same one. */
  readonly publisherStakeId: bigint
}

function problemOf(body: ReceiptBody): [field: string, problem: string] | undefined {
  if (body.leaf >= PUT_LEAVES) return ['leaf', `${body.leaf}, a PUT has ${PUT_LEAVES} at most`]
  if (body.size > MAX_VALUE_BYTES) return ['size', `${body.size} bytes, the limit is ${MAX_VALUE_BYTES}`]
  if ((body.size === 0) !== isZero(body.valueRoot)) return ['valueRoot', 'zero for an empty value, and only then']
  if (body.publisherStakeId === 0n) return ['publisherStakeId', 'zero, and stakes are counted from 1']
  return undefined
}

export function encodeReceipt(body: ReceiptBody): Uint8Array {
  const problem = problemOf(body)
  if (problem) throw new EncodeError('body', ...problem)
  return new BodyWriter()
    .bytes32('putDigest', body.putDigest)
    .u8('leaf', body.leaf)
    .bytes32('recordKey', body.recordKey)
    .bytes32('valueRoot', body.valueRoot)
    .u32('size', body.size)
    .u64('untilEpoch', body.untilEpoch)
    .u64('publisherStakeId', body.publisherStakeId)
    .finish()
}

export function decodeReceipt(bytes: Uint8Array): ReceiptBody {
  const reader = new BodyReader(bytes)
  const body: ReceiptBody = {
    putDigest: reader.bytes32('putDigest'),
    leaf: reader.u8('leaf'),
    recordKey: reader.bytes32('recordKey'),
    valueRoot: reader.bytes32('valueRoot'),
    size: reader.u32('size'),
    untilEpoch: reader.u64('untilEpoch'),
    publisherStakeId: reader.u64('publisherStakeId'),
  }
  reader.end()
  const problem = problemOf(body)
  if (problem) throw new DecodeError('body', ...problem)
  return body
}
