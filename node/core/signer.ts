import type { Address } from './bytes.ts'

/** Holds one secp256k1 key. Only the signing guard may hand it digests of statements. */
export interface Signer {
  readonly address: Address
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array
  /** Signs a 32-byte digest: 64 bytes, r then low s, no v. Deterministic (RFC 6979). */
  sign(digest: Uint8Array): Uint8Array
}
