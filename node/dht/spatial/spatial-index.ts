import { type Hex, toHex } from '../../core/index.ts'
import { AUTHORITY, type CellFields, epochOf, KEY_TYPE } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import type { DhtRecord } from '../interface.ts'
import {
  type Cell,
  cellNamed,
  cellOf,
  cellsAround,
  cellsTouched,
  childrenOf,
  distanceSquared,
  keyOfCell,
  nameOfCell,
  squaredDistance,
} from './cells.ts'
import { HASHED_CELLS_MAX, LEVELS_DOWN, QUERY_CELLS_MAX, SPLIT_ENTRIES } from './constants.ts'
import { childBit } from './hint.ts'
import type { Presence } from './presence.ts'
import { entryIn, type Sighting, take } from './sighting.ts'
import { type World, type WorldLike, worldOf } from './world.ts'

/** How a cell is read. */
export type Consistency = 'quorum' | 'one'

/** One cell as it was read. */
export interface ReadCell {
  /** The newest verified, live version of each entry, over all answers. */
  readonly records: readonly DhtRecord[]
  /** Whether enough of the proper replicas answered that no acknowledged entry was missed. */
  readonly quorum: boolean
  /** False: it holds more than a reader takes of one cell. */
  readonly complete: boolean
}

/** An entry to be signed and stored, see `Draft`. */
export interface CellDraft {
  readonly keyType: 3
  readonly keyPreimage: Uint8Array
  readonly cell: CellFields
  readonly value: Uint8Array
  readonly expiryEpoch: number
}

/** Where entries of cells are kept. */
export interface CellRecords {
  /** Resolves when the entry is held so that no quorum misses it. */
  store(draft: CellDraft): Promise<unknown>
  /** @returns the cells in the order asked for, and the requests that were sent to other nodes */
  readCells(
    recordKeys: readonly Uint8Array[],
    options: { readonly consistency: Consistency },
  ): Promise<{ readonly cells: readonly ReadCell[]; readonly asked: number }>
}

/** An agent as the index knows it. */
export interface SpatialAgent {
  /** 32 bytes. */
  readonly agentId: Uint8Array
  /** Whose agent it is: id and authority together name it. */
  readonly authority: { readonly stakeId: number } | { readonly meshId: Uint8Array }
  /** In units of the world: the newest position that was written. */
  readonly position: readonly number[]
  readonly presence: Presence
  readonly writerStakeId: number
  readonly leaseNumber: bigint
  /** The position of the PUT statement. */
  readonly writtenAt: bigint
  /** The epoch in which it was signed. */
  readonly writtenInEpoch: number
}

export interface QueryOptions {
  /** The default one unless told otherwise. */
  readonly world?: WorldLike
  /**
   * `quorum` (the default) misses no acknowledged entry. `one` asks a single replica a cell, which is as right as that
   * replica is up to date: for those who ask often and forgive a moment.
   */
  readonly consistency?: Consistency
}

export interface QueryResult {
  readonly agents: readonly SpatialAgent[]
  /** Whether every cell was read with a quorum. */
  readonly quorum: boolean
  /** False: more cells or entries lie there than a reader takes in one query, so some agents may be missing. */
  readonly complete: boolean
  readonly cells: number
  /** Requests that were sent to other nodes. */
  readonly asked: number
}

/** Who may speak for an agent, as far as its writer needs it. */
export type Authority =
  /** This stake itself. `number` as of a lease: larger than that of the last one it gave, when it takes its agent back. */
  | { readonly stakeId: number; readonly number?: bigint }
  | { readonly stakeId: number; readonly leaseFrame: Uint8Array; readonly number: bigint; readonly untilEpoch: number }

/** An entry to be written. */
export interface Placement {
  readonly worldId: Uint8Array
  readonly agentId: Uint8Array
  /** Fixed point: a point of the cell. */
  readonly q: readonly bigint[]
  readonly level: number
  /** See `encodePresence` and `encodeHint`. Empty: the agent is gone. */
  readonly value: Uint8Array
  readonly authority: Authority
  readonly expiryEpoch: number
}

/** A position, or a cell: by its name as {@link SpatialHashIndex.cellsIn} gives it, or by a key that `hashPosition` gave. */
export type Place = readonly number[] | string

