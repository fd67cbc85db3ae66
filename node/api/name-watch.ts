import { type ChainClient, type CoordinatorPin, comparePin } from '../chain/index.ts'
import type { Address, Logger, Timers } from '../core/index.ts'
import { NAME_CHECK_INTERVAL_MS } from './constants.ts'

/** Looks now and then whether the ENS name still leads to the pinned coordinator. What it finds is shown, and decides nothing. */
export class NameWatch {
  readonly #options: {
    readonly pin: CoordinatorPin
    readonly coordinator: string
    readonly ensRegistry: Address | undefined
  }
  readonly #modules: { readonly client: ChainClient; readonly timers: Timers; readonly logger: Logger }
  #differs: string | undefined
  #cancel: () => void = () => {}
  #looking: Promise<void> = Promise.resolve()

  constructor(
    options: { readonly pin: CoordinatorPin; readonly coordinator: string; readonly ensRegistry: Address | undefined },
    modules: { readonly client: ChainClient; readonly timers: Timers; readonly logger: Logger },
  ) {
    this.#options = options
    this.#modules = modules
  }

  /** What the name says now, where that is not what is pinned. */
  get differs(): string | undefined {
    return this.#differs
  }

  start(): void {
    this.#looking = this.#look()
    this.#cancel = this.#modules.timers.after(NAME_CHECK_INTERVAL_MS, () => this.start())
  }

  close(): Promise<void> {
    this.#cancel()
    return this.#looking
  }

  async #look(): Promise<void> {
    const { pin, coordinator, ensRegistry } = this.#options
    const { client, logger } = this.#modules
    try {
      const differences = await comparePin(pin, client, { coordinator, ...(ensRegistry ? { ensRegistry } : {}) })
      this.#differs = differences[0]?.found
      for (const difference of differences) logger.warn('the name no longer says what is pinned', { ...difference })
    } catch (error) {
      logger.debug('the name cannot be looked up', { error })
    }
  }
}
