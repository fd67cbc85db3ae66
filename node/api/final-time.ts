import type { ChainClient, ChainStakeView } from '../chain/index.ts'
import type { Logger, Timers } from '../core/index.ts'
import { FINAL_TIME_INTERVAL_MS } from './constants.ts'

export interface FinalTimeModules {
  readonly client: ChainClient
  readonly view: Pick<ChainStakeView, 'head'>
  readonly timers: Timers
  readonly logger: Logger
}

/** The chain's time that nothing can take back: by it a node decides which promises are over. */
export class FinalTime {
  readonly #isLocal: boolean
  readonly #modules: FinalTimeModules
  #seconds: number | undefined
  #cancel: (() => void) | undefined
  #closed = false

  /** @param options `isLocal`: a chain on this machine never reorganises, so that its head is final */
  constructor(options: { readonly isLocal: boolean }, modules: FinalTimeModules) {
    this.#isLocal = options.isLocal
    this.#modules = modules
    if (!this.#isLocal) void this.#look()
  }

  /** Unix seconds of the newest final block; `undefined` while none is known. It never goes back. */
  seconds(): number | undefined {
    return this.#isLocal ? this.#modules.view.head()?.timestamp : this.#seconds
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  async #look(): Promise<void> {
    const { client, logger, timers } = this.#modules
    try {
      const { timestamp } = await client.getBlock({ blockTag: 'finalized' })
      this.#seconds = Math.max(this.#seconds ?? 0, Number(timestamp))
    } catch (error) {
      logger.debug('the final block cannot be read', { error })
    }
    if (this.#closed) return
    this.#cancel = timers.after(FINAL_TIME_INTERVAL_MS, () => void this.#look())
  }
}
