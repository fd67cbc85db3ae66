import type { Slot } from '../core/index.ts'
import { BoundedMap } from './bounded-map.ts'
import type { Frame } from './frame.ts'

type MeteredSlot = Pick<Slot, 'signer' | 'kind' | 'position'>

/**
 * Which leaves were accepted of statements that came in parts. A statement whose slot is known and that is not here
 * came whole, or was forgotten: none of its leaves is missing.
 */
export class LeavesSeen {
  readonly #seen: BoundedMap<string, Uint8Array>

  /** @param limit statements remembered; the oldest is forgotten first */
  constructor(limit: number) {
    this.#seen = new BoundedMap(limit)
  }

  get size(): number {
    return this.#seen.size
  }

  /** Whether `leaf` of a known statement was not accepted yet. */
  isMissing(slot: MeteredSlot, leaf: number): boolean {
    const seen = this.#seen.get(keyOf(slot))
    return seen !== undefined && seen[leaf] === 0
  }

  /** Notes the leaves of an accepted frame. */
  saw(slot: MeteredSlot, frame: Frame, maxBodies: number): void {
    const key = keyOf(slot)
    if (frame.whole) {
      this.#seen.delete(key)
      return
    }
    const seen = this.#seen.get(key) ?? new Uint8Array(maxBodies)
    for (const { leaf } of frame.bodies) seen[leaf] = 1
    this.#seen.set(key, seen)
  }
}

// Parts have paths, and only metered kinds do: the scope is zero.
function keyOf({ signer, kind, position }: MeteredSlot): string {
  return `${signer}:${kind}:${position}`
}
