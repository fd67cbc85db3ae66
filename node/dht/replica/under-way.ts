import type { Metrics } from '../../core/index.ts'
import {
  STORE_BYTES_UNDER_WAY_MAX,
  STORE_BYTES_UNDER_WAY_PER_ASKER_MAX,
  STORES_UNDER_WAY_MAX,
  STORES_UNDER_WAY_PER_ASKER_MAX,
} from './constants.ts'

interface Load {
  stores: number
  bytes: number
}

/** Stores being verified or written, in all and by who asked for them. */
export class UnderWay {
  readonly #byAsker = new Map<number | 'own' | undefined, Load>()
  readonly #all: Load = { stores: 0, bytes: 0 }
  readonly #refused

  constructor(metrics: Metrics) {
    const help = 'Stores refused because too many were under way, in all or of one asker'
    this.#refused = metrics.counter('suprnova_dht_stores_busy_total', help)
  }

  /** Askers with a store under way. */
  get askers(): number {
    return this.#byAsker.size
  }

  /**
   * Takes one more on.
   * @param asker its stake; `undefined` for a reader, who shares with all other readers; `own` for this node itself,
   * which no stream slows down and which floods nobody else
   * @returns the function that ends it; `undefined` when there is no room
   */
  enter(asker: number | 'own' | undefined, bytes: number): (() => void) | undefined {
    const own = this.#byAsker.get(asker) ?? { stores: 0, bytes: 0 }
    const isShareFull =
      own.stores >= STORES_UNDER_WAY_PER_ASKER_MAX || own.bytes + bytes > STORE_BYTES_UNDER_WAY_PER_ASKER_MAX
    const isOwnFull = asker !== 'own' && isShareFull
    const isFull = this.#all.stores >= STORES_UNDER_WAY_MAX || this.#all.bytes + bytes > STORE_BYTES_UNDER_WAY_MAX
    if (isOwnFull || isFull) {
      this.#refused.inc({ share: isOwnFull ? 'asker' : 'all' })
      return undefined
    }
    this.#byAsker.set(asker, own)
    for (const load of [own, this.#all]) {
      load.stores++
      load.bytes += bytes
    }
    return () => {
      for (const load of [own, this.#all]) {
        load.stores--
        load.bytes -= bytes
      }
      if (own.stores === 0) this.#byAsker.delete(asker)
    }
  }
}
