import { secp256k1 } from '@noble/curves/secp256k1.js'
import { toHex } from '../../../node/core/index.ts'
import { computeV, recoverSigner, verifyDigest } from '../../../node/statements/index.ts'
import { bytes32, columns, KEYS, privateKey, word } from './cast.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const HALF_ORDER = ORDER / 2n

interface Case {
  name: string
  digest: Uint8Array
  signature: Uint8Array
  parity: 0 | 1
}

const signer = KEYS.steady

function signed(name: string, digest: Uint8Array): Case {
  const signature = signer.sign(digest)
  return { name, digest, signature, parity: computeV(signer.address, digest, signature)! }
}

function withParts(base: Case, name: string, r: Uint8Array, s: Uint8Array, parity = base.parity): Case {
  return { name, digest: base.digest, signature: new Uint8Array([...r, ...s]), parity }
}

/**
 * A valid signature with the s that is asked for: the digest follows from it, as s = (z + r d) / k modulo the order.
 * Nobody can do this for a digest that is a hash, so it is made of numbers.
 */
function withS(name: string, s: bigint): Case {
  const k = 12_345n
  const r = BigInt(toHex(secp256k1.Point.BASE.multiply(k).toBytes(true).subarray(1)))
  const d = BigInt(toHex(privateKey('steady')))
  const z = (((s * k - r * d) % ORDER) + ORDER) % ORDER
  const base = { name, digest: word(z), signature: new Uint8Array([...word(r), ...word(s)]) }
  return { ...base, parity: recoverSigner(base.digest, base.signature, 1) === signer.address ? 1 : 0 }
}

function cases(): Case[] {
  const plain = signed('plain', bytes32('digest'))
  const flip = plain.parity === 0 ? 1 : 0
  const r = plain.signature.slice(0, 32)
  const s = plain.signature.slice(32)
  const sInteger = BigInt(toHex(s))
  const bitFlipped = plain.signature.slice()
  bitFlipped[63] = bitFlipped[63]! ^ 1
  return [
    plain,
    signed('zero digest', word(0n)),
    signed('digest one below the order', word(ORDER - 1n)),
    signed('digest of the order', word(ORDER)),
    signed('digest one above the order', word(ORDER + 1n)),
    signed('largest digest', word(2n ** 256n - 1n)),
    withParts(plain, 'malleable: high s, other parity', r, word(ORDER - sInteger), flip),
    withParts(plain, 'high s, same parity', r, word(ORDER - sInteger)),
    withParts(plain, 'other parity', r, s, flip),
    withParts(plain, 'r zero', word(0n), s),
    withParts(plain, 's zero', r, word(0n)),
    withParts(plain, 'both zero', word(0n), word(0n)),
    withParts(plain, 'r the order', word(ORDER), s),
    withParts(plain, 'r above the order', word(ORDER + BigInt(toHex(r)) / 2n ** 130n), s),
    withParts(plain, 'r one below the order', word(ORDER - 1n), s),
    withParts(plain, 'r largest', word(2n ** 256n - 1n), s),
    withParts(plain, 's half the order', r, word(HALF_ORDER)),
    withParts(plain, 's half the order and one', r, word(HALF_ORDER + 1n)),
    withS('valid, s one', 1n),
    withS('valid, s half the order', HALF_ORDER),
    withS('valid but for its s, half the order and one', HALF_ORDER + 1n),
    withParts(plain, 's the order', r, word(ORDER)),
    withParts(plain, 's largest', r, word(2n ** 256n - 1n)),
    withParts(plain, 'r and s swapped', s, r),
    { ...plain, name: 'one bit off', signature: bitFlipped },
    { ...plain, name: 'other digest', digest: bytes32('other digest') },
    { ...plain, name: 'empty', signature: new Uint8Array(0) },
    { ...plain, name: 'short', signature: plain.signature.slice(0, 63) },
    { ...plain, name: 'long', signature: new Uint8Array([...plain.signature, 27 + plain.parity]) },
    { ...plain, name: 'by another key', signature: KEYS.stranger.sign(plain.digest) },
  ]
}

/** Signatures over digests, and whether they are valid ones by `signer`: without v, and with it by recovery. */
export function signatureVectors() {
  const rows = cases().map(({ digest, name, parity, signature }) => ({
    name,
    digest: toHex(digest),
    signature: toHex(signature),
    v: 27 + parity,
    valid: verifyDigest(signer.publicKey, digest, signature),
    recovers: recoverSigner(digest, signature, parity) === signer.address,
  }))
  return { signer: signer.address, publicKey: toHex(signer.publicKey), ...columns(rows) }
}
