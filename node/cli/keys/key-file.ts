import { join, resolve } from 'node:path'
import { type Address, type Hex, toHex } from '../../core/index.ts'
import type { Context } from '../context.ts'
import { ConfigError } from '../errors.ts'
import { askPassword } from './password.ts'

/** What a key is for. One machine may hold all of them; an operator key is better kept on another. */
export type KeyRole = 'operator' | 'node' | 'gas'

/** A key, open. */
export interface OpenKey {
  readonly address: Address
  readonly privateKey: Hex
  /** Its keystore file. */
  readonly path: string
}

/** What opening a key needs of a command's values. */
export interface KeyValues {
  readonly dataDir: string
  readonly passwordFile: string | undefined
}

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/** Where the keys of a data directory lie. */
export function keyFolder(dataDir: string): string {
  return join(dataDir, 'keys')
}

/** The file of a key: a plain name is one of the data directory's, anything else is a path. */
export function keyPath(written: string, dataDir: string, cwd: string): string {
  return NAME.test(written) ? join(keyFolder(dataDir), `${written}.json`) : resolve(cwd, written)
}

/**
 * Opens a keystore with its password.
 * @param written the value of the option, undefined for the key named like its role
 * @throws {ConfigError} when there is no such key or no password; what `store` throws when it does not open
 */
export async function openKey(
  role: KeyRole | undefined,
  written: string | undefined,
  values: KeyValues,
  context: Context,
): Promise<OpenKey> {
  const { decryptKey, readKeystoreFile, addressOf } = await import('../../store/index.ts')
  const { path, keystore } = await findKeystore(role, written, values.dataDir, context, readKeystoreFile)
  const what = `${role === undefined ? 'key' : `${role} key`} ${path}`
  const request = {
    what,
    passwordFile: values.passwordFile,
    ...(role === undefined ? {} : { environment: `SUPRNOVA_${role.toUpperCase()}_PASSWORD` }),
  }
  const privateKey = await decryptKey(keystore, await askPassword(request, context))
  return { address: addressOf(privateKey), privateKey: toHex(privateKey), path }
}

/**
 * The address in a keystore, without opening it.
 * @throws {ConfigError} `KEY_WITHOUT_ADDRESS` when its maker left the address out
 */
export async function addressOfKey(
  role: KeyRole | undefined,
  written: string | undefined,
  dataDir: string,
  context: Context,
): Promise<Address> {
  const { readKeystoreFile } = await import('../../store/index.ts')
  const { path, keystore } = await findKeystore(role, written, dataDir, context, readKeystoreFile)
  if (keystore.address !== undefined) return `0x${keystore.address}`
  throw new ConfigError('KEY_WITHOUT_ADDRESS', `the keystore ${path} does not say its address`, {
    hint: 'give the address instead, or import the key once more with `suprnova key import`',
    values: { path },
  })
}

async function findKeystore(
  role: KeyRole | undefined,
  written: string | undefined,
  dataDir: string,
  context: Context,
  read: typeof import('../../store/index.ts').readKeystoreFile,
) {
  const path = keyPath(written ?? role ?? 'key', dataDir, context.process.cwd)
  try {
    return { path, keystore: await read(path) }
  } catch (cause) {
    const missing =
      written === undefined && cause instanceof Error && 'code' in cause && cause.code === 'KEYSTORE_UNREADABLE'
    if (!missing) throw cause
    throw new ConfigError('KEY_MISSING', `there is no ${role} key at ${path}`, {
      hint: `make one with \`suprnova key new ${role}\`, or name another with --${role}-key`,
      values: { role, path },
      cause,
    })
  }
}
