import { DecodeError, EncodeError } from '../errors.ts'
import { isZero } from '../zero.ts'
import { BodyReader, BodyWriter } from './packing.ts'

/** NOTARIZE: the hash of a block, never zero. */
export interface NotarizeBody {
  readonly blockHash: Uint8Array
}

/** FINALITY: the hash of a block, or 32 zero bytes: "I skipped". */
export interface FinalityBody {
  readonly blockHash: Uint8Array
}

const NO_BLOCK = 'zero, which is no block: only FINALITY may skip'

export function encodeNotarize({ blockHash }: NotarizeBody): Uint8Array {
  if (isZero(blockHash)) throw new EncodeError('body', 'blockHash', NO_BLOCK)
  return new BodyWriter().bytes32('blockHash', blockHash).finish()
}

export function decodeNotarize(bytes: Uint8Array): NotarizeBody {
  const body = decodeFinality(bytes)
  if (isZero(body.blockHash)) throw new DecodeError('body', 'blockHash', NO_BLOCK)
  return body
}

export function encodeFinality({ blockHash }: FinalityBody): Uint8Array {
  return new BodyWriter().bytes32('blockHash', blockHash).finish()
}

export function decodeFinality(bytes: Uint8Array): FinalityBody {
  const reader = new BodyReader(bytes)
  const body = { blockHash: reader.bytes32('blockHash') }
  reader.end()
  return body
}
