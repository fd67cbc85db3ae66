import { createCipheriv, createDecipheriv, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { type Address, fromHex, type Random, toHex } from '../core/index.ts'
import {
  PBKDF2_MAX_ROUNDS,
  SCRYPT_MAX_MEMORY_BYTES,
  SCRYPT_MAX_WORK,
  SCRYPT_N_PRIVATE,
  SCRYPT_N_STANDARD,
} from './constants.ts'
import { keystoreInvalid, keystoreUnsupported, wrongPassword } from './errors.ts'
import { machineRandom } from './random.ts'

/** Web3 Secret Storage version 3, as every Ethereum client reads it. Hex is without 0x, as there. */
export interface Keystore {
  readonly version: 3
  readonly id: string
  /** Lower-case hex without 0x. Some programs leave it out. */
  readonly address?: string
  readonly crypto: {
    readonly cipher: 'aes-128-ctr'
    readonly cipherparams: { readonly iv: string }
    readonly ciphertext: string
    readonly kdf: 'scrypt' | 'pbkdf2'
    readonly kdfparams: ScryptParams | Pbkdf2Params
    readonly mac: string
  }
}

interface ScryptParams {
  readonly dklen: 32
  readonly n: number
  readonly r: number
  readonly p: number
  readonly salt: string
}

interface Pbkdf2Params {
  readonly dklen: 32
  readonly c: number
  readonly prf: 'hmac-sha256'
  readonly salt: string
}

/**
 * Encrypts a 32-byte secp256k1 private key under a password.
 *
 * @param options.privateNetwork spends 4,096 instead of 262,144 rounds of scrypt: for keys worth nothing
 * @see https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/
 * @example
 * const keystore = await encryptKey(privateKey, 'correct horse')
 * await createKeystoreFile('/home/me/keys/node.json', keystore)
 */
export async function encryptKey(
  privateKey: Uint8Array,
  password: string,
  options: { readonly privateNetwork?: boolean; readonly random?: Random } = {},
): Promise<Keystore> {
  const random = options.random ?? machineRandom
  const address = addressOf(privateKey)
  const kdfparams: ScryptParams = {
    dklen: 32,
    n: options.privateNetwork ? SCRYPT_N_PRIVATE : SCRYPT_N_STANDARD,
    r: 8,
    p: 1,
    salt: bare(random.bytes(32)),
  }
  const derived = await deriveScrypt(password, kdfparams)
  const iv = random.bytes(16)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(privateKey), cipher.final()])
  return {
    version: 3,
    id: uuid(random.bytes(16)),
    address: address.slice(2),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: bare(iv) },
      ciphertext: bare(ciphertext),
      kdf: 'scrypt',
      kdfparams,
      mac: bare(macOf(derived, ciphertext)),
    },
  }
}

/**
 * The private key in a keystore, scrypt or PBKDF2.
 *
 * @param keystore parsed JSON of anybody's making: every field is checked before work is done for it
 * @throws SuprnovaError `WRONG_PASSWORD`, `KEYSTORE_INVALID` naming the field, `KEYSTORE_UNSUPPORTED` naming the limit
 */
export async function decryptKey(keystore: unknown, password: string): Promise<Uint8Array> {
  const { crypto, address } = parseKeystore(keystore)
  const derived =
    crypto.kdf === 'scrypt'
      ? await deriveScrypt(password, crypto.kdfparams as ScryptParams)
      : await derivePbkdf2(password, crypto.kdfparams as Pbkdf2Params)
  const ciphertext = unbare(crypto.ciphertext)
  if (!timingSafeEqual(macOf(derived, ciphertext), unbare(crypto.mac))) throw wrongPassword()
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), unbare(crypto.cipherparams.iv))
  const privateKey = new Uint8Array(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
  if (!secp256k1.utils.isValidSecretKey(privateKey)) {
    throw keystoreInvalid('crypto.ciphertext', 'a secp256k1 private key', 'another number')
  }
  if (address !== undefined && addressOf(privateKey).slice(2) !== address) {
    throw keystoreInvalid('address', `${addressOf(privateKey).slice(2)}, which the key inside has`, address)
  }
  return privateKey
}

/**
 * Checks that parsed JSON is a version 3 keystore within the bounds, without doing any of its work.
 * @throws SuprnovaError `KEYSTORE_INVALID`, `KEYSTORE_UNSUPPORTED`
 */
export function parseKeystore(value: unknown): Keystore {
  const file = record(value, 'the file')
  if (file.version !== 3) throw keystoreInvalid('version', '3', file.version)
  const box = record(file.crypto ?? file.Crypto, 'crypto')
  if (box.cipher !== 'aes-128-ctr') throw keystoreUnsupported('crypto.cipher', box.cipher, 'aes-128-ctr')
  const cipherparams = {
    iv: hex(record(box.cipherparams, 'crypto.cipherparams').iv, 'crypto.cipherparams.iv', 16),
  }
  const params = record(box.kdfparams, 'crypto.kdfparams')
  const address = file.address
  const kdf = box.kdf
  if (kdf !== 'scrypt' && kdf !== 'pbkdf2') throw keystoreUnsupported('crypto.kdf', kdf, 'scrypt or pbkdf2')
  return {
    version: 3,
    id: typeof file.id === 'string' ? file.id : '',
    ...(address === undefined || address === '' ? {} : { address: hex(address, 'address', 20) }),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams,
      ciphertext: hex(box.ciphertext, 'crypto.ciphertext', 32),
      kdf,
      kdfparams: kdf === 'scrypt' ? parseScrypt(params) : parsePbkdf2(params),
      mac: hex(box.mac, 'crypto.mac', 32),
    },
  }
}

