import type { Address, Hex, KeyTenure, ProtocolParams, StakeRow } from '../../core/index.ts'
import { EXIT, fromHex, toHex } from '../../core/index.ts'
import { ChainError } from '../errors.ts'
import { PARAM_FIELDS } from '../pin-description.ts'

/** The deployment that a snapshot is of. */
export interface SnapshotDeployment {
  /** The name it was found by. A word for people: nothing is decided by it. */
  readonly name: string
  readonly chainId: bigint
  readonly genesisHash: Hex
  readonly coordinator: Address
  readonly registry: Address
  readonly salt: Hex
  readonly params: ProtocolParams
}

/** Which stakes had a place among replicas from a time on. */
export interface PlacedSince {
  /** Unix seconds. */
  readonly fromSeconds: number
  readonly stakeIds: readonly number[]
}

/**
 * All that a reader must know of the registry: who has stake, by which keys, and where. Whoever made it is trusted for
 * these; records themselves prove who signed them.
 */
export interface RegistrySnapshot {
  readonly deployment: SnapshotDeployment
  readonly block: { readonly number: number; readonly hash: Hex; readonly timestamp: number }
  /** Seconds by which replica tables lag behind their epoch on this chain. */
  readonly lagSeconds: number
  readonly stakes: readonly StakeRow[]
  readonly keys: readonly KeyTenure[]
  /** Oldest first. After the block the stakes' own rows tell. */
  readonly placed: readonly PlacedSince[]
  /** The last epoch whose replica table follows from this snapshot as nodes have it; for later ones it is a guess. */
  readonly exactThroughEpoch: number
  /** Multiaddrs to dial first. */
  readonly bootstrap: readonly string[]
}

const FORMAT = 'suprnova registry snapshot'
const VERSION = 1
const STATUSES = ['pending', 'active', 'unbonding', 'withdrawn'] as const

/** The snapshot as a JSON document. */
export function registrySnapshotToJson(snapshot: RegistrySnapshot): unknown {
  const { deployment, keys, stakes, ...rest } = snapshot
  return {
    format: FORMAT,
    version: VERSION,
    deployment: { ...deployment, chainId: String(deployment.chainId) },
    ...rest,
    stakes: stakes.map((row) => ({ ...row, amountWei: String(row.amountWei), placement: row.placement ?? null })),
    // JSON has no Infinity: an open tenure is null.
    keys: keys.map(({ address, fromEpoch, publicKey, stakeId, untilEpoch }) => ({
      ...{ address, stakeId, publicKey: toHex(publicKey), fromEpoch },
      untilEpoch: Number.isFinite(untilEpoch) ? untilEpoch : null,
    })),
  }
}

/**
 * Reads such a document.
 * @throws {ChainError} `SNAPSHOT_INVALID` naming the field
 */
