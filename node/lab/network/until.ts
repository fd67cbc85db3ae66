import { setTimeout as pause } from 'node:timers/promises'
import { EXIT, SuprnovaError } from '../../core/index.ts'

const LOOK_EVERY_MS = 100

/**
 * Looks again and again until `look` gives something.
 * @param what in words, for the error: "node 3 has 4 peers"
 * @throws SuprnovaError `LAB_TIMEOUT` when it does not within `withinMs`; whatever `look` throws, at once
 */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > deadline) {
      throw new SuprnovaError('LAB_TIMEOUT', `waited ${withinMs / 1000} s in vain: ${what}`, {
        exitCode: EXIT.internal,
        hint: 'is this machine very busy? the logs of the nodes are shown above',
        values: { what, withinMs },
      })
    }
    await pause(LOOK_EVERY_MS)
  }
}