/** The Ethereum address of a private key. */
export function addressOf(privateKey: Uint8Array): Address {
  const point = secp256k1.getPublicKey(privateKey, false)
  return toHex(keccak_256(point.subarray(1)).subarray(12))
}

function parseScrypt(params: Record<string, unknown>): ScryptParams {
  const n = count(params.n, 'crypto.kdfparams.n')
  const r = count(params.r, 'crypto.kdfparams.r')
  const p = count(params.p, 'crypto.kdfparams.p')
  if (n < 2 || !Number.isInteger(Math.log2(n))) throw keystoreInvalid('crypto.kdfparams.n', 'a power of two above 1', n)
  if (128 * n * r > SCRYPT_MAX_MEMORY_BYTES) {
    throw keystoreUnsupported('memory (128 * n * r)', 128 * n * r, `at most ${SCRYPT_MAX_MEMORY_BYTES} bytes`)
  }
  if (n * r * p > SCRYPT_MAX_WORK)
    throw keystoreUnsupported('work (n * r * p)', n * r * p, `at most ${SCRYPT_MAX_WORK}`)
  return { dklen: keyLength(params.dklen), n, r, p, salt: salt(params.salt) }
}

function parsePbkdf2(params: Record<string, unknown>): Pbkdf2Params {
  const c = count(params.c, 'crypto.kdfparams.c')
  if (c > PBKDF2_MAX_ROUNDS) throw keystoreUnsupported('crypto.kdfparams.c', c, `at most ${PBKDF2_MAX_ROUNDS}`)
  if (params.prf !== 'hmac-sha256') throw keystoreUnsupported('crypto.kdfparams.prf', params.prf, 'hmac-sha256')
  return {
    dklen: keyLength(params.dklen),
    c,
    prf: 'hmac-sha256',
    salt: salt(params.salt),
  }
}

async function deriveScrypt(password: string, { n, r, p, salt, dklen }: ScryptParams): Promise<Uint8Array> {
  // OpenSSL keeps to RFC 7914's N < 2^(16 r), which the published test vector does not.
  if (n >= 2 ** (16 * r))
    return await scryptAsync(passwordBytes(password), unbare(salt), {
      N: n,
      r,
      p,
      dkLen: dklen,
    })
  return await new Promise((resolve, reject) => {
    const options = {
      N: n,
      r,
      p,
      maxmem: 128 * n * r + 128 * r * p + 1024 ** 2,
    }
    scrypt(passwordBytes(password), unbare(salt), dklen, options, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

async function derivePbkdf2(password: string, { c, salt, dklen }: Pbkdf2Params): Promise<Uint8Array> {
  return await promisify(pbkdf2)(passwordBytes(password), unbare(salt), c, dklen, 'sha256')
}

/** Unicode is normalised, so that one password typed on two keyboards is one password. */
function passwordBytes(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC'))
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak_256(Buffer.concat([derived.subarray(16, 32), ciphertext]))
}

function record(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw keystoreInvalid(field, 'a JSON object', value)
  }
  return value as Record<string, unknown>
}

function hex(value: unknown, field: string, bytes: number): string {
  const text = typeof value === 'string' ? value.toLowerCase().replace(/^0x/, '') : undefined
  if (text === undefined || !/^[0-9a-f]*$/.test(text) || text.length !== 2 * bytes) {
    throw keystoreInvalid(field, `${bytes} bytes of hex`, value)
  }
  return text
}

function salt(value: unknown): string {
  const text = typeof value === 'string' ? value.toLowerCase().replace(/^0x/, '') : ''
  if (!/^([0-9a-f]{2}){1,64}$/.test(text)) throw keystoreInvalid('crypto.kdfparams.salt', '1 to 64 bytes of hex', value)
  return text
}

function keyLength(value: unknown): 32 {
  if (value !== 32) throw keystoreUnsupported('crypto.kdfparams.dklen', value, '32')
  return 32
}

function count(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw keystoreInvalid(field, 'a whole number above 0', value)
  return value as number
}

function bare(bytes: Uint8Array): string {
  return toHex(bytes).slice(2)
}

function unbare(text: string): Uint8Array {
  return fromHex(`0x${text}`)
}

function uuid(bytes: Uint8Array): string {
  const marked = Uint8Array.from(bytes)
  marked[6] = ((marked[6] ?? 0) & 0x0f) | 0x40
  marked[8] = ((marked[8] ?? 0) & 0x3f) | 0x80
  return bare(marked).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
