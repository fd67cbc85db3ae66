import { type Address, toHex } from '../../core/index.ts'
import { EncodeError } from '../errors.ts'
import type { Secp256k1 } from '../secp256k1.ts'
import { computeV, recoverSigner } from '../signature.ts'

/** r 32 | vs 32: an EIP-2098 pair, the parity of y in the top bit of s. */
export const PAIR_BYTES = 64

/** The EIP-2098 pair of a signature from the wire. Throws unless it is one by `signer` over `digest`. */
export function pairOf(signer: Address, digest: Uint8Array, signature: Uint8Array, curve?: Secp256k1): Uint8Array {
  const parity = computeV(signer, digest, signature, curve)
  if (parity === undefined) {
    throw new EncodeError('statement', 'signature', `not one by ${signer} over ${toHex(digest)}`)
  }
  // Not slice(): of a Buffer that is a view, and the bit would be set in the caller's bytes.
  const pair = Uint8Array.from(signature)
  pair[32] = pair[32]! | (parity << 7)
  return pair
}

/** Whether an EIP-2098 pair is a signature by `signer` over `digest` in its one valid form. */
export function isPairBy(signer: Address, digest: Uint8Array, pair: Uint8Array, curve?: Secp256k1): boolean {
  const { signature, parity } = signatureOfPair(pair)
  return recoverSigner(digest, signature, parity, curve) === signer
}

/** The 64 bytes of the wire and the parity. */
export function signatureOfPair(pair: Uint8Array): {
  signature: Uint8Array
  parity: 0 | 1
} {
  const signature = Uint8Array.from(pair)
  const parity = signature[32]! >> 7 === 1 ? 1 : 0
  signature[32] = signature[32]! & 0x7f
  return { signature, parity }
}
