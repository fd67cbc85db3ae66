import { createRequire } from 'node:module'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'

/**
 * The curve, from one of two libraries. Callers have checked lengths and ranges (see `signature.ts`), so both give
 * the same answer to the same question.
 */
export interface Secp256k1 {
  readonly name: 'native' | 'noble'
  /** @returns false also for a public key that is no point of the curve */
  verify(publicKey: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean
  /** RFC 6979, low s: 64 bytes. `digest` must be below the order of the curve. */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array
  /** The uncompressed public key (65 bytes), or undefined where r is the x of no point. */
  recover(signature: Uint8Array, yParity: 0 | 1, digest: Uint8Array): Uint8Array | undefined
  isPrivateKey(privateKey: Uint8Array): boolean
  publicKey(privateKey: Uint8Array, compressed: boolean): Uint8Array
  /** The same point in its other form; throws for bytes that are no point. */
  convert(publicKey: Uint8Array, compressed: boolean): Uint8Array
}

/** @noble/curves: runs everywhere. */
export const nobleSecp256k1: Secp256k1 = {
  name: 'noble',
  verify: (publicKey, digest, signature) => noble.verify(signature, digest, publicKey, { prehash: false, lowS: true }),
  sign: (digest, privateKey) => noble.sign(digest, privateKey, { prehash: false, lowS: true }),
  recover(signature, yParity, digest) {
    try {
      const point = noble.Signature.fromBytes(signature).addRecoveryBit(yParity).recoverPublicKey(digest)
      return point.toBytes(false)
    } catch {
      return undefined // r is no x of the curve, or the point found is at infinity: nobody signed this
    }
  },
  isPrivateKey: (privateKey) => noble.utils.isValidSecretKey(privateKey),
  publicKey: (privateKey, compressed) => noble.getPublicKey(privateKey, compressed),
  convert: (publicKey, compressed) => noble.Point.fromBytes(publicKey).toBytes(compressed),
}

type Bindings = typeof import('secp256k1')

/** libsecp256k1 through the `secp256k1` package. Only its bindings: its own fallback is elliptic, which is slow. */
function nativeFrom(bindings: Bindings): Secp256k1 {
  return {
    name: 'native',
    verify(publicKey, digest, signature) {
      try {
        return bindings.ecdsaVerify(signature, digest, publicKey)
      } catch {
        return false // lengths and ranges were checked, so the public key is no point of the curve
      }
    },
    sign: (digest, privateKey) => bindings.ecdsaSign(digest, privateKey).signature,
    recover(signature, yParity, digest) {
      try {
        return bindings.ecdsaRecover(signature, yParity, digest, false)
      } catch {
        return undefined
      }
    },
    isPrivateKey: (privateKey) => privateKey.length === 32 && bindings.privateKeyVerify(privateKey),
    publicKey: (privateKey, compressed) => bindings.publicKeyCreate(privateKey, compressed),
    convert: (publicKey, compressed) => bindings.publicKeyConvert(publicKey, compressed),
  }
}

function loadNative(): { native: Secp256k1 } | { native: undefined; reason: string } {
  try {
    return {
      native: nativeFrom(createRequire(import.meta.url)('secp256k1/bindings') as Bindings),
    }
  } catch (error) {
    return {
      native: undefined,
      reason: error instanceof Error ? error.message : String(error),
    }
  }
}

const loaded = loadNative()

/** Undefined where the bindings could not be loaded; `nativeMissing` says why. */
export const nativeSecp256k1: Secp256k1 | undefined = loaded.native
export const nativeMissing: string | undefined = loaded.native === undefined ? loaded.reason : undefined

/** What is used where no other is asked for. */
export const defaultSecp256k1: Secp256k1 = nativeSecp256k1 ?? nobleSecp256k1
