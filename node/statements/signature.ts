import { type Address, EXIT, fromHex, type Signer, SuprnovaError, toHex } from '../core/index.ts'
import { keccak256 } from './keccak.ts'
import { defaultSecp256k1, type Secp256k1 } from './secp256k1.ts'

export const SIGNATURE_BYTES = 64
export const DIGEST_BYTES = 32

/** n, the order of the curve, and the largest s that is low. */
const ORDER = fromHex('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
const HALF_ORDER = fromHex('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0')
const ORDER_INTEGER = BigInt(toHex(ORDER))

/** Compares 32 bytes of `bytes` from `at` with `bound`, as big-endian integers. */
function compareWord(bytes: Uint8Array, at: number, bound: Uint8Array): number {
  for (let i = 0; i < 32; i++) {
    const difference = bytes[at + i]! - bound[i]!
    if (difference !== 0) return difference
  }
  return 0
}

function isZeroWord(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 32; i++) if (bytes[i] !== 0) return false
  return true
}

/** Whether `signature` has its one valid form: 64 bytes, r in [1, n-1], s in [1, n/2]. Else it is void everywhere. */
export function isSignatureForm(signature: Uint8Array): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    !isZeroWord(signature, 0) &&
    compareWord(signature, 0, ORDER) < 0 &&
    !isZeroWord(signature, 32) &&
    compareWord(signature, 32, HALF_ORDER) <= 0
  )
}

/**
 * Whether `signature` is one by `publicKey` over `digest`, in its one valid form.
 * @param publicKey 33 bytes, compressed
 * @param digest 32 bytes, any value: at or above the order of the curve it counts modulo the order, as in `ecrecover`
 * @param signature 64 bytes, r then s; any other length is false
 */
export function verifyDigest(
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
  curve: Secp256k1 = defaultSecp256k1,
): boolean {
  return isSignatureForm(signature) && curve.verify(publicKey, digest, signature)
}

/** Who signed `digest`, as `ecrecover` says it; undefined for a void signature. */
export function recoverSigner(
  digest: Uint8Array,
  signature: Uint8Array,
  yParity: 0 | 1,
  curve: Secp256k1 = defaultSecp256k1,
): Address | undefined {
  if (!isSignatureForm(signature)) return undefined
  const publicKey = curve.recover(signature, yParity, digest)
  return publicKey && addressOfUncompressed(publicKey)
}

/**
 * The parity of y that a signature on the wire leaves out: 0 or 1 (v = 27 + it).
 * @returns undefined when `signature` is not one by `signer` over `digest`
 */
export function computeV(
  signer: Address,
  digest: Uint8Array,
  signature: Uint8Array,
  curve: Secp256k1 = defaultSecp256k1,
): 0 | 1 | undefined {
  if (recoverSigner(digest, signature, 0, curve) === signer) return 0
  if (recoverSigner(digest, signature, 1, curve) === signer) return 1
  return undefined
}

function addressOfUncompressed(publicKey: Uint8Array): Address {
  return toHex(keccak256(publicKey.subarray(1)).subarray(12))
}

/**
 * The Ethereum address of a public key of 33 or 65 bytes.
 * @throws when the bytes are no point of the curve
 */
export function addressOfPublicKey(publicKey: Uint8Array, curve: Secp256k1 = defaultSecp256k1): Address {
  return addressOfUncompressed(publicKey.length === 65 ? publicKey : curve.convert(publicKey, false))
}

/** The digest modulo the order: the same number to the curve, and the nonce then follows from it in every library. */
function belowOrder(digest: Uint8Array): Uint8Array {
  if (compareWord(digest, 0, ORDER) < 0) return digest
  return fromHex(`0x${(BigInt(toHex(digest)) - ORDER_INTEGER).toString(16).padStart(64, '0')}`)
}

/**
 * A signer that holds `privateKey` in memory.
 * Warning: it signs any digest. Only a signing guard may call it with a statement's.
 * @param privateKey 32 bytes
 * @throws SuprnovaError `BAD_PRIVATE_KEY` when it is not in [1, n-1]
 */
export function createSigner(privateKey: Uint8Array, curve: Secp256k1 = defaultSecp256k1): Signer {
  if (!curve.isPrivateKey(privateKey)) {
    throw new SuprnovaError('BAD_PRIVATE_KEY', 'private key: not 32 bytes that stand for a number in [1, n-1]', {
      exitCode: EXIT.config,
      hint: 'Check that the keystore holds a secp256k1 key.',
    })
  }
  const secret = privateKey.slice()
  return {
    address: addressOfUncompressed(curve.publicKey(secret, false)),
    publicKey: curve.publicKey(secret, true),
    sign(digest) {
      if (digest.length !== DIGEST_BYTES) throw new RangeError(`digest: ${digest.length} bytes, not ${DIGEST_BYTES}`)
      return curve.sign(belowOrder(digest), secret)
    },
  }
}
