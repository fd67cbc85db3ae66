import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { Address } from '../core/index.ts'
import type { NodeConfigInput } from './config.ts'
import { ConfigError } from './errors.ts'

/** The config file that the command line writes and reads too. */
const CONFIG_FILE = 'suprnova.json'
const DEFAULT_RPC = 'http://127.0.0.1:8545'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What a node is told, from what its caller says, then the environment (`SUPRNOVA_DATA_DIR`, `SUPRNOVA_RPC`,
 * `SUPRNOVA_ENS_REGISTRY`, `SUPRNOVA_PASSWORD`, `SUPRNOVA_PASSWORD_FILE`, `SUPRNOVA_LISTEN`), then `suprnova.json` in the
 * data directory: the same names and the same order as the commands have. Keys are `keys/node.json` and, when it is
 * there, `keys/gas.json`.
 * @throws ConfigError naming what is missing
 */
export function settingsOf(
  given: Partial<NodeConfigInput> & { readonly coordinator: string },
  env: Environment = process.env,
): NodeConfigInput {
  const dataDir = given.dataDir ?? resolve(env.SUPRNOVA_DATA_DIR ?? join(homedir(), '.suprnova'))
  const file = readConfig(join(dataDir, CONFIG_FILE))
  const text = (name: string, field: string) => env[name] ?? textOf(file[field])
  const list = (name: string, field: string) => env[name]?.split(',') ?? listOf(file[field])
  const passwordFile = text('SUPRNOVA_PASSWORD_FILE', 'passwordFile')
  const password = () => env.SUPRNOVA_PASSWORD ?? firstLineOf(passwordFile, dataDir)
  const keyAt = (role: string) => join(dataDir, 'keys', `${role}.json`)
  const ensRegistry = text('SUPRNOVA_ENS_REGISTRY', 'ensRegistry') as Address | undefined
  const rpc = list('SUPRNOVA_RPC', 'rpc')
  return {
    ...{ ensRegistry, listen: list('SUPRNOVA_LISTEN', 'listen'), logLevel: 'warn' },
    ...given,
    dataDir,
    rpcUrls: given.rpcUrls ?? (rpc.length > 0 ? rpc : [DEFAULT_RPC]),
    keystore: given.keystore ?? { path: keyAt('node'), password: password() },
    gasKeystore:
      given.gasKeystore ?? (isThere(keyAt('gas')) ? { path: keyAt('gas'), password: password() } : undefined),
  }
}

function readConfig(path: string): Record<string, unknown> {
  if (!isThere(path)) return {}
  const json: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Record<string, unknown>
  throw new ConfigError('config file', path, 'a JSON object')
}

function firstLineOf(file: string | undefined, dataDir: string): string {
  if (file === undefined) {
    throw new ConfigError(
      'password',
      undefined,
      'SUPRNOVA_PASSWORD, SUPRNOVA_PASSWORD_FILE or passwordFile in suprnova.json',
    )
  }
  return readFileSync(isAbsolute(file) ? file : join(dataDir, file), 'utf8').split(/\r?\n/, 1)[0] as string
}

function isThere(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function listOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split(',')
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
