import { equalBytes, toHex } from '../../core/index.ts'
import { AUTHORITY, type CellFields, KEY_TYPE } from '../../statements/index.ts'
import type { Draft, QuorumOptions, StoreResult } from '../client/record-client.ts'
import { DhtError } from '../errors.ts'
import type { DhtRecord } from '../interface.ts'
import { compareVersions } from '../records/version.ts'
import {
  type Cell,
  cellOf,
  cellsTouched,
  childrenOf,
  distanceSquared,
  keyOfCell,
  nameOfCell,
  squaredDistance,
} from './cells.ts'
import { LEVELS_DOWN, SPLIT_ENTRIES } from './constants.ts'
import { type Presence, readPresence } from './presence.ts'
import { DEFAULT_WORLD, type World } from './world.ts'

/** Records of cells; `RecordClient` is one. */
export interface CellRecords {
  store(draft: Draft, options?: QuorumOptions): Promise<StoreResult>
  readSet(
    recordKey: Uint8Array,
    options?: QuorumOptions & { readonly consistency?: 'quorum' | 'one'; readonly from?: number },
  ): Promise<{ readonly records: readonly DhtRecord[]; readonly quorum: boolean; readonly asked: number }>
}

/** An agent as the index knows it. */
export interface SpatialAgent {
  /** 32 bytes. */
  readonly agentId: Uint8Array
  /** In units of the world: the newest position that was written. */
  readonly position: readonly number[]
  readonly presence: Presence
  readonly writerStakeId: number
  readonly leaseNumber: bigint
  /** Position of the PUT that wrote it. */
  readonly writtenAt: bigint
}

export interface QueryOptions {
  readonly world?: World
  /**
   * `quorum` (the default) misses no acknowledged entry. `one` asks a single replica a cell, which is as right as that
   * replica is up to date: for those who ask often and forgive a moment.
   */
  readonly consistency?: 'quorum' | 'one'
}

export interface QueryResult {
  readonly agents: readonly SpatialAgent[]
  /** Whether every cell was read with a quorum. */
  readonly quorum: boolean
  readonly cells: number
  /** Requests that were sent. */
  readonly asked: number
}

/** Who may speak for an agent, as far as its writer needs it. */
export type Authority =
  | { readonly stakeId: number }
  | { readonly stakeId: number; readonly leaseFrame: Uint8Array; readonly number: bigint; readonly untilEpoch: number }

export interface Placement {
  readonly agentId: Uint8Array
  /** Fixed point. */
  readonly q: readonly bigint[]
  readonly level: number
  /** Empty: it left this cell. */
  readonly value: Uint8Array
  readonly authority: Authority
  readonly expiryEpoch: number
}

/**
 * Agents by place. A cell is a record that holds a set, one entry an agent; a query unions the entries of the cells that
 * its ball touches, takes the newest of each agent wherever it stands, and keeps those whose position lies in the ball.
 */
export class SpatialHashIndex {
  readonly #records: CellRecords
  #turn = 0

  constructor(records: CellRecords) {
    this.#records = records
  }

  /**
   * The live agents whose newest written position lies within `radius` of `position`, the edge included.
   * @throws DhtError `DHT_RANGE_TOO_WIDE`, `DHT_BAD_POSITION`
   */
  async queryRange(position: readonly number[], radius: number, options: QueryOptions = {}): Promise<QueryResult> {
    const { consistency = 'quorum', world = DEFAULT_WORLD } = options
    const q = world.toFixed(position)
    const reach = world.radiusToFixed(radius)
    const newest = new Map<string, DhtRecord>()
    let isQuorum = true
    let cells = 0
    let asked = 0
    const from = this.#turn++
    let level = cellsTouched(q, reach, world.options.baseLevel)
    // A crowded cell has children; any level is valid, so all that were read count.
    while (level.length > 0) {
      cells += level.length
      const read = await Promise.all(
        level.map(async (cell) => ({
          cell,
          found: await this.#records.readSet(keyOfCell(world, cell), { consistency, from }),
        })),
      )
      const next: Cell[] = []
      for (const { cell, found } of read) {
        asked += found.asked
        isQuorum &&= found.quorum
        // An empty entry says that its agent left this cell, and nothing of where it is.
        for (const record of found.records) if (record.value.length > 0) take(newest, record)
        const isCrowded = found.records.length >= SPLIT_ENTRIES
        if (isCrowded && cell.level > world.options.baseLevel - LEVELS_DOWN) {
          next.push(...childrenOf(cell).filter((child) => distanceSquared(q, child) <= reach * reach))
        }
      }
      level = next
    }
    const agents = [...newest.values()].flatMap((record) =>
      agentIn(record, world, (at) => squaredDistance(at, q) <= reach * reach),
    )
    return { agents, quorum: isQuorum, cells, asked }
  }

