import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromHex, type Hex } from '../../core/index.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode, UsageError } from '../errors.ts'
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

function parse(text: string, from: string): GivenReceipt {
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
  return {
    chainId: BigInt(String(domain?.chainId)),
    registry: hex('domain.registry', domain?.registry),
    salt: hex('domain.salt', domain?.salt),
    receipt: fromHex(hex('receipt', json.receipt)),
    put: fromHex(hex('put', json.put)),
  }
}
