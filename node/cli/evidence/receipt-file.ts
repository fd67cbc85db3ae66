import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromHex, type Hex } from '../../core/index.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode, UsageError } from '../errors.ts'
import type { FoundDeployment } from '../network/connect.ts'
import { wholeOf } from '../values/bytes-in.ts'

const MAX_FILE_BYTES = 65_536
const HEX = /^0x([0-9a-f]{2})+$/

/** A receipt with its PUT: wire frames, and the deployment they are for. */
export interface GivenReceipt {
  readonly chainId: bigint
  readonly registry: Hex
  readonly salt: Hex
  readonly receipt: Uint8Array
  readonly put: Uint8Array
}

/**
 * Reads a receipt: a file, standard input for `-`, or the running node's by its id.
 * @throws {UsageError} `NOT_A_RECEIPT`; {@link ConfigError} `FILE_UNREADABLE`; NodeNotRunningError
 */
export async function readReceipt(given: string, dataDir: string, context: Context): Promise<GivenReceipt> {
  if (/^0x[0-9a-fA-F]{64}$/.test(given)) {
    const { NodeClient } = await import('../../api/index.ts')
    return parse(JSON.stringify(await new NodeClient(dataDir).receipt(given.toLowerCase() as Hex)), given)
  }
  return parse(await textOf(given, context), given)
}

/** @throws {ConfigError} `RECEIPT_FOR_ANOTHER_DEPLOYMENT` */
export function requireSameDeployment(
  { chainId, registry, salt }: GivenReceipt,
  deployment: Pick<FoundDeployment, 'chainId' | 'registry' | 'salt' | 'source'>,
): void {
  if (chainId === deployment.chainId && registry === deployment.registry && salt === deployment.salt) return
  throw new ConfigError('RECEIPT_FOR_ANOTHER_DEPLOYMENT', 'the receipt is for another deployment', {
    hint: `the deployment came from ${deployment.source}; name the one the receipt is for`,
    values: { receipt: { chainId, registry, salt } },
  })
}

async function textOf(file: string, context: Context): Promise<string> {
  if (file === '-') {
    const bytes = await wholeOf(context.process.stdin as AsyncIterable<Uint8Array>, MAX_FILE_BYTES)
    return Buffer.from(bytes ?? new Uint8Array()).toString('utf8')
  }
  const path = resolve(context.process.cwd, file)
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError('FILE_UNREADABLE', `${path} cannot be read: ${systemCode(cause) ?? String(cause)}`, {
      hint: 'give a receipt file, or the id of a receipt that the running node has',
      values: { path },
      cause,
    })
  }
}

async function parse(text: string, from: string): Promise<GivenReceipt> {
  const wrong = (why: string): UsageError =>
    new UsageError('NOT_A_RECEIPT', `${from} is no receipt: ${why}`, {
      hint: '`suprnova dht receipts --export ID` prints one',
      values: { from, why },
    })
  let json: Record<string, unknown>
  try {
    json = JSON.parse(text)
  } catch {
    throw wrong('not JSON')
  }
  const domain = json.domain as Record<string, unknown> | undefined
  const hex = (name: string, item: unknown): Hex => {
    if (typeof item !== 'string' || !HEX.test(item)) throw wrong(`${name} is not hex`)
    return item as Hex
  }
  if (json.version !== 1) throw wrong('version is not 1')
  if (!/^\d{1,78}$/.test(String(domain?.chainId))) throw wrong('domain.chainId is no number')
  const { decodeBody, decodeFrame } = await import('../../statements/index.ts')
  /** A frame of one body of this kind. */
  const frame = (name: string, item: unknown, kind: 1 | 3): Uint8Array => {
    const bytes = fromHex(hex(name, item))
    try {
      const { bodies, signed } = decodeFrame(bytes)
      const [body] = bodies
      if (signed.statement.kind !== kind || bodies.length !== 1 || body === undefined)
        throw wrong(`${name} is no such frame`)
      decodeBody(kind, body.bytes)
    } catch (error) {
      throw error instanceof UsageError ? error : wrong(`${name}: ${(error as Error).message}`)
    }
    return bytes
  }
  return {
    chainId: BigInt(String(domain?.chainId)),
    registry: hex('domain.registry', domain?.registry),
    salt: hex('domain.salt', domain?.salt),
    receipt: frame('receipt', json.receipt, 3),
    put: frame('put', json.put, 1),
  }
}
