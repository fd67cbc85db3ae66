import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromHex, SuprnovaError, toHex } from '../../../node/core/index.ts'
import { addressOf, createKeystoreFile, decryptKey, encryptKey, readKeystoreFile } from '../../../node/store/index.ts'

/** The test vectors of the Web3 Secret Storage definition. */
const PBKDF2_VECTOR = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const SCRYPT_VECTOR = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const VECTOR_PASSWORD = 'testpassword'
const VECTOR_KEY = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'

const KEY = fromHex(`0x${'46'.repeat(32)}`)

async function codeOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(SuprnovaError)
  expect((error as SuprnovaError).exitCode).toBe(3)
  return `${(error as SuprnovaError).code} ${(error as SuprnovaError).values.field ?? ''}`.trim()
}

describe('keystore', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'suprnova-keystore-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('opens the published vectors', async () => {
    expect(toHex(await decryptKey(PBKDF2_VECTOR, VECTOR_PASSWORD))).toBe(VECTOR_KEY)
    expect(toHex(await decryptKey(SCRYPT_VECTOR, VECTOR_PASSWORD))).toBe(VECTOR_KEY)
    expect(addressOf(fromHex(VECTOR_KEY))).toBe('0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b')
  })

  test('opens what it closed, with the standard cost', async () => {
    const keystore = await encryptKey(KEY, 'пароль 🔑')
    expect(keystore.crypto.kdfparams).toMatchObject({ n: 262_144, r: 8, p: 1 })
    expect(keystore.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(await decryptKey(JSON.parse(JSON.stringify(keystore)), 'пароль 🔑')).toEqual(KEY)
  })

  test('any key and password come back, no other password opens', async () => {
    const keys = fc.uint8Array({ minLength: 31, maxLength: 31 }).map((bytes) => Uint8Array.of(1, ...bytes))
    await fc.assert(
      fc.asyncProperty(keys, fc.string({ unit: 'binary' }), async (key, password) => {
        const keystore = await encryptKey(key, password, {
          privateNetwork: true,
        })
        expect(keystore.crypto.kdfparams).toMatchObject({ n: 4_096 })
        expect(await decryptKey(keystore, password)).toEqual(key)
        expect(await codeOf(decryptKey(keystore, `${password}!`))).toBe('WRONG_PASSWORD')
      }),
      { numRuns: 15 },
    )
  })

  // Breaks when the MAC is not compared, or the address inside is not checked.
  test('a changed file is refused', async () => {
    const keystore = await encryptKey(KEY, 'a', { privateNetwork: true })
    const { crypto } = keystore
    const flipped = {
      ...keystore,
      crypto: {
        ...crypto,
        ciphertext: crypto.ciphertext.replace(/^./, (c) => (c === '0' ? '1' : '0')),
      },
    }
    expect(await codeOf(decryptKey(flipped, 'a'))).toBe('WRONG_PASSWORD')
    expect(await codeOf(decryptKey({ ...keystore, address: '00'.repeat(20) }, 'a'))).toBe('KEYSTORE_INVALID address')
  })

  // Breaks when the bounds are checked after the work, or not at all: each of these would take gigabytes or hours.
  test.each([
    [{ n: 2 ** 30 }, 'KEYSTORE_UNSUPPORTED memory (128 * n * r)'],
    [{ r: 2 ** 20 }, 'KEYSTORE_UNSUPPORTED memory (128 * n * r)'],
    [{ p: 2 ** 20 }, 'KEYSTORE_UNSUPPORTED work (n * r * p)'],
    [{ n: 3 }, 'KEYSTORE_INVALID crypto.kdfparams.n'],
    [{ n: 0 }, 'KEYSTORE_INVALID crypto.kdfparams.n'],
    [{ n: 1 }, 'KEYSTORE_INVALID crypto.kdfparams.n'],
    [{ r: -1 }, 'KEYSTORE_INVALID crypto.kdfparams.r'],
    [{ p: 1.5 }, 'KEYSTORE_INVALID crypto.kdfparams.p'],
    [{ dklen: 64 }, 'KEYSTORE_UNSUPPORTED crypto.kdfparams.dklen'],
    [{ salt: 'zz' }, 'KEYSTORE_INVALID crypto.kdfparams.salt'],
  ])('a hostile scrypt file %j costs nothing', async (change, code) => {
    const { crypto } = SCRYPT_VECTOR
    const file = {
      ...SCRYPT_VECTOR,
      crypto: { ...crypto, kdfparams: { ...crypto.kdfparams, ...change } },
    }
    expect(await codeOf(decryptKey(file, VECTOR_PASSWORD))).toBe(code)
  })

  test.each([
    [{ c: 2 ** 40 }, 'KEYSTORE_UNSUPPORTED crypto.kdfparams.c'],
    [{ prf: 'hmac-md5' }, 'KEYSTORE_UNSUPPORTED crypto.kdfparams.prf'],
  ])('a hostile PBKDF2 file %j costs nothing', async (change, code) => {
    const { crypto } = PBKDF2_VECTOR
    const file = {
      ...PBKDF2_VECTOR,
      crypto: { ...crypto, kdfparams: { ...crypto.kdfparams, ...change } },
    }
    expect(await codeOf(decryptKey(file, VECTOR_PASSWORD))).toBe(code)
  })

  test.each([
    [null, 'KEYSTORE_INVALID the file'],
    [[], 'KEYSTORE_INVALID the file'],
    [{ version: 1 }, 'KEYSTORE_INVALID version'],
    [{ version: 3 }, 'KEYSTORE_INVALID crypto'],
    [{ version: 3, crypto: { cipher: 'rot13' } }, 'KEYSTORE_UNSUPPORTED crypto.cipher'],
    [{ ...SCRYPT_VECTOR, crypto: { ...SCRYPT_VECTOR.crypto, kdf: 'argon2' } }, 'KEYSTORE_UNSUPPORTED crypto.kdf'],
    [{ ...SCRYPT_VECTOR, crypto: { ...SCRYPT_VECTOR.crypto, mac: 'ab' } }, 'KEYSTORE_INVALID crypto.mac'],
    [{ ...SCRYPT_VECTOR, address: 'nobody' }, 'KEYSTORE_INVALID address'],
  ])('%j is named as what it is not', async (file, code) => {
    expect(await codeOf(decryptKey(file, VECTOR_PASSWORD))).toBe(code)
  })

  test('no JSON of any shape throws anything but a named error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(await codeOf(decryptKey(value, 'x'))).toMatch(/^KEYSTORE_/)
      }),
    )
  })

  // Breaks when the file is renamed into place instead of linked: the first key would be gone.
  test('a file is private, whole and never written over', async () => {
    const path = join(folder, 'node.json')
    const first = await encryptKey(KEY, 'a', { privateNetwork: true })
    await createKeystoreFile(path, first)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const second = await encryptKey(KEY, 'b', { privateNetwork: true })
    expect(await codeOf(createKeystoreFile(path, second))).toBe('KEYSTORE_EXISTS')
    expect(await readKeystoreFile(path)).toEqual(first)
  })

  test('files that are not keystores are named', async () => {
    const path = join(folder, 'broken.json')
    writeFileSync(path, '{"version": 3,')
    expect(await codeOf(readKeystoreFile(path))).toBe('KEYSTORE_INVALID the file')
    writeFileSync(path, ' '.repeat(20_000))
    expect(await codeOf(readKeystoreFile(path))).toBe('KEYSTORE_INVALID the file')
    expect(await codeOf(readKeystoreFile(join(folder, 'absent.json')))).toBe('KEYSTORE_UNREADABLE')
    expect(await codeOf(readKeystoreFile(folder))).toBe('KEYSTORE_UNREADABLE')
  })
})
