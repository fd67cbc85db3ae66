import type { Clock } from '../../core/index.ts'
import type { Presence } from './presence.ts'
import type { QueryOptions, SpatialAgent, SpatialHashIndex } from './spatial-index.ts'

export interface NearbyOptions extends QueryOptions {
  /** Only agents that can do all of these. */
  readonly capabilities?: readonly string[]
  readonly filter?: (agent: SpatialAgent) => boolean
  /**
   * Only what was announced within so many milliseconds, by the agents' own clocks; a clock that is ahead counts as the
   * end of the epoch in which the entry was signed.
   */
  readonly maxAgeMs?: number
}

export interface AgentFinderModules {
  readonly index: SpatialHashIndex
  readonly clock: Clock
  readonly epochSeconds: number
}

/** Finds agents by place and by what they say of themselves. */
export class AgentFinder {
  readonly #modules: AgentFinderModules

  constructor(modules: AgentFinderModules) {
    this.#modules = modules
  }

  /**
   * The agents near a position that pass the filter, nearest first.
   * @throws DhtError as `SpatialHashIndex.agentsIn`
   */
  async findNearby(position: readonly number[], radius: number, options: NearbyOptions = {}): Promise<SpatialAgent[]> {
    const { clock, epochSeconds, index } = this.#modules
    const { capabilities = [], filter, maxAgeMs } = options
    const agents = await index.agentsIn(position, radius, options)
    const nowMs = clock.nowMs()
    const epochMs = epochSeconds * 1_000
    const can = ({ presence }: { readonly presence: Presence }) =>
      capabilities.every((capability) => presence.capabilities.includes(capability))
    const saidMs = ({ presence, writtenInEpoch }: SpatialAgent) =>
      Math.min(presence.timestamp, (writtenInEpoch + 1) * epochMs)
    const away = ({ position: at }: SpatialAgent) =>
      at.reduce((sum, x, axis) => sum + (x - (position[axis] as number)) ** 2, 0)
    return agents
      .filter((agent) => can(agent) && (maxAgeMs === undefined || nowMs - saidMs(agent) <= maxAgeMs))
      .filter((agent) => filter?.(agent) ?? true)
      .sort((a, b) => away(a) - away(b) || Buffer.compare(a.agentId, b.agentId))
  }
}
