import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address, Hex } from '../../core/index.ts'
import { ConfigError, systemCode } from '../errors.ts'

/** The deployment file of a data directory. */
export const DEPLOYMENT_FILE_NAME = 'deployment.json'
const VERSION = 1
const MAX_CHARACTERS = 65_536

/** What a deployment file says that the command line uses. */
export interface DeploymentFile {
  readonly path: string
  readonly chainId: bigint
  readonly ensRegistry: Address
  readonly ensName: string
  readonly coordinator: Address
  readonly registry: Address
  readonly court: Address
  readonly token: Address
  readonly lens: Address
  /** On local chains only. */
  readonly faucet: Address | undefined
  readonly deployBlock: number
  readonly salt: Hex
  readonly coordinatorNode: Hex
}

/** The place of the deployment file in a data directory. */
export function deploymentPath(dataDir: string): string {
  return join(dataDir, DEPLOYMENT_FILE_NAME)
}

/**
 * Reads a deployment file.
 * @returns undefined when there is none and none was asked for
 * @throws {ConfigError} `DEPLOYMENT_UNREADABLE`, `DEPLOYMENT_INVALID` naming the field
 */
export function readDeploymentFile(path: string, options: { mustExist: boolean }): DeploymentFile | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    const code = systemCode(cause)
    if (!options.mustExist && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new ConfigError('DEPLOYMENT_UNREADABLE', `deployment file ${path} cannot be read: ${code ?? String(cause)}`, {
      hint: '`suprnova chain deploy` writes one',
      values: { path },
      cause,
    })
  }
  const invalid = (problem: string, cause?: unknown) =>
    new ConfigError('DEPLOYMENT_INVALID', `deployment file ${path}: ${problem}`, {
      hint: 'give the file that `suprnova chain deploy` wrote',
      values: { path },
      cause,
    })
  if (text.length > MAX_CHARACTERS) throw invalid(`has ${text.length} characters, at most ${MAX_CHARACTERS}`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalid('is not JSON', cause)
  }
  if (typeof json !== 'object' || json === null) throw invalid('must hold one JSON object')
  return readFields(path, json as Record<string, unknown>, invalid)
}

function readFields(path: string, json: Record<string, unknown>, invalid: (problem: string) => ConfigError): DeploymentFile {
  if (json.version !== VERSION) throw invalid(`version must be ${VERSION}, got ${JSON.stringify(json.version)}`)
  const hex = (field: string, bytes: number): Hex => {
    const item = json[field]
    if (typeof item !== 'string' || !new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`).test(item)) {
      throw invalid(`${field} must be 0x and ${bytes * 2} hex digits, got ${JSON.stringify(item)}`)
    }
    return item.toLowerCase() as Hex
  }
  const whole = (field: string): number => {
    const item = json[field]
    const number = typeof item === 'string' && /^\d{1,15}$/.test(item) ? Number(item) : item
    if (!Number.isSafeInteger(number) || (number as number) < 0) {
      throw invalid(`${field} must be a whole number, got ${JSON.stringify(item)}`)
    }
    return number as number
  }
  if (typeof json.ensName !== 'string') throw invalid('ensName must be a text')
  return {
    path,
    chainId: BigInt(whole('chainId')),
    ensRegistry: hex('ensRegistry', 20),
    ensName: json.ensName,
    coordinator: hex('coordinator', 20),
    registry: hex('registry', 20),
    court: hex('court', 20),
    token: hex('token', 20),
    lens: hex('lens', 20),
    faucet: json.faucet === undefined || json.faucet === null ? undefined : hex('faucet', 20),
    deployBlock: whole('deployBlock'),
    salt: hex('salt', 32),
    coordinatorNode: hex('coordinatorNode', 32),
  }
}
