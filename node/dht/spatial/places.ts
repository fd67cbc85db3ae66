import { fromHex, type Hex, type Table, toHex } from '../../core/index.ts'
import { DhtError } from '../errors.ts'
import { cellOf, nameOfCell } from './cells.ts'
import type { Authority } from './spatial-index.ts'

/** A cell in which an agent of this node may have an entry. */
export interface Place {
  readonly worldId: Uint8Array
  /** The base level of its world. */
  readonly baseLevel: number
  readonly level: number
  /** The position that was written there last, or was to be. */
  readonly q: readonly bigint[]
  /** The end of the longest entry that was written there. */
  readonly expiryEpoch: number
  readonly authority: Authority
  /** Whether it is known what stands there: false from before a write until it was acknowledged. */
  readonly isSure: boolean
}

/** What this node may have said of an agent, and where. */
export interface AgentPlaces {
  readonly agentId: Uint8Array
  /** The newest first. */
  readonly places: readonly Place[]
  /** The newest entry's value; `undefined` when the agent is to be gone. */
  readonly value: Uint8Array | undefined
}

/** Names the cell of a place. */
export function nameOfPlace({ level, q, worldId }: Pick<Place, 'level' | 'q' | 'worldId'>): string {
  return `${toHex(worldId)}/${nameOfCell(cellOf(q, level))}`
}

const ROW_VERSION = 1

interface PlaceRow {
  readonly world: Hex
  readonly base: number
  readonly level: number
  readonly q: readonly string[]
  readonly expiry: number
  readonly stake: number
  readonly number?: string
  readonly lease?: Hex
  readonly until?: number
}

interface Row {
  readonly version: number
  readonly agent: Hex
  readonly value?: Hex
  readonly places: readonly PlaceRow[]
}

/**
 * Where agents of this node may have entries, durably: noted before an entry is written, so that whatever ends this
 * process, the next one knows what it must clear.
 */
export class PlacesTable {
  readonly #table: Table

  constructor(table: Table) {
    this.#table = table
  }

  /** All agents by the names of their entries. What was noted is not sure. @throws DhtError `DHT_BAD_ROW` */
  *all(): Iterable<readonly [name: Hex, AgentPlaces]> {
    for (const [key, bytes] of this.#table.range(Uint8Array.of(FAMILY), Uint8Array.of(FAMILY + 1))) {
      yield [toHex(key.subarray(1)), decode(bytes)]
    }
  }

  /** Resolves when it is on disk. */
  write(name: Hex, agent: AgentPlaces): Promise<void> {
    return this.#table.write([[keyOf(name), encode(agent)]])
  }

  forget(name: Hex): Promise<void> {
    return this.#table.write([[keyOf(name), undefined]])
  }
}

const FAMILY = 1

/** u8 1 | name, 32 bytes. */
function keyOf(name: Hex): Uint8Array {
  return new Uint8Array(Buffer.concat([Uint8Array.of(FAMILY), fromHex(name)]))
}

function encode({ agentId, places, value }: AgentPlaces): Uint8Array {
  const rows = places.map(({ authority, baseLevel, expiryEpoch, level, q, worldId }): PlaceRow => {
    const at = { world: toHex(worldId), base: baseLevel, level, q: q.map(String) }
    const common = { ...at, expiry: expiryEpoch, stake: authority.stakeId }
    if ('leaseFrame' in authority) {
      const { leaseFrame, number, untilEpoch } = authority
      return { ...common, number: String(number), lease: toHex(leaseFrame), until: untilEpoch }
    }
    return authority.number === undefined ? common : { ...common, number: String(authority.number) }
  })
  const head = { version: ROW_VERSION, agent: toHex(agentId) }
  const row: Row = { ...head, places: rows, ...(value === undefined ? {} : { value: toHex(value) }) }
  return new Uint8Array(Buffer.from(JSON.stringify(row), 'utf8'))
}

function decode(bytes: Uint8Array): AgentPlaces {
  const row = JSON.parse(Buffer.from(bytes).toString('utf8')) as Row
  if (row.version !== ROW_VERSION) {
    throw new DhtError('DHT_BAD_ROW', `places of an agent in a row of version ${row.version}`, {
      hint: 'the store was written by another version of the program, or is damaged',
    })
  }
  const places = row.places.map(
    ({ base, expiry, lease, level, number, q, stake, until, world }): Place => ({
      ...{ worldId: fromHex(world), baseLevel: base, level, q: q.map(BigInt), expiryEpoch: expiry, isSure: false },
      authority:
        lease === undefined
          ? { stakeId: stake, ...(number === undefined ? {} : { number: BigInt(number) }) }
          : { stakeId: stake, leaseFrame: fromHex(lease), number: BigInt(number ?? 0), untilEpoch: until ?? 0 },
    }),
  )
  return { agentId: fromHex(row.agent), places, value: row.value === undefined ? undefined : fromHex(row.value) }
}
