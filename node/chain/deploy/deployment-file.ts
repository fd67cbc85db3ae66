import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Address, Hex } from '../../core/index.ts'
import type { Deployment } from '../client.ts'
import { replaceFile } from '../replace-file.ts'
import { DeploymentFileError } from './errors.ts'

const VERSION = 1
const MAX_FILE_CHARS = 65_536
/** Nothing in it is secret. */
const FILE_MODE = 0o644

/** All that a deployment put on its chain. */
export interface DeploymentRecord extends Deployment {
  readonly ensRegistry: Address
  /** Null where the chain has ENS's own. */
  readonly universalResolver: Address | null
  readonly ensName: string
  /** namehash of `ensName`. */
  readonly coordinatorNode: Hex
  readonly personVerifier: Address
  readonly verifiers: {
    readonly equivocation: Address
    readonly overrun: Address
    /** The same as `availability`. */
    readonly unavailability: Address
  }
  /** A timelock. */
  readonly owner: Address
  /** On local chains only. */
  readonly faucet: Address | null
}

/** Writes a deployment file, whole or not at all. */
export async function writeDeployment(path: string, deployment: DeploymentRecord): Promise<void> {
  const { chainId, ...rest } = deployment
  const json = JSON.stringify({ version: VERSION, chainId: Number(chainId), ...rest }, null, 2)
  await mkdir(dirname(path), { recursive: true })
  await replaceFile(path, Buffer.from(`${json}\n`), FILE_MODE)
}

/**
 * Reads a deployment file.
 * @throws DeploymentFileError `DEPLOYMENT_FILE_INVALID` naming the field
 */
export async function readDeployment(path: string): Promise<DeploymentRecord> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new DeploymentFileError(path, 'file', `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause)
  }
  return parseDeployment(text, path)
}

/** As {@link readDeployment}, from the file's text. */
export function parseDeployment(text: string, path: string): DeploymentRecord {
  if (text.length > MAX_FILE_CHARS) {
    throw new DeploymentFileError(path, 'file', `has ${text.length} characters, at most ${MAX_FILE_CHARS}`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new DeploymentFileError(path, 'file', 'is not JSON', cause)
  }
  const fields = new Fields(path, '', json)
  const version = fields.whole('version')
  if (version !== VERSION) throw new DeploymentFileError(path, 'version', `must be ${VERSION}, got ${version}`)
  const verifiers = fields.inside('verifiers')
  return {
    chainId: BigInt(fields.whole('chainId')),
    ensRegistry: fields.hex('ensRegistry', 20),
    universalResolver: fields.hexOrNull('universalResolver', 20),
    ensName: fields.text('ensName'),
    coordinator: fields.hex('coordinator', 20),
    registry: fields.hex('registry', 20),
    court: fields.hex('court', 20),
    token: fields.hex('token', 20),
    lens: fields.hex('lens', 20),
    availability: fields.hex('availability', 20),
    personVerifier: fields.hex('personVerifier', 20),
    verifiers: {
      equivocation: verifiers.hex('equivocation', 20),
      overrun: verifiers.hex('overrun', 20),
      unavailability: verifiers.hex('unavailability', 20),
    },
    owner: fields.hex('owner', 20),
    faucet: fields.hexOrNull('faucet', 20),
    deployBlock: fields.whole('deployBlock'),
    salt: fields.hex('salt', 32),
    coordinatorNode: fields.hex('coordinatorNode', 32),
  }
}

/** The fields of one JSON object; every error names the field by its full path. */
class Fields {
  readonly #path: string
  readonly #prefix: string
  readonly #json: Record<string, unknown>

  constructor(path: string, prefix: string, json: unknown) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new DeploymentFileError(path, prefix === '' ? 'file' : prefix, 'must hold one JSON object')
    }
    this.#path = path
    this.#prefix = prefix
    this.#json = json as Record<string, unknown>
  }

  inside(name: string): Fields {
    return new Fields(this.#path, this.#name(name), this.#json[name])
  }

  whole(name: string): number {
    const value = this.#json[name]
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
    throw this.#wrong(name, 'a whole number')
  }

  text(name: string): string {
    const value = this.#json[name]
    if (typeof value === 'string' && value !== '') return value
    throw this.#wrong(name, 'a text')
  }

  hex(name: string, bytes: number): Hex {
    const value = this.#json[name]
    if (typeof value === 'string' && new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`).test(value)) {
      return value.toLowerCase() as Hex
    }
    throw this.#wrong(name, `0x and ${2 * bytes} hex digits`)
  }

  hexOrNull(name: string, bytes: number): Hex | null {
    return this.#json[name] === null || this.#json[name] === undefined ? null : this.hex(name, bytes)
  }

  #wrong(name: string, wanted: string): DeploymentFileError {
    return new DeploymentFileError(
      this.#path,
      this.#name(name),
      `must be ${wanted}, got ${JSON.stringify(this.#json[name])}`,
    )
  }

  #name(name: string): string {
    return this.#prefix === '' ? name : `${this.#prefix}.${name}`
  }
}