  /**
   * The level at which an agent is written: the first that is not crowded, going down.
   * @returns a level and whether the agent is in that cell already
   */
  async levelFor(world: World, q: readonly bigint[], agentId: Uint8Array): Promise<number> {
    const { baseLevel } = world.options
    for (let level = baseLevel; level > baseLevel - LEVELS_DOWN; level--) {
      const { records } = await this.#records.readSet(keyOfCell(world, cellOf(q, level)), { consistency: 'one' })
      const isHere = records.some(
        ({ put, value }) => value.length > 0 && put.keyType === KEY_TYPE.cell && equalBytes(put.cell.agentId, agentId),
      )
      // Entries that were left make a cell crowded too: readers see them, and look below.
      if (isHere || records.length < SPLIT_ENTRIES) return level
    }
    return baseLevel - LEVELS_DOWN
  }

  /** Writes an entry into its cell. */
  write(world: World, placement: Placement): Promise<StoreResult> {
    const { agentId, authority, expiryEpoch, level, q, value } = placement
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
            leaseNumber: 0n,
            leaseUntilEpoch: BigInt(expiryEpoch),
            authorityKind: AUTHORITY.writer,
            authorityStakeId: BigInt(authority.stakeId),
          }
    return this.#records.store({ keyType: KEY_TYPE.cell, keyPreimage: world.id, cell, value, expiryEpoch })
  }

  /** The record keys of the cells that a ball touches: a local computation. */
  cellsIn(
    position: readonly number[],
    radius: number,
    world: World = DEFAULT_WORLD,
  ): readonly { cell: string; recordKey: Uint8Array }[] {
    const cells = cellsTouched(world.toFixed(position), world.radiusToFixed(radius), world.options.baseLevel)
    return cells.map((cell) => ({ cell: nameOfCell(cell), recordKey: keyOfCell(world, cell) }))
  }

  /** The record key of the cell that a position lies in. */
  hashPosition(position: readonly number[], world: World = DEFAULT_WORLD): Uint8Array {
    return keyOfCell(world, cellOf(world.toFixed(position), world.options.baseLevel))
  }
}

/** The newest entry of each agent, whichever cell it stands in. */
function take(newest: Map<string, DhtRecord>, record: DhtRecord): void {
  const name = toHex(record.entry)
  const known = newest.get(name)
  if (known === undefined || compareVersions(known.version, record.version) < 0) newest.set(name, record)
}

/** The agent of an entry; nothing for one that left, that lies elsewhere, or says nothing that can be read. */
function agentIn(record: DhtRecord, world: World, isInside: (q: readonly bigint[]) => boolean): SpatialAgent[] {
  const { put } = record
  if (put.keyType !== KEY_TYPE.cell || put.cell.position.length !== world.options.dimension) return []
  const presence = readPresence(record.value)
  if (presence === undefined || !isInside(put.cell.position)) return []
  return [
    {
      agentId: put.cell.agentId,
      position: world.fromFixed(put.cell.position),
      presence,
      writerStakeId: record.writerStakeId,
      leaseNumber: put.cell.leaseNumber,
      writtenAt: record.version.position,
    },
  ]
}

/** 32 bytes of an agent: keccak256(0x06 || authority || name hash) is the usual one. @throws DhtError `DHT_BAD_AGENT` */
export function checkAgentId(agentId: Uint8Array): void {
  if (agentId.length === 32) return
  throw new DhtError('DHT_BAD_AGENT', `an agent id has 32 bytes, got ${agentId.length}`, { exitCode: 2 })
}
