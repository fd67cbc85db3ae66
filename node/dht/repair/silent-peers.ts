import { AWAY_AFTER_FAILURES, SILENT_PEERS_MAX } from './constants.ts'

/** Which replicas did not answer, and for how many phases in a row. */
export class SilentPeers {
  readonly #failures = new Map<number, { readonly count: number; readonly phase: number }>()

  get size(): number {
    return this.#failures.size
  }

  /** Counted once a phase. */
  failed(stakeId: number, phase: number): void {
    const before = this.#failures.get(stakeId)
    if (before?.phase === phase) return
    this.#failures.delete(stakeId)
    this.#failures.set(stakeId, { count: (before?.count ?? 0) + 1, phase })
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= SILENT_PEERS_MAX) break
      this.#failures.delete(oldest)
    }
  }

  answered(stakeId: number): void {
    this.#failures.delete(stakeId)
  }

  /** Those silent for so long that somebody stands in for them. */
  away(): ReadonlySet<number> {
    const away = new Set<number>()
    for (const [stakeId, { count }] of this.#failures) if (count >= AWAY_AFTER_FAILURES) away.add(stakeId)
    return away
  }
}