export function parseRegistrySnapshot(json: unknown): RegistrySnapshot {
  const root = new Fields(json, 'the snapshot')
  if (root.text('format') !== FORMAT || root.whole('version') !== VERSION) {
    throw invalid('format', `it must be "${FORMAT}", version ${VERSION}`)
  }
  const deployment = root.object('deployment')
  const params = deployment.object('params')
  const block = root.object('block')
  return {
    deployment: {
      name: deployment.text('name'),
      chainId: BigInt(deployment.matching('chainId', /^\d{1,78}$/)),
      genesisHash: deployment.hex('genesisHash', 32),
      coordinator: deployment.hex('coordinator', 20),
      registry: deployment.hex('registry', 20),
      salt: deployment.hex('salt', 32),
      params: Object.fromEntries(PARAM_FIELDS.map((name) => [name, params.whole(name)])) as unknown as ProtocolParams,
    },
    block: { number: block.whole('number'), hash: block.hex('hash', 32), timestamp: block.whole('timestamp') },
    lagSeconds: root.whole('lagSeconds'),
    stakes: root.list('stakes').map((row, index) => {
      const stakeId = row.whole('stakeId')
      if (stakeId !== index + 1) throw invalid(`stakes[${index}].stakeId`, 'ids run from 1 without gaps')
      const status = STATUSES.find((one) => one === row.text('status'))
      if (status === undefined) throw invalid(`stakes[${index}].status`, `it must be one of ${STATUSES.join(', ')}`)
      return {
        ...{ stakeId, status, operator: row.hex('operator', 20) },
        amountWei: BigInt(row.matching('amountWei', /^\d{1,29}$/)),
        placement: row.isNull('placement') ? undefined : row.hex('placement', 32),
        jailedUntil: row.whole('jailedUntil'),
        tombstoned: row.flag('tombstoned'),
        readyAt: row.whole('readyAt'),
      }
    }),
    keys: root.list('keys').map((row) => ({
      ...{ address: row.hex('address', 20), stakeId: row.whole('stakeId') },
      publicKey: fromHex(row.hex('publicKey', 33)),
      fromEpoch: row.whole('fromEpoch'),
      untilEpoch: row.isNull('untilEpoch') ? Number.POSITIVE_INFINITY : row.whole('untilEpoch'),
    })),
    placed: root.list('placed').map((row) => ({
      fromSeconds: row.whole('fromSeconds'),
      stakeIds: row.wholes('stakeIds'),
    })),
    exactThroughEpoch: root.whole('exactThroughEpoch'),
    bootstrap: root.texts('bootstrap'),
  }
}

/** The fields of one JSON object; every reader names the field that is wrong. */
class Fields {
  readonly #fields: Record<string, unknown>
  readonly #where: string

  constructor(json: unknown, where: string) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw invalid(where, 'it must be an object')
    this.#fields = json as Record<string, unknown>
    this.#where = where
  }

  matching(name: string, shape: RegExp): string {
    const value = this.#fields[name]
    if (typeof value !== 'string' || !shape.test(value)) throw invalid(this.#path(name), `it must match ${shape}`)
    return value
  }

  text(name: string): string {
    return this.matching(name, /^.{1,512}$/)
  }

  hex(name: string, bytes: number): Hex {
    return this.matching(name, new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`)) as Hex
  }

  whole(name: string): number {
    return wholeAt(this.#fields[name], this.#path(name))
  }

  flag(name: string): boolean {
    const value = this.#fields[name]
    if (typeof value !== 'boolean') throw invalid(this.#path(name), 'it must be true or false')
    return value
  }

  isNull(name: string): boolean {
    return this.#fields[name] === null
  }

  object(name: string): Fields {
    return new Fields(this.#fields[name], this.#path(name))
  }

  list(name: string): Fields[] {
    return this.#array(name).map((item, index) => new Fields(item, `${this.#path(name)}[${index}]`))
  }

  wholes(name: string): number[] {
    return this.#array(name).map((item, index) => wholeAt(item, `${this.#path(name)}[${index}]`))
  }

  texts(name: string): string[] {
    return this.#array(name).map((item, index) => {
      if (typeof item !== 'string' || item.length > 512)
        throw invalid(`${this.#path(name)}[${index}]`, 'it must be a text')
      return item
    })
  }

  #array(name: string): unknown[] {
    const value = this.#fields[name]
    if (!Array.isArray(value)) throw invalid(this.#path(name), 'it must be a list')
    return value
  }

  #path(name: string): string {
    return this.#where === 'the snapshot' ? name : `${this.#where}.${name}`
  }
}

function wholeAt(value: unknown, field: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(field, 'it must be a whole number from 0')
  return value as number
}

function invalid(field: string, why: string): ChainError {
  return new ChainError('SNAPSHOT_INVALID', `this is no usable snapshot of a registry: ${field}: ${why}`, {
    exitCode: EXIT.config,
    hint: 'write one with `suprnova coordinator snapshot` where a node runs',
    values: { field },
  })
}
