import type { RefusalReason, ReplicaFailure } from '../errors.ts'
import type { ReplicaSets } from '../interface.ts'

/** What to do next. */
export interface StoreStep {
  /** Whom to ask now, and whether to stand in. */
  readonly ask: readonly { readonly stakeId: number; readonly standIn: boolean }[]
}

const NOTHING: StoreStep = { ask: [] }

/** Refusals for what the record is: whoever stands in would say the same. */
const OF_THE_RECORD: ReadonlySet<string> = new Set([
  'superseded',
  'invalid',
  'undecodable',
  'window',
  'conflict',
  'unsupported',
] satisfies (RefusalReason | 'superseded')[])

/**
 * Counts the receipts of one store. No I/O: told what happened, it says whom to ask next and whether enough came. A
 * replica that is away is stood in for by the next closest, once each.
 */
export class StoreTally {
  readonly #sets: readonly (readonly number[])[]
  readonly #members: readonly number[]
  readonly #standInsLeft: number[]
  readonly #quorum: number
  readonly #waiting = new Set<number>()
  readonly #receipts = new Set<number>()
  readonly failures: ReplicaFailure[] = []

  /** @param quorum W: verified receipts needed in each set */
  constructor({ sets, members, standIns }: ReplicaSets, quorum: number) {
    this.#sets = sets
    this.#members = members
    this.#standInsLeft = [...standIns]
    this.#quorum = quorum
  }

  start(): StoreStep {
    for (const stakeId of this.#members) this.#waiting.add(stakeId)
    return { ask: this.#members.map((stakeId) => ({ stakeId, standIn: false })) }
  }

  /** A verified receipt came. */
  receipt(stakeId: number): StoreStep {
    this.#waiting.delete(stakeId)
    this.#receipts.add(stakeId)
    return NOTHING
  }

  /** A replica gave none, or a lie. */
  failed(failure: ReplicaFailure): StoreStep {
    this.#waiting.delete(failure.stakeId)
    this.failures.push(failure)
    if (OF_THE_RECORD.has(failure.reason)) return NOTHING
    const next = this.#standInsLeft.shift()
    if (next === undefined) return NOTHING
    this.#waiting.add(next)
    return { ask: [{ stakeId: next, standIn: true }] }
  }

  /** Receipts needed in the set that needs most. */
  get needed(): number {
    return Math.max(1, ...this.#sets.map((set) => this.#neededOf(set)))
  }

  /** Receipts in the set that has fewest. */
  get got(): number {
    return this.#sets.length === 0 ? 0 : Math.min(...this.#sets.map((set) => this.#gotOf(set)))
  }

  /** Whether each set has its quorum. */
  get isDone(): boolean {
    return this.#sets.length > 0 && this.#sets.every((set) => this.#gotOf(set) >= this.#neededOf(set))
  }

  /** Whether nobody is left to wait for. */
  get isOver(): boolean {
    return this.#waiting.size === 0
  }

  /** Whether no proper replica gave a receipt: only stand-ins hold the record. */
  get isDegraded(): boolean {
    return !this.#members.some((stakeId) => this.#receipts.has(stakeId))
  }

  #neededOf(set: readonly number[]): number {
    return Math.min(this.#quorum, set.length)
  }

  /** Receipts of the set, and of stand-ins in its members' place. */
  #gotOf(set: readonly number[]): number {
    let got = 0
    for (const stakeId of this.#receipts) if (set.includes(stakeId) || !this.#members.includes(stakeId)) got++
    return got
  }
}
