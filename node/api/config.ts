import { isAbsolute } from 'node:path'
import type { Address, LogLevel } from '../core/index.ts'
import { TOPIC_LIMIT_BYTES } from './constants.ts'
import { ConfigError } from './errors.ts'
import { LOG_LEVELS } from './logger.ts'

/** An encrypted keystore file and what opens it. The password never leaves this process. */
export interface KeystoreAccess {
  readonly path: string
  readonly password: string
}

/** Everything a node is told. It holds no operator key: a running node needs none. */
export interface NodeConfig {
  /** Absolute path; created with mode 0700. */
  readonly dataDir: string
  /** `current-reality.eth` or `https://current-reality.eth`. */
  readonly coordinator: string
  /** Moves an existing pin to this coordinator, once looked at by a person. */
  readonly acceptCoordinator: Address | undefined
  /** In order of preference. */
  readonly rpcUrls: readonly string[]
  /** Where names begin; `undefined` means the public chains' ENS registry. */
  readonly ensRegistry: Address | undefined
  /** The node key. */
  readonly keystore: KeystoreAccess
  /** Pays for transactions; without one the node hands its evidence to others and sends nothing itself. */
  readonly gasKeystore: KeystoreAccess | undefined
  /** Who is credited rewards; `undefined` means the stake's operator. */
  readonly beneficiary: Address | undefined
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  /** Multiaddrs to dial first, beside those that the ENS name tells. */
  readonly bootstrap: readonly string[]
  /** Opens /health, /ready and /metrics, on loopback only. */
  readonly http: { readonly host: string; readonly port: number } | undefined
  /** Mesh degree of gossip. */
  readonly fanout: number
  /** Blocks on top of the one that gives a right before it counts; `undefined` means 0 on local chains, else 2. */
  readonly confirmations: number | undefined
  /** Topics to relay and count from the start. */
  readonly topics: readonly string[]
  readonly logLevel: LogLevel
  /** Bytes of records held for others at most; `undefined` leaves it to the store's own limit. */
  readonly maxRecordBytes: number | undefined
  /** Which challenges this node answers: those to its own receipts, or late in their window those to others' too. */
  readonly answers: 'own' | 'all'
  /** Absolute path of a directory that a reboot empties, for locks and the guard's mirror; `undefined` means /dev/shm. */
  readonly runtimeDirectory: string | undefined
}

/** What a caller may leave out. */
export type NodeConfigInput = Pick<NodeConfig, 'dataDir' | 'coordinator' | 'rpcUrls' | 'keystore'> & {
  readonly [Field in keyof NodeConfig]?: NodeConfig[Field] | undefined
}

type Fields = Record<string, unknown>

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/

function text(fields: Fields, field: string, limit: number): string {
  const value = fields[field]
  if (typeof value !== 'string' || value.length === 0 || value.length > limit) {
    throw new ConfigError(field, value, `a text of 1 to ${limit} characters`)
  }
  return value
}

function whole(fields: Fields, field: string, least: number, most: number, fallback: number): number {
  const value = fields[field] ?? fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new ConfigError(field, value, `a whole number from ${least} to ${most}`)
  }
  return value
}

function address(fields: Fields, field: string): Address | undefined {
  const value = fields[field]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{40}$/.test(value)) {
    throw new ConfigError(field, value, 'an address: 0x and 40 hex digits')
  }
  return value.toLowerCase() as Address
}

function list(
  fields: Fields,
  field: string,
  most: number,
  what: string,
  check: (value: string) => boolean,
  shown = (value: unknown) => value,
): string[] {
  const value = fields[field] ?? []
  if (!Array.isArray(value) || value.length > most) {
    throw new ConfigError(field, shown(value), `at most ${most} of: ${what}`)
  }
  for (const [i, item] of value.entries()) {
    if (typeof item !== 'string' || !check(item)) throw new ConfigError(`${field}[${i}]`, shown(item), what)
  }
  return value
}

function isRpcUrl(value: string): boolean {
  return URL.canParse(value) && /^(https?|wss?):$/.test(new URL(value).protocol)
}

/** An RPC URL may hold a key, one with a slip of the pen too. */
function hidden(value: unknown): string {
  return `not shown (${Array.isArray(value) ? 'a list' : typeof value})`
}

/** Whether `value` looks like a multiaddr this node can use; libp2p has the last word when it listens or dials. */
function isMultiaddr(value: string): boolean {
  return /^\/(ip4|ip6|dns|dns4|dns6|dnsaddr)\/[^/\s]+(\/[^/\s]+)*$/.test(value) && value.length <= 512
}

