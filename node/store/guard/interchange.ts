import {
  type Address,
  type Domain,
  fromHex,
  type Hex,
  type MeshKind,
  type MeteredKind,
  toHex,
} from '../../core/index.ts'
import { interchangeInvalid } from '../errors.ts'
import type { GuardState } from './guard-state.ts'
import { METERED_KINDS } from './guard-state.ts'

/**
 * What a guard has signed, as a file (in the manner of EIP-3076). Numbers above 2^53 are decimal strings.
 * @see https://eips.ethereum.org/EIPS/eip-3076
 */
export interface Interchange {
  readonly metadata: { readonly format: 'suprnova-signing-guard'; readonly version: 1 }
  readonly data: readonly InterchangeKey[]
}

/** One key in one domain. */
export interface InterchangeKey {
  readonly key: Address
  readonly domain: { readonly chainId: string; readonly verifyingContract: Address; readonly salt: Hex }
  /** Nothing below (epoch, end) may be signed again: one row a kind. */
  readonly metered: readonly { readonly kind: MeteredKind; readonly epoch: number; readonly end: number }[]
  readonly meshes: readonly {
    readonly kind: MeshKind
    readonly scope: Hex
    /** No slot below may be signed. */
    readonly prunedBelow: string
    readonly slots: readonly { readonly slot: string; readonly digest: Hex }[]
  }[]
}

/** One mesh scope of a file, parsed. */
export interface InterchangeMesh {
  readonly kind: MeshKind
  readonly scope: Uint8Array
  readonly prunedBelow: bigint
  readonly slots: readonly { readonly slot: bigint; readonly digest: Uint8Array }[]
}

/** What an import took over, and what it left because it belongs to other keys or domains. */
export interface InterchangeSummary {
  readonly metered: number
  readonly meshSlots: number
  readonly otherKeys: number
}

export interface ParsedInterchange {
  readonly metered: InterchangeKey['metered']
  readonly meshes: readonly InterchangeMesh[]
  readonly summary: InterchangeSummary
}

interface KeyInDomain {
  readonly address: Address
  readonly domain: Domain
}

export function encodeInterchange(
  { address, domain }: KeyInDomain,
  marks: GuardState['marks'],
  meshes: Iterable<InterchangeMesh>,
): Interchange {
  const { chainId, verifyingContract, salt } = domain
  const key: InterchangeKey = {
    key: address,
    domain: { chainId: String(chainId), verifyingContract, salt },
    metered: METERED_KINDS.filter((kind) => marks[kind].asked > 0).map((kind) => ({
      kind,
      epoch: marks[kind].epoch,
      end: marks[kind].asked,
    })),
    meshes: [...meshes].map(({ kind, scope, prunedBelow, slots }) => ({
      kind,
      scope: toHex(scope),
      prunedBelow: String(prunedBelow),
      slots: slots.map(({ slot, digest }) => ({ slot: String(slot), digest: toHex(digest) })),
    })),
  }
  return { metadata: { format: 'suprnova-signing-guard', version: 1 }, data: [key] }
}

/**
 * Reads every field of a file of anybody's making, and returns what concerns this key in this domain.
 * @throws SuprnovaError `INTERCHANGE_INVALID` naming the first wrong field; a file without this key is one
 */
export function parseInterchange(file: unknown, { address, domain }: KeyInDomain): ParsedInterchange {
  const top = object(file, 'the file')
  const metadata = object(top.metadata, 'metadata')
  equal(metadata.format, 'suprnova-signing-guard', 'metadata.format')
  equal(metadata.version, 1, 'metadata.version')
  const keys = array(top.data, 'data').map((value, i) => parseKey(value, `data[${i}]`))
  const own = keys.filter(
    (entry) =>
      entry.key === address.toLowerCase() &&
      entry.chainId === domain.chainId &&
      entry.verifyingContract === domain.verifyingContract.toLowerCase() &&
      entry.salt === domain.salt.toLowerCase(),
  )
  if (own.length === 0)
    throw interchangeInvalid('data', `a list with the key ${address} in this deployment`, keys.length)
  const metered = own.flatMap((entry) => entry.metered)
  const meshes = own.flatMap((entry) => entry.meshes)
  const meshSlots = meshes.reduce((sum, mesh) => sum + mesh.slots.length, 0)
  return { metered, meshes, summary: { metered: metered.length, meshSlots, otherKeys: keys.length - own.length } }
}

function parseKey(value: unknown, field: string) {
  const entry = object(value, field)
  const domain = object(entry.domain, `${field}.domain`)
  return {
    key: hex(entry.key, `${field}.key`, 20),
    chainId: whole(domain.chainId, `${field}.domain.chainId`, 2n ** 256n),
    verifyingContract: hex(domain.verifyingContract, `${field}.domain.verifyingContract`, 20),
    salt: hex(domain.salt, `${field}.domain.salt`, 32),
    metered: array(entry.metered, `${field}.metered`).map((row, i) => parseMetered(row, `${field}.metered[${i}]`)),
    meshes: array(entry.meshes, `${field}.meshes`).map((row, i) => parseMesh(row, `${field}.meshes[${i}]`)),
  }
}

function parseMetered(value: unknown, field: string): InterchangeKey['metered'][number] {
  const row = object(value, field)
  return {
    kind: oneOf<MeteredKind>(row.kind, [1, 2, 3], `${field}.kind`),
    epoch: Number(whole(row.epoch, `${field}.epoch`, 2n ** 32n)),
    end: Number(whole(row.end, `${field}.end`, 2n ** 32n)),
  }
}

function parseMesh(value: unknown, field: string): InterchangeMesh {
  const row = object(value, field)
  return {
    kind: oneOf<MeshKind>(row.kind, [4, 5, 6, 7], `${field}.kind`),
    scope: fromHex(hex(row.scope, `${field}.scope`, 32)),
    prunedBelow: whole(row.prunedBelow, `${field}.prunedBelow`, 2n ** 64n),
    slots: array(row.slots, `${field}.slots`).map((item, i) => {
      const slot = object(item, `${field}.slots[${i}]`)
      return {
        slot: whole(slot.slot, `${field}.slots[${i}].slot`, 2n ** 64n),
        digest: fromHex(hex(slot.digest, `${field}.slots[${i}].digest`, 32)),
      }
    }),
  }
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw interchangeInvalid(field, 'a JSON object', value)
  }
  return value as Record<string, unknown>
}

function array(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw interchangeInvalid(field, 'a list', value)
  return value
}

function equal(value: unknown, expected: string | number, field: string): void {
  if (value !== expected) throw interchangeInvalid(field, JSON.stringify(expected), value)
}

function oneOf<T extends number>(value: unknown, allowed: readonly T[], field: string): T {
  if (!allowed.includes(value as T)) throw interchangeInvalid(field, `one of ${allowed.join(', ')}`, value)
  return value as T
}

function hex(value: unknown, field: string, bytes: number): Hex {
  if (typeof value !== 'string' || !new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`).test(value)) {
    throw interchangeInvalid(field, `0x and ${bytes} bytes of hex`, value)
  }
  return value.toLowerCase() as Hex
}

function whole(value: unknown, field: string, below: bigint): bigint {
  const valid = Number.isSafeInteger(value) || (typeof value === 'string' && /^\d{1,78}$/.test(value))
  const number = valid ? BigInt(value as string | number) : -1n
  if (number < 0n || number >= below) throw interchangeInvalid(field, `a whole number below ${below}`, value)
  return number
}
