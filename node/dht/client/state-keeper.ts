import {
  EXIT,
  type Hex,
  type Logger,
  type Metrics,
  SuprnovaError,
  type Table,
  type Timers,
  toHex,
} from '../../core/index.ts'
import { DhtError } from '../errors.ts'
import type { PutReader } from '../records/put-reader.ts'
import { KEEP_AT, KEPT_STATES_MAX } from './constants.ts'
import type { QuorumOptions } from './quorum.ts'
import type { RecordClient } from './record-client.ts'

/** A state that is signed anew before each end. */
export interface KeptState {
  /** keccak256 of its name. */
  readonly nameHash: Hex
  /** The last epoch of its life as it was signed last. */
  readonly expiryEpoch: number
  readonly replicas?: number | undefined
  readonly quorum?: number | undefined
}

export interface StateKeeperModules {
  readonly client: Pick<RecordClient, 'lifeEpochs'>
  readonly reader: Pick<PutReader, 'epoch'>
  readonly renew: (nameHash: Uint8Array, options: QuorumOptions) => Promise<{ readonly expiryEpoch: number }>
  /** Name hash -> {@link KeptState}. */
  readonly kept: Table
  readonly timers: Timers
  readonly metrics: Metrics
  readonly logger: Logger
}

/**
 * Signs states anew at half their life, as long as the node runs. Which ones is on disk: a node that comes back in time
 * goes on with it. One that was away for too long says which states are over, and keeps them no more.
 */
export class StateKeeper {
  readonly #modules: StateKeeperModules
  readonly #lookMs: number
  readonly #states = new Map<Hex, KeptState>()
  readonly #renewals
  readonly #count
  #cancel: (() => void) | undefined
  #looking: Promise<void> = Promise.resolve()
  #isRunning = false

  constructor(params: { readonly epochSeconds: number }, modules: StateKeeperModules) {
    this.#modules = modules
    this.#lookMs = params.epochSeconds * 1_000
    this.#renewals = modules.metrics.counter('suprnova_dht_renewals_total', 'Kept states signed anew, by outcome')
    this.#count = modules.metrics.gauge('suprnova_dht_kept_states', 'States this node keeps alive')
    for (const [, row] of modules.kept.range(Uint8Array.of(0), new Uint8Array(33).fill(0xff))) {
      const state = JSON.parse(Buffer.from(row).toString('utf8')) as KeptState
      this.#states.set(state.nameHash, state)
    }
    this.#count.set(this.#states.size)
  }

  /** Looks once an epoch which states are at half their life. */
  start(): void {
    this.#isRunning = true
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel?.()
    await this.#looking
  }

  /** The states that are kept. */
  list(): readonly KeptState[] {
    return [...this.#states.values()]
  }

  /**
   * Keeps a state from now on; resolves once that is on disk.
   * @param nameHash 32 bytes
   * @throws DhtError `DHT_TOO_MANY_KEPT`
   */
  async keep(nameHash: Uint8Array, state: QuorumOptions & { readonly expiryEpoch: number }): Promise<void> {
    const name = toHex(nameHash)
    if (!this.#states.has(name) && this.#states.size >= KEPT_STATES_MAX) throw tooMany()
    const { expiryEpoch, quorum, replicas } = state
    const kept: KeptState = { nameHash: name, expiryEpoch, replicas, quorum }
    this.#states.set(name, kept)
    this.#count.set(this.#states.size)
    await this.#modules.kept.write([[nameHash, Buffer.from(JSON.stringify(kept), 'utf8')]])
  }

  /** Lets a state end with its life. @returns whether it was kept */
  async letGo(nameHash: Uint8Array): Promise<boolean> {
    const wasKept = this.#states.delete(toHex(nameHash))
    this.#count.set(this.#states.size)
    if (wasKept) await this.#modules.kept.write([[nameHash, undefined]])
    return wasKept
  }

  /** Signs anew what is at half its life, one after the other. */
  async look(): Promise<void> {
    for (const state of this.list()) {
      const left = state.expiryEpoch - this.#modules.reader.epoch()
      if (left <= KEEP_AT * this.#modules.client.lifeEpochs) await this.#renew(state, left)
    }
  }

  async #renew(state: KeptState, left: number): Promise<void> {
    const { logger, renew } = this.#modules
    const { nameHash, quorum, replicas } = state
    const bytes = new Uint8Array(Buffer.from(nameHash.slice(2), 'hex'))
    const options = { ...(replicas === undefined ? {} : { replicas }), ...(quorum === undefined ? {} : { quorum }) }
    try {
      const { expiryEpoch } = await renew(bytes, options)
      this.#renewals.inc({ outcome: 'renewed' })
      // Whoever let it go meanwhile meant it.
      if (this.#states.has(nameHash)) await this.keep(bytes, { ...options, expiryEpoch })
    } catch (error) {
      const isOver = left < 0 && error instanceof SuprnovaError && error.code === 'DHT_NOTHING_TO_RENEW'
      this.#renewals.inc({ outcome: isOver ? 'over' : 'failed' })
      logger.warn(isOver ? 'a kept state is over' : 'a kept state could not be renewed yet', { nameHash, left, error })
      if (isOver) await this.letGo(bytes)
    }
  }

  #schedule(): void {
    this.#cancel = this.#modules.timers.after(this.#lookMs, () => {
      this.#looking = this.look()
        .catch((error: unknown) => this.#modules.logger.error('kept states cannot be looked after', { error }))
        .then(() => {
          if (this.#isRunning) this.#schedule()
        })
    })
  }
}

function tooMany(): DhtError {
  return new DhtError('DHT_TOO_MANY_KEPT', `this node keeps ${KEPT_STATES_MAX} states already`, {
    exitCode: EXIT.usage,
    values: { limit: KEPT_STATES_MAX },
    hint: 'let some go, or keep these from another node',
  })
}
