import { randomBytes } from 'node:crypto'
import type { Clock, Random, Timers } from '../core/index.ts'

/** This machine's clock. Rooms below never read it themselves. */
export const systemClock: Clock = { nowMs: () => Date.now() }

/** The operating system's randomness. */
export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

/**
 * Real timers. Each keeps the process alive until it ran or was cancelled: somebody waits for it. No delay at all means
 * the end of this turn of the event loop; `setTimeout` would wait a millisecond.
 */
export const systemTimers: Timers = {
  after(delayMs, run) {
    if (delayMs <= 0) {
      const immediate = setImmediate(run)
      return () => clearImmediate(immediate)
    }
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