function keystore(fields: Fields, field: string): KeystoreAccess | undefined {
  const value = fields[field]
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null) throw new ConfigError(field, typeof value, '{ path, password }')
  const given = value as Fields
  if (typeof given.path !== 'string' || given.path.length === 0) {
    throw new ConfigError(`${field}.path`, given.path, 'the path of a keystore file')
  }
  if (typeof given.password !== 'string') throw new ConfigError(`${field}.password`, typeof given.password, 'a text')
  return { path: given.path, password: given.password }
}

function endpoint(fields: Fields): NodeConfig['http'] {
  const value = fields.http
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null) throw new ConfigError('http', value, '{ host, port }')
  const given = value as Fields
  if (typeof given.host !== 'string' || !LOOPBACK.test(given.host)) {
    throw new ConfigError('http.host', given.host, 'a loopback address (127.0.0.1, ::1 or localhost)')
  }
  return { host: given.host, port: whole({ 'http.port': given.port }, 'http.port', 0, 65_535, -1) }
}

const KNOWN = new Set<string>([
  ...['dataDir', 'coordinator', 'acceptCoordinator', 'rpcUrls', 'ensRegistry', 'keystore', 'gasKeystore'],
  ...[
    'beneficiary',
    'listen',
    'bootstrap',
    'http',
    'fanout',
    'confirmations',
    'topics',
    'logLevel',
    'runtimeDirectory',
    'maxRecordBytes',
    'answers',
  ],
])

/**
 * Checks a node's settings and fills in what was left out.
 * @throws ConfigError naming the first field that is wrong, its value and its limit
 */
export function parseNodeConfig(input: NodeConfigInput): NodeConfig {
  const fields: Fields = { ...input }
  for (const field of Object.keys(fields)) {
    if (!KNOWN.has(field)) throw new ConfigError(field, fields[field], `one of ${[...KNOWN].join(', ')}`)
  }
  const dataDir = text(fields, 'dataDir', 1024)
  if (!isAbsolute(dataDir)) throw new ConfigError('dataDir', dataDir, 'an absolute path')
  const runtimeDirectory = fields.runtimeDirectory === undefined ? undefined : text(fields, 'runtimeDirectory', 1024)
  if (runtimeDirectory !== undefined && !isAbsolute(runtimeDirectory)) {
    throw new ConfigError('runtimeDirectory', runtimeDirectory, 'an absolute path')
  }
  const rpcUrls = list(fields, 'rpcUrls', 8, 'an http, https, ws or wss URL', isRpcUrl, hidden)
  if (rpcUrls.length === 0) throw new ConfigError('rpcUrls', rpcUrls, 'at least one http, https, ws or wss URL')
  const nodeKeystore = keystore(fields, 'keystore')
  if (nodeKeystore === undefined) throw new ConfigError('keystore', undefined, '{ path, password }')
  const logLevel = fields.logLevel ?? 'info'
  if (!LOG_LEVELS.includes(logLevel as LogLevel)) {
    throw new ConfigError('logLevel', logLevel, `one of ${LOG_LEVELS.join(', ')}`)
  }
  const answers = fields.answers ?? 'all'
  if (answers !== 'own' && answers !== 'all') throw new ConfigError('answers', answers, 'own or all')
  const topicFits = (topic: string) => topic.length > 0 && Buffer.byteLength(topic) <= TOPIC_LIMIT_BYTES
  const listen = list(fields, 'listen', 8, 'a multiaddr such as /ip4/0.0.0.0/tcp/4001', isMultiaddr)
  return {
    dataDir,
    coordinator: text(fields, 'coordinator', 512),
    acceptCoordinator: address(fields, 'acceptCoordinator'),
    rpcUrls,
    ensRegistry: address(fields, 'ensRegistry'),
    keystore: nodeKeystore,
    gasKeystore: keystore(fields, 'gasKeystore'),
    beneficiary: address(fields, 'beneficiary'),
    listen: listen.length > 0 ? listen : ['/ip4/0.0.0.0/tcp/0'],
    bootstrap: list(fields, 'bootstrap', 64, 'a multiaddr such as /dns4/example.org/tcp/4001', isMultiaddr),
    http: endpoint(fields),
    fanout: whole(fields, 'fanout', 2, 12, 4),
    confirmations: fields.confirmations === undefined ? undefined : whole(fields, 'confirmations', 0, 256, 0),
    topics: list(fields, 'topics', 256, `a topic of 1 to ${TOPIC_LIMIT_BYTES} bytes`, topicFits),
    logLevel: logLevel as LogLevel,
    runtimeDirectory,
    answers,
    maxRecordBytes:
      fields.maxRecordBytes === undefined ? undefined : whole(fields, 'maxRecordBytes', 0, Number.MAX_SAFE_INTEGER, 0),
  }
}
