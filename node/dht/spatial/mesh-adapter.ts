import type { StateClient, StoredState, StoreStateOptions } from '../client/states.ts'
import { DhtError } from '../errors.ts'
import type { QueryOptions, SpatialAgent, SpatialHashIndex } from './spatial-index.ts'

/** What a mesh needs of the DHT: its states by iteration, and the agents around a place. */
export class MeshDHTAdapter {
  readonly #states: StateClient
  readonly #index: SpatialHashIndex

  constructor(modules: { readonly states: StateClient; readonly index: SpatialHashIndex }) {
    this.#states = modules.states
    this.#index = modules.index
  }

  /** Stores the state of a mesh of this stake: under its iteration, and as the newest. */
  async storeMeshState(
    meshId: string,
    iteration: number,
    state: Uint8Array,
    options: StoreStateOptions = {},
  ): Promise<StoredState> {
    if (!Number.isSafeInteger(iteration) || iteration < 0) {
      throw new DhtError('DHT_BAD_ITERATION', `iteration ${iteration} is no whole number`, { values: { iteration } })
    }
    await this.#states.storeState(`mesh/${meshId}/${iteration}`, state, options)
    return this.#states.storeState(`mesh/${meshId}`, state, options)
  }

  async queryAgentsSpatial(
    position: readonly number[],
    radius: number,
    options: QueryOptions = {},
  ): Promise<readonly SpatialAgent[]> {
    return this.#index.agentsIn(position, radius, options)
  }
}
