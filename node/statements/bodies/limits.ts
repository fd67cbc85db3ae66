import { KIND, type Kind } from '../../core/index.ts'

/** keyType 1, keyPreimage 32, valueRoot 32, size 4, expiryEpoch 8. */
export const PUT_BYTES = 1 + 32 + 32 + 4 + 8
/** putDigest 32, leaf 1, recordKey 32, valueRoot 32, size 4, untilEpoch 8, publisherStakeId 8. */
export const RECEIPT_BYTES = 32 + 1 + 32 + 32 + 4 + 8 + 8
/** parentSlot 8, parentHash, effectsRoot, nextRoot, codeHash. */
export const PROPOSAL_BYTES = 8 + 4 * 32
export const HASH_BYTES = 32

/** Payload of a GOSSIP body, and a whole EFFECT. */
export const MAX_PAYLOAD_BYTES = 16_384
/** Value of one record: 64 chunks. Larger values are cut into content records under a manifest. */
export const MAX_VALUE_BYTES = 65_536

/** A lease travels as a wire frame of form 0 with an owner PUT in it: header 159, leaf and path length, path, body. */
export const MAX_LEASE_FRAME_BYTES = 159 + 2 + 6 * 32 + PUT_BYTES

/** d, s, up to three coordinates, agent id, lease number, lease end, authority kind, authority; then the lease. */
export const MAX_CELL_BYTES = 1 + 1 + 3 * 8 + 32 + 8 + 8 + 1 + 32 + 2 + MAX_LEASE_FRAME_BYTES

/** The longest body of `kind`. */
export function maxBodyBytes(kind: Kind): number {
  switch (kind) {
    case KIND.put:
      return PUT_BYTES + MAX_CELL_BYTES
    case KIND.gossip:
      return 32 + MAX_PAYLOAD_BYTES
    case KIND.receipt:
      return RECEIPT_BYTES
    case KIND.effect:
      return MAX_PAYLOAD_BYTES
    case KIND.proposal:
      return PROPOSAL_BYTES
    case KIND.notarize:
    case KIND.finality:
      return HASH_BYTES
  }
}
