import { DecodeError, EncodeError } from '../errors.ts'
import { keccak256 } from '../keccak.ts'
import { HASH_BYTES, MAX_PAYLOAD_BYTES } from './limits.ts'
import { BodyReader, BodyWriter } from './packing.ts'

/** A message on a topic. */
export interface GossipBody {
  /** keccak256 of the topic's name, see {@link topicHash}. */
  readonly topicHash: Uint8Array
  /** Up to 16,384 bytes. */
  readonly payload: Uint8Array
}

/** keccak256 of the UTF-8 bytes of a topic's name. */
export function topicHash(topic: string): Uint8Array {
  return keccak256(new Uint8Array(Buffer.from(topic, 'utf8')))
}

export function encodeGossip(body: GossipBody): Uint8Array {
  if (body.payload.length > MAX_PAYLOAD_BYTES) {
    throw new EncodeError('body', 'payload', `${body.payload.length} bytes, the limit is ${MAX_PAYLOAD_BYTES}`)
  }
  return new BodyWriter().bytes32('topicHash', body.topicHash).bytes(body.payload).finish()
}

export function decodeGossip(bytes: Uint8Array): GossipBody {
  if (bytes.length > HASH_BYTES + MAX_PAYLOAD_BYTES) {
    throw new DecodeError('body', 'payload', `${bytes.length - HASH_BYTES} bytes, the limit is ${MAX_PAYLOAD_BYTES}`)
  }
  const reader = new BodyReader(bytes)
  return { topicHash: reader.bytes32('topicHash'), payload: reader.rest() }
}