/**
 * Agents by place. A cell is a record that holds a set, one entry an agent. A query reads the cells that the ball of
 * radius r + v_max x staleness touches, takes the newest entry of each agent wherever it stands, and keeps those whose
 * position lies within r: whoever has moved on, and not yet cleared its old entry, has its new one in these cells too.
 */
export class SpatialHashIndex {
  readonly #records: CellRecords
  readonly #hashed = new Map<Hex, { readonly world: World; readonly cell: Cell }>()

  constructor(records: CellRecords) {
    this.#records = records
  }

  /**
   * The live agents whose newest written position lies within `radius` of `position`, the edge included.
   * @throws DhtError `DHT_RANGE_TOO_WIDE`, `DHT_BAD_POSITION`, `DHT_BAD_WORLD`
   */
  async queryRange(position: readonly number[], radius: number, options: QueryOptions = {}): Promise<QueryResult> {
    const { consistency = 'quorum' } = options
    const world = worldOf(options.world)
    const q = world.toFixed(position)
    const { reach, wide } = world.radiusToFixed(radius)
    const newest = new Map<string, Sighting>()
    let isQuorum = true
    let isComplete = true
    let cells = 0
    let asked = 0
    let level = cellsTouched(q, wide, world.options.baseLevel)
    while (level.length > 0) {
      if (cells + level.length > QUERY_CELLS_MAX) {
        isComplete = false
        level = level.slice(0, QUERY_CELLS_MAX - cells)
      }
      cells += level.length
      const keys = level.map((cell) => keyOfCell(world, cell))
      const read = await this.#records.readCells(keys, { consistency })
      asked += read.asked
      const hinted: { readonly cell: Cell; readonly voices: number }[] = []
      for (const [index, found] of read.cells.entries()) {
        const voices = new Array<number>(8).fill(0)
        isQuorum &&= found.quorum
        isComplete &&= found.complete
        for (const record of found.records) {
          const entry = entryIn(record)
          if (entry?.kind === 'agent') take(newest, entry.sighting)
          if (entry?.kind === 'hint') countVoices(voices, entry.mask)
        }
        hinted.push(...childrenHinted(level[index] as Cell, voices, world))
      }
      // Where most writers say that agents are comes first: one that hints at everything hides nobody but at the limit.
      const touched = hinted.filter(({ cell }) => distanceSquared(q, cell) <= wide * wide)
      level = touched.sort((a, b) => b.voices - a.voices).map(({ cell }) => cell)
    }
    const agents: SpatialAgent[] = []
    for (const sighting of newest.values()) {
      if (sighting.value === undefined || squaredDistance(sighting.q, q) > reach * reach) continue
      agents.push(agentOf(sighting, sighting.value, world))
    }
    return { agents, quorum: isQuorum, complete: isComplete, cells, asked }
  }

  /**
   * The same agents alone, for those who take no half answer.
   * @throws DhtError `DHT_RANGE_TOO_WIDE` also when more lies there than a reader takes in one query
   */
  async agentsIn(position: readonly number[], radius: number, options: QueryOptions = {}) {
    const { agents, cells, complete } = await this.queryRange(position, radius, options)
    if (complete) return agents
    throw new DhtError('DHT_RANGE_TOO_WIDE', `more lies within ${radius} than one query reads: ${cells} cells`, {
      values: { radius, cells, limit: QUERY_CELLS_MAX },
      hint: 'ask for a smaller radius, or take the half answer of queryLocalWith',
    })
  }

  /**
   * The level at which a point is written: the first that is not crowded, going down. One replica's word will do:
   * any level can be found by readers.
   * @param known entries that this node has in a cell, or is about to have
   */
  async levelFor(world: World, q: readonly bigint[], known: (cell: Cell) => number = () => 0): Promise<number> {
    const { baseLevel } = world.options
    const lowest = baseLevel - LEVELS_DOWN
    for (let level = baseLevel; level > lowest; level--) {
      const cell = cellOf(q, level)
      if (known(cell) >= SPLIT_ENTRIES) continue
      const { cells } = await this.#records.readCells([keyOfCell(world, cell)], { consistency: 'one' })
      // Entries that were left, and hints, count: it is what readers must read.
      if ((cells[0]?.records.length ?? 0) < SPLIT_ENTRIES) return level
    }
    return lowest
  }

