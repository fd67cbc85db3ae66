import fc from 'fast-check'
import { recoverAddress, serializeSignature } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { expect, test } from 'vitest'
import { fromHex, type Hex, toHex } from '../../../node/core/index.ts'
import {
  addressOfPublicKey,
  computeV,
  createSigner,
  nativeMissing,
  nativeSecp256k1,
  nobleSecp256k1,
  recoverSigner,
  verifyDigest,
} from '../../../node/statements/index.ts'
import { bytes, mutate, mutations } from './arbitraries.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const LONG = process.env.SUPRNOVA_LONG === '1'
const numRuns = LONG ? 5000 : 100

const word = (value: bigint) => fromHex(`0x${value.toString(16).padStart(64, '0')}`)
const privateKeys = fc.bigInt({ min: 1n, max: ORDER - 1n }).map(word)
/** Half of them at or above the order of the curve. */
const digests = fc.oneof(bytes(32), fc.bigInt({ min: ORDER - 2n, max: 2n ** 256n - 1n }).map(word))

// The rest of this file compares the two: without the bindings it would compare noble with itself.
test('the native bindings are there', () => {
  expect(nativeMissing).toBeUndefined()
  expect(nativeSecp256k1?.name).toBe('native')
})
const native = nativeSecp256k1 ?? nobleSecp256k1

// Bites: `belowOrder` left out of `sign`: for digests from the order on, the nonces of the two libraries differ.
test('native and noble sign the same bytes for every digest', () => {
  fc.assert(
    fc.property(privateKeys, digests, (key, digest) => {
      const [one, other] = [createSigner(key, native), createSigner(key, nobleSecp256k1)]
      expect(one.address).toBe(other.address)
      expect(toHex(one.publicKey)).toBe(toHex(other.publicKey))
      expect(toHex(one.sign(digest))).toBe(toHex(other.sign(digest)))
    }),
    {
      numRuns,
      examples: [
        [word(1n), word(ORDER)],
        [word(ORDER - 1n), word(2n ** 256n - 1n)],
      ],
    },
  )
})

test('a signature verifies with both libraries, and viem recovers its signer', async () => {
  await fc.assert(
    fc.asyncProperty(privateKeys, digests, async (key, digest) => {
      const signer = createSigner(key)
      const signature = signer.sign(digest)
      const parity = computeV(signer.address, digest, signature)!
      expect(computeV(signer.address, digest, signature, nobleSecp256k1)).toBe(parity)
      for (const curve of [native, nobleSecp256k1]) {
        expect(verifyDigest(signer.publicKey, digest, signature, curve)).toBe(true)
        expect(recoverSigner(digest, signature, parity, curve)).toBe(signer.address)
      }
      const [r, s] = [toHex(signature.subarray(0, 32)), toHex(signature.subarray(32))]
      const recovered = await recoverAddress({
        hash: toHex(digest),
        signature: serializeSignature({ r, s, yParity: parity }),
      })
      expect(recovered.toLowerCase()).toBe(signer.address)
    }),
    { numRuns: numRuns / 2 },
  )
})

test('native and noble agree on every changed signature', () => {
  const signer = createSigner(word(7n))
  fc.assert(
    fc.property(digests, fc.array(mutations, { maxLength: 2 }), fc.boolean(), (digest, changes, high) => {
      let signature = signer.sign(digest)
      if (high)
        signature = new Uint8Array([
          ...signature.subarray(0, 32),
          ...word(ORDER - BigInt(toHex(signature.subarray(32)))),
        ])
      for (const change of changes) signature = mutate(signature, change)
      const verdict = verifyDigest(signer.publicKey, digest, signature, native)
      expect(verifyDigest(signer.publicKey, digest, signature, nobleSecp256k1)).toBe(verdict)
      for (const parity of [0, 1] as const) {
        const who = recoverSigner(digest, signature, parity, native)
        expect(recoverSigner(digest, signature, parity, nobleSecp256k1)).toBe(who)
      }
      expect(computeV(signer.address, digest, signature) !== undefined).toBe(verdict)
      if (high && changes.length === 0) expect(verdict).toBe(false)
    }),
    { numRuns: numRuns * 2 },
  )
})

test('addresses are those of Ethereum, from either form of a public key', () => {
  fc.assert(
    fc.property(privateKeys, (key) => {
      const signer = createSigner(key)
      expect(signer.address).toBe(privateKeyToAddress(toHex(key)).toLowerCase() as Hex)
      expect(addressOfPublicKey(signer.publicKey)).toBe(signer.address)
      expect(addressOfPublicKey(native.publicKey(key, false), nobleSecp256k1)).toBe(signer.address)
    }),
    { numRuns: 30 },
  )
})

test('a public key that is no point of the curve verifies nothing', () => {
  const signer = createSigner(word(7n))
  const digest = word(1n)
  const signature = signer.sign(digest)
  for (const key of [
    new Uint8Array(33),
    new Uint8Array(33).fill(0xff),
    new Uint8Array([2, ...word(5n)]),
    new Uint8Array(5),
  ]) {
    expect(verifyDigest(key, digest, signature, native)).toBe(false)
    expect(verifyDigest(key, digest, signature, nobleSecp256k1)).toBe(false)
  }
})

test('a private key outside of [1, n-1] is refused, and the error says what it must be', () => {
  for (const curve of [native, nobleSecp256k1]) {
    for (const key of [word(0n), word(ORDER), word(2n ** 256n - 1n), new Uint8Array(31), new Uint8Array(33)]) {
      expect(() => createSigner(key, curve)).toThrow(expect.objectContaining({ code: 'BAD_PRIVATE_KEY' }))
    }
  }
})

test('a signer keeps its own copy of the key, and signs 32 bytes only', () => {
  const key = word(7n)
  const signer = createSigner(key)
  const before = toHex(signer.sign(word(3n)))
  key.fill(1)
  expect(toHex(signer.sign(word(3n)))).toBe(before)
  expect(() => signer.sign(new Uint8Array(31))).toThrow(RangeError)
})
