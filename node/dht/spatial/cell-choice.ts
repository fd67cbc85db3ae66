import { WIDEN_BY } from '../constants.ts'
import type { ReplicaSets } from '../interface.ts'

interface Wanted {
  readonly sets: ReplicaSets
  /** Answers that each of the sets must give. */
  readonly needs: readonly number[]
  readonly answered: Set<number>
  readonly asked: Set<number>
  readonly failed: Set<number>
}

/**
 * Chooses the replicas that answer for many cells at once: few, so that one request asks for several. No I/O.
 * Every cell needs so many answers of each of its sets; those that failed are made up for by others, and when the
 * members are used up by two stand-ins, which help to find entries and complete no quorum.
 */
export class CellChoice {
  readonly #cells: readonly Wanted[]
  readonly #preferred: (stakeId: number) => number

  /**
   * @param answersOf how many answers a set of so many must give
   * @param preferred which of two replicas that answer equally many cells is asked: the one with the larger number
   */
  constructor(
    sets: readonly ReplicaSets[],
    answersOf: (size: number) => number,
    preferred: (stakeId: number) => number,
  ) {
    this.#preferred = preferred
    this.#cells = sets.map((of) => ({
      sets: of,
      needs: of.sets.map(({ length }) => Math.min(length, answersOf(length))),
      answered: new Set<number>(),
      asked: new Set<number>(),
      failed: new Set<number>(),
    }))
  }

  /**
   * Whom to ask next for what, so that all needs are met if all answer.
   * @param pending replicas that were asked and have not answered count as if they will; false to ask the other members
   * @returns cell numbers by stake; empty when nobody is left to ask or nothing is missing
   */
  next(pending = true): ReadonlyMap<number, readonly number[]> {
    const chosen = new Map<number, number[]>()
    for (;;) {
      const gains = new Map<number, number[]>()
      for (const [index, cell] of this.#cells.entries()) {
        for (const stakeId of this.#useful(cell, pending)) {
          const gain = gains.get(stakeId)
          if (gain === undefined) gains.set(stakeId, [index])
          else gain.push(index)
        }
      }
      let best: number | undefined
      for (const [stakeId, cells] of gains) {
        const most = best === undefined ? 0 : (gains.get(best)?.length ?? 0)
        const isBetter = cells.length > most
        const isPreferred = cells.length === most && this.#preferred(stakeId) > this.#preferred(best as number)
        if (isBetter || isPreferred) best = stakeId
      }
      if (best === undefined) return chosen
      const cells = gains.get(best) ?? []
      for (const index of cells) this.#cells[index]?.asked.add(best)
      chosen.set(best, [...(chosen.get(best) ?? []), ...cells])
    }
  }

  answered(stakeId: number, cell: number): void {
    this.#cells[cell]?.answered.add(stakeId)
  }

  failed(stakeId: number, cell: number): void {
    this.#cells[cell]?.failed.add(stakeId)
  }

  hasQuorum(cell: number): boolean {
    const wanted = this.#cells[cell]
    if (wanted === undefined || wanted.sets.sets.length === 0) return false
    return wanted.sets.sets.every((set, i) => count(set, wanted.answered) >= (wanted.needs[i] ?? 0))
  }

  get isDone(): boolean {
    return this.#cells.every((_, index) => this.hasQuorum(index))
  }

  /** Replicas not asked yet whose answer would meet a need of the cell. */
  #useful(cell: Wanted, pending: boolean): number[] {
    const counted = pending ? new Set([...cell.asked].filter((stakeId) => !cell.failed.has(stakeId))) : cell.answered
    const useful = new Set<number>()
    let isShort = false
    for (const [i, set] of cell.sets.sets.entries()) {
      if (count(set, counted) >= (cell.needs[i] ?? 0)) continue
      const fresh = set.filter((stakeId) => !cell.asked.has(stakeId))
      if (fresh.length === 0) isShort = true
      for (const stakeId of fresh) useful.add(stakeId)
    }
    if (useful.size > 0 || !isShort || !pending) return [...useful]
    const standIns = cell.sets.standIns.slice(0, WIDEN_BY)
    return standIns.filter((stakeId) => !cell.asked.has(stakeId))
  }
}

function count(set: readonly number[], of: ReadonlySet<number>): number {
  return set.reduce((sum, stakeId) => sum + (of.has(stakeId) ? 1 : 0), 0)
}