  /** Writes an entry into its cell. @throws as `RecordClient.store` */
  async write({ agentId, authority, expiryEpoch, level, q, value, worldId }: Placement): Promise<void> {
    const common = { level, position: q, agentId }
    const cell: CellFields =
      'leaseFrame' in authority
        ? {
            ...common,
            leaseNumber: authority.number,
            leaseUntilEpoch: BigInt(authority.untilEpoch),
            authorityKind: AUTHORITY.lease,
            authorityStakeId: BigInt(authority.stakeId),
            leaseFrame: authority.leaseFrame,
          }
        : {
            ...common,
            leaseNumber: authority.number ?? 0n,
            leaseUntilEpoch: BigInt(expiryEpoch),
            authorityKind: AUTHORITY.writer,
            authorityStakeId: BigInt(authority.stakeId),
          }
    await this.#records.store({ keyType: KEY_TYPE.cell, keyPreimage: worldId, cell, value, expiryEpoch })
  }

  /** Reads one cell. */
  async readCell(world: Pick<World, 'id'>, cell: Cell): Promise<ReadCell> {
    const { cells } = await this.#records.readCells([keyOfCell(world, cell)], { consistency: 'quorum' })
    return cells[0] ?? { records: [], quorum: false, complete: true }
  }

  /**
   * The base cells within `radius` of a place: a local computation.
   * @throws DhtError `DHT_BAD_PLACE` for a string that names no cell, and as {@link SpatialHashIndex.queryRange}
   */
  cellsIn(
    place: Place,
    radius: number,
    inWorld?: WorldLike,
  ): readonly { readonly cell: string; readonly recordKey: Uint8Array }[] {
    const hashed = typeof place === 'string' ? this.#hashed.get(place as Hex) : undefined
    const world = hashed !== undefined && inWorld === undefined ? hashed.world : worldOf(inWorld)
    const { baseLevel, dimension } = world.options
    const { reach } = world.radiusToFixed(radius)
    let cells: Cell[]
    if (typeof place !== 'string') cells = cellsTouched(world.toFixed(place), reach, baseLevel)
    else {
      const cell = (hashed?.world === world ? hashed.cell : undefined) ?? cellNamed(place, dimension)
      if (cell === undefined) throw badPlace(place)
      cells = cellsAround(cell, reach, baseLevel)
    }
    return cells.map((cell) => ({ cell: nameOfCell(cell), recordKey: keyOfCell(world, cell) }))
  }

  /** The record key of the base cell that a position lies in. The newest few thousand are remembered: see {@link Place}. */
  hashPosition(position: readonly number[], inWorld?: WorldLike): Uint8Array {
    const world = worldOf(inWorld)
    const cell = cellOf(world.toFixed(position), world.options.baseLevel)
    const recordKey = keyOfCell(world, cell)
    const name = toHex(recordKey)
    this.#hashed.delete(name)
    this.#hashed.set(name, { world, cell })
    if (this.#hashed.size > HASHED_CELLS_MAX) {
      for (const oldest of this.#hashed.keys()) {
        this.#hashed.delete(oldest)
        break
      }
    }
    return recordKey
  }
}

function countVoices(voices: number[], mask: number): void {
  for (const bit of voices.keys()) if ((mask >> bit) & 1) voices[bit] = (voices[bit] as number) + 1
}

function childrenHinted(cell: Cell, voices: readonly number[], world: World) {
  if (cell.level <= world.options.baseLevel - LEVELS_DOWN || voices.every((count) => count === 0)) return []
  return childrenOf(cell)
    .map((child) => ({ cell: child, voices: voices[childBit(child)] as number }))
    .filter(({ voices: count }) => count > 0)
}

function agentOf({ cell, q, record }: Sighting, { at: _, ...presence }: Presence & { at?: unknown }, world: World) {
  return {
    agentId: cell.agentId,
    authority:
      cell.authorityKind === AUTHORITY.mesh
        ? { meshId: cell.authorityMeshId }
        : { stakeId: Number(cell.authorityStakeId) },
    position: world.fromFixed(q),
    presence,
    writerStakeId: record.writerStakeId,
    leaseNumber: cell.leaseNumber,
    writtenAt: record.version.position,
    writtenInEpoch: epochOf(record.version.position),
  }
}

function badPlace(place: string): DhtError {
  return new DhtError('DHT_BAD_PLACE', `${JSON.stringify(place)} names no cell that this node knows`, {
    exitCode: 2,
    values: { place },
    hint: 'a position, a cell as `getRange` names it (such as "26:0,-1,2"), or a key that `hashPosition` gave in this process',
  })
}
