import { WIDEN_BY } from '../constants.ts'
import type { ReplicaSets } from '../interface.ts'

/**
 * Counts the answers of one read. No I/O. Only a verified record counts: that a replica has nothing is unsigned and
 * proves nothing. When the members did not give enough, the read widens by two, once.
 */
export class ReadTally {
  readonly #sets: readonly (readonly number[])[]
  readonly #members: readonly number[]
  readonly #standIns: readonly number[]
  readonly #quorum: number
  readonly #waiting = new Set<number>()
  readonly #verified = new Set<number>()
  #widened = false

  /** @param quorum W of the stores it must meet: R - W + 1 answers of each set do */
  constructor({ sets, members, standIns }: ReplicaSets, quorum: number) {
    this.#sets = sets
    this.#members = members
    this.#standIns = standIns
    this.#quorum = quorum
  }

  /** Whom to ask first. */
  start(): readonly number[] {
    for (const stakeId of this.#members) this.#waiting.add(stakeId)
    return this.#members
  }

  /**
   * A replica answered.
   * @param isVerified whether it gave a verified record
   * @returns whom else to ask
   */
  answered(stakeId: number, isVerified: boolean): readonly number[] {
    this.#waiting.delete(stakeId)
    if (isVerified) this.#verified.add(stakeId)
    if (this.hasQuorum || this.#waiting.size > 0 || this.#widened) return []
    this.#widened = true
    const further = this.#standIns.slice(0, WIDEN_BY)
    for (const next of further) this.#waiting.add(next)
    return further
  }

  get verified(): number {
    return this.#verified.size
  }

  get asked(): number {
    return this.#members.length + (this.#widened ? Math.min(WIDEN_BY, this.#standIns.length) : 0)
  }

  /** Whether enough of each set answered that no acknowledged store was missed. */
  get hasQuorum(): boolean {
    return (
      this.#sets.length > 0 &&
      this.#sets.every((set) => set.filter((stakeId) => this.#verified.has(stakeId)).length >= this.needed(set))
    )
  }

  get isOver(): boolean {
    return this.#waiting.size === 0
  }

  /** R - W + 1 of a set. */
  needed(set: readonly number[]): number {
    return Math.max(1, set.length - this.#quorum + 1)
  }
}
