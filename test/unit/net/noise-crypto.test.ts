import { randomBytes } from 'node:crypto'
import { asCrypto, nodeCrypto } from '@chainsafe/libp2p-noise/crypto'
import { describe, expect, test } from 'vitest'
import { noiseCrypto } from '../../../node/net/transport/noise-crypto.ts'

const TAG_BYTES = 16
const LENGTHS = [0, 1, 367, 368, 383, 384, 385, 400, 1_199, 1_200, 1_400, 65_519]
const key = new Uint8Array(randomBytes(32))
const nonce = new Uint8Array(randomBytes(12))
const ad = new Uint8Array(0)
type Bytes = Parameters<typeof noiseCrypto.chaCha20Poly1305Decrypt>[0]
/** Bytes that are whole only when they are asked for, as a list of pieces is. */
const listOf = (bytes: Uint8Array) =>
  ({
    byteLength: bytes.length,
    subarray: (start?: number, end?: number) => bytes.slice(start, end),
  }) as unknown as Bytes
const bytesOf = (bytes: { subarray(): Uint8Array }) => Buffer.from(bytes.subarray())

describe("noise's ciphers", () => {
  test.each(LENGTHS)('give and take for %i bytes what both libraries do', (length) => {
    const plain = new Uint8Array(randomBytes(length))
    const sealed = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, key))
    expect(sealed).toEqual(bytesOf(asCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, key)))
    expect(sealed).toEqual(bytesOf(nodeCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, key)))
    expect(bytesOf(noiseCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, key))).toEqual(Buffer.from(plain))
  })

  test.each(LENGTHS)('take %i bytes in pieces', (length) => {
    const plain = new Uint8Array(randomBytes(length))
    const sealed = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(listOf(plain), nonce, ad, key))
    expect(bytesOf(noiseCrypto.chaCha20Poly1305Decrypt(listOf(sealed), nonce, ad, key))).toEqual(Buffer.from(plain))
  })

  test.each(LENGTHS)('refuse %i bytes with one bit changed, wherever it is', (length) => {
    const sealed = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(new Uint8Array(length), nonce, ad, key))
    for (const at of [0, length >> 1, length, length + TAG_BYTES - 1]) {
      const changed = new Uint8Array(sealed)
      changed[at] = (changed[at] as number) ^ 1
      expect(() => noiseCrypto.chaCha20Poly1305Decrypt(changed, nonce, ad, key)).toThrow()
    }
  })

  test.each(LENGTHS)('refuse %i bytes under another key, nonce or with other data', (length) => {
    const sealed = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(new Uint8Array(length), nonce, ad, key))
    const other = (bytes: number) => new Uint8Array(randomBytes(bytes))
    expect(() => noiseCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, other(32))).toThrow()
    expect(() => noiseCrypto.chaCha20Poly1305Decrypt(sealed, other(12), ad, key)).toThrow()
    expect(() => noiseCrypto.chaCha20Poly1305Decrypt(sealed, nonce, other(3), key)).toThrow()
  })

  test('a key is its bytes, in whichever array they come', () => {
    const plain = new Uint8Array(1_400)
    const same = key.slice()
    const first = bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, key))
    expect(bytesOf(noiseCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, same))).toEqual(first)
  })
})
