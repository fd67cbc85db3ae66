import { type Clock, toHex } from '../../core/index.ts'
import { keccak256 } from '../../statements/index.ts'
import { cellOf, nameOfCell } from './cells.ts'
import { encodePresence, type Presence } from './presence.ts'
import {
  type Authority,
  checkAgentId,
  type QueryOptions,
  type SpatialAgent,
  type SpatialHashIndex,
} from './spatial-index.ts'
import { DEFAULT_WORLD, type World } from './world.ts'

export interface AgentDiscoveryModules {
  readonly index: SpatialHashIndex
  readonly clock: Clock
  /** The epoch now. */
  readonly epoch: () => number
  /** Epochs a record lives at most. */
  readonly lifeEpochs: number
  readonly ownStakeId: () => number | undefined
}

export interface Announcement {
  /** 32 bytes, or a name: then the agent is this stake's of that name. */
  readonly agentId: Uint8Array | string
  readonly position: readonly number[]
  readonly capabilities?: readonly string[]
  readonly data?: unknown
  readonly world?: World
  /** Whose agent it is; this stake's own by default. */
  readonly authority?: Authority
  /** Epochs until it must be announced again; as long as a record may live by default. */
  readonly ttlEpochs?: number
}

export interface NearbyOptions extends QueryOptions {
  /** Only agents that can do all of these. */
  readonly capabilities?: readonly string[]
  readonly filter?: (agent: SpatialAgent) => boolean
  /** Only what was announced within so many milliseconds, by the agents' own clocks. */
  readonly maxAgeMs?: number
}

interface Written {
  readonly world: World
  readonly q: readonly bigint[]
  readonly level: number
  readonly expiryEpoch: number
}

/** keccak256(0x06 || stake id as 32 bytes || name hash): the id of a stake's agent of that name. */
export function agentIdOf(stakeId: number, name: string): Uint8Array {
  const authority = new Uint8Array(32)
  new DataView(authority.buffer).setBigUint64(24, BigInt(stakeId))
  return keccak256(Uint8Array.of(0x06), authority, keccak256(new Uint8Array(Buffer.from(name, 'utf8'))))
}

/** Agents that say where they are and find one another. */
export class AgentDiscoveryProtocol {
  readonly #modules: AgentDiscoveryModules
  readonly #written = new Map<string, Written>()

  constructor(modules: AgentDiscoveryModules) {
    this.#modules = modules
  }

  /**
   * Says where an agent is. A write is made when it crosses into another cell, when its entry is at half its life, or when
   * it says so itself; the new cell is written first, so that it is never nowhere.
   * @returns the agent's id
   */
  async announcePresence(announcement: Announcement): Promise<Uint8Array> {
    const { clock, epoch, index, lifeEpochs, ownStakeId } = this.#modules
    const { capabilities = [], data, position, ttlEpochs = lifeEpochs, world = DEFAULT_WORLD } = announcement
    const own = ownStakeId() ?? 0
    const authority = announcement.authority ?? { stakeId: own }
    const agentId = this.idOf(announcement.agentId)
    const q = world.toFixed(position)
    const longest = 'untilEpoch' in authority ? authority.untilEpoch : Number.MAX_SAFE_INTEGER
    const expiryEpoch = Math.min(epoch() + Math.min(ttlEpochs, lifeEpochs), longest)
    const value = encodePresence({ capabilities, data, timestamp: clock.nowMs() })
    const name = toHex(agentId)
    const before = this.#written.get(name)
    const isSameCell =
      before !== undefined &&
      before.world === world &&
      nameOfCell(cellOf(before.q, before.level)) === nameOfCell(cellOf(q, before.level))
    const level = isSameCell ? before.level : await index.levelFor(world, q, agentId)
    await index.write(world, { agentId, q, level, value, authority, expiryEpoch })
    this.#written.set(name, { world, q, level, expiryEpoch })
    if (before !== undefined && !isSameCell) await this.#leave(agentId, before, authority)
    return agentId
  }

  /** Whether an agent at that position must be announced again: it crossed a border, or its entry is at half its life. */
  isDue(agentId: Uint8Array | string, position: readonly number[]): boolean {
    const { epoch, lifeEpochs } = this.#modules
    const before = this.#written.get(toHex(this.idOf(agentId)))
    if (before === undefined || before.expiryEpoch - epoch() < lifeEpochs / 2) return true
    const q = before.world.toFixed(position)
    return nameOfCell(cellOf(before.q, before.level)) !== nameOfCell(cellOf(q, before.level))
  }

  /** Says that an agent is gone. */
  async leave(agentId: Uint8Array | string, authority?: Authority): Promise<void> {
    const id = this.idOf(agentId)
    const before = this.#written.get(toHex(id))
    if (before === undefined) return
    await this.#leave(id, before, authority ?? { stakeId: this.#modules.ownStakeId() ?? 0 })
    this.#written.delete(toHex(id))
  }

  /** The agents near a position that pass the filter, nearest first. */
  async findNearby(position: readonly number[], radius: number, options: NearbyOptions = {}): Promise<SpatialAgent[]> {
    const { capabilities = [], filter, maxAgeMs } = options
    const { agents } = await this.#modules.index.queryRange(position, radius, options)
    const nowMs = this.#modules.clock.nowMs()
    const can = ({ presence }: { readonly presence: Presence }) =>
      capabilities.every((capability) => presence.capabilities.includes(capability))
    const away = ({ position: at }: SpatialAgent) =>
      at.reduce((sum, x, axis) => sum + (x - (position[axis] as number)) ** 2, 0)
    return agents
      .filter((agent) => can(agent) && (filter?.(agent) ?? true))
      .filter(({ presence }) => maxAgeMs === undefined || nowMs - presence.timestamp <= maxAgeMs)
      .sort((a, b) => away(a) - away(b))
  }

  idOf(agentId: Uint8Array | string): Uint8Array {
    if (typeof agentId === 'string') return agentIdOf(this.#modules.ownStakeId() ?? 0, agentId)
    checkAgentId(agentId)
    return agentId
  }

  /** An empty value, newer than what stands there: the cell is left, and ends as soon as it may. */
  async #leave(agentId: Uint8Array, { expiryEpoch, level, q, world }: Written, authority: Authority): Promise<void> {
    await this.#modules.index.write(world, { agentId, q, level, value: new Uint8Array(), authority, expiryEpoch })
  }
}
