import { KIND, type Kind } from '../../core/index.ts'
import { decodeEffect, type EffectBody, encodeEffect } from './effect.ts'
import { decodeGossip, encodeGossip, type GossipBody } from './gossip.ts'
import { decodeProposal, encodeProposal, type ProposalBody } from './proposal.ts'
import { decodePut, encodePut, type PutBody } from './put.ts'
import { decodeReceipt, encodeReceipt, type ReceiptBody } from './receipt.ts'
import {
  decodeFinality,
  decodeNotarize,
  encodeFinality,
  encodeNotarize,
  type FinalityBody,
  type NotarizeBody,
} from './vote.ts'

/** The body of each kind. */
export interface BodyOf {
  1: PutBody
  2: GossipBody
  3: ReceiptBody
  4: EffectBody
  5: ProposalBody
  6: NotarizeBody
  7: FinalityBody
}

type Codec<K extends Kind> = {
  encode(body: BodyOf[K]): Uint8Array
  decode(bytes: Uint8Array): BodyOf[K]
}

const CODECS: { [K in Kind]: Codec<K> } = {
  [KIND.put]: { encode: encodePut, decode: decodePut },
  [KIND.gossip]: { encode: encodeGossip, decode: decodeGossip },
  [KIND.receipt]: { encode: encodeReceipt, decode: decodeReceipt },
  [KIND.effect]: { encode: encodeEffect, decode: decodeEffect },
  [KIND.proposal]: { encode: encodeProposal, decode: decodeProposal },
  [KIND.notarize]: { encode: encodeNotarize, decode: decodeNotarize },
  [KIND.finality]: { encode: encodeFinality, decode: decodeFinality },
}

/** @throws {EncodeError} `UNENCODABLE_BODY` for a value that no node would accept */
export function encodeBody<K extends Kind>(kind: K, body: BodyOf[K]): Uint8Array {
  return CODECS[kind].encode(body)
}

/** @throws {DecodeError} `BAD_BODY`, naming the field */
export function decodeBody<K extends Kind>(kind: K, bytes: Uint8Array): BodyOf[K] {
  return CODECS[kind].decode(bytes)
}

export * from './cell.ts'
export * from './effect.ts'
export * from './gossip.ts'
export {
  encodeLease,
  isLeaseValue,
  LEASE_BYTES,
  type Lease,
  leaseNameHash,
} from './lease.ts'
export * from './limits.ts'
export * from './proposal.ts'
export * from './put.ts'
export * from './receipt.ts'
export * from './record-key.ts'
export * from './vote.ts'
