import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { asCrypto, defaultCrypto } from '@chainsafe/libp2p-noise/crypto'

type Bytes = Parameters<ICryptoInterface['chaCha20Poly1305Encrypt']>[0]

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16
const OPTIONS = { authTagLength: TAG_BYTES } as const
/** Below, WebAssembly is faster than a call into OpenSSL: at 300 bytes they cost the same, 3 to 4 us. */
const NATIVE_FROM_BYTES = 384

/**
 * Noise's ciphers with the key of each direction made known to OpenSSL once. Node takes bytes for a key as well, and
 * makes an object of them for every message: of 18 us for 1.4 KB that was 13.
 */
export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) {
    if (plaintext.byteLength < NATIVE_FROM_BYTES) return asCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key)
    const cipher = createCipheriv(CIPHER, keyObjectOf(key), nonce, OPTIONS)
    cipher.setAAD(ad, { plaintextLength: plaintext.byteLength })
    const text = cipher.update(plaintext.subarray())
    // A stream cipher keeps nothing back: what is left is the tag.
    cipher.final()
    return Buffer.concat([text, cipher.getAuthTag()], text.length + TAG_BYTES)
  },
  /** @throws Error for what was not encrypted with this key and nonce */
  chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst) {
    const length = ciphertext.byteLength
    if (length < NATIVE_FROM_BYTES) return asCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, dst)
    const decipher = createDecipheriv(CIPHER, keyObjectOf(key), nonce, OPTIONS)
    decipher.setAAD(ad, { plaintextLength: length - TAG_BYTES })
    decipher.setAuthTag(whole(ciphertext, length - TAG_BYTES, length))
    const text = decipher.update(whole(ciphertext, 0, length - TAG_BYTES))
    decipher.final()
    return text
  },
}

function whole(bytes: Bytes, start: number, end: number): Uint8Array {
  return bytes.subarray(start, end)
}

/** A connection has one array for each direction's key, and never writes to it. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>()

function keyObjectOf(key: Uint8Array): KeyObject {
  let known = keyObjects.get(key)
  if (known === undefined) {
    known = createSecretKey(key)
    keyObjects.set(key, known)
  }
  return known
}
