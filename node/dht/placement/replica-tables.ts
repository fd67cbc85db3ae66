import { fromHex, type StakeRow } from '../../core/index.ts'
import { STAND_INS, TABLES_KEPT } from '../constants.ts'
import type { ReplicaSets, ReplicaTable, ReplicaTables } from '../interface.ts'
import { type Placed, SortedReplicaTable } from './replica-table.ts'

/** The registry as it stood at a time. `ChainStakeView` is one. */
export interface RegistryHistory {
  atTime(unixSeconds: number): { stakes(): Iterable<StakeRow> } | undefined
  /** The newest block seen. */
  head(): { readonly timestamp: number } | undefined
}

export interface ReplicaTablesOptions {
  readonly epochSeconds: number
  /** How long before its epoch begins a table is taken, so that every node has the blocks. */
  readonly lagSeconds: number
}

/**
 * The table of epoch e is the registry at the end of the newest block older than start(e) - lag: old enough to be final
 * and known to all, so that nodes agree on replica sets without a word.
 */
export class LaggingReplicaTables implements ReplicaTables {
  readonly #options: ReplicaTablesOptions
  readonly #history: RegistryHistory
  readonly #tables = new Map<number, SortedReplicaTable>()
  /** What serves while the chain has not come so far, by epoch, and the head it was taken at. */
  readonly #early = new Map<number, { readonly headSeconds: number; readonly table: SortedReplicaTable }>()
  readonly #changed = new Map<number, boolean>()

  constructor(options: ReplicaTablesOptions, history: RegistryHistory) {
    this.#options = options
    this.#history = history
  }

  table(epoch: number): ReplicaTable | undefined {
    return this.#table(epoch)
  }

  setsOf(key: Uint8Array, epoch: number, replicas: number): ReplicaSets {
    const table = this.#table(epoch)
    if (table === undefined) return { sets: [], members: [], standIns: [] }
    const near = table.closest(key, replicas + STAND_INS)
    const current = near.slice(0, replicas)
    const before = this.changed(epoch) ? (this.#table(epoch - 1)?.closest(key, replicas) ?? current) : current
    const isSame = before.length === current.length && before.every((stakeId) => current.includes(stakeId))
    const sets = isSame || before.length === 0 ? [current] : [current, before]
    const members = [...new Set(sets.flat())]
    return { sets, members, standIns: near.slice(replicas).filter((stakeId) => !members.includes(stakeId)) }
  }

  changed(epoch: number): boolean {
    const known = this.#changed.get(epoch)
    if (known !== undefined) return known
    const table = this.#table(epoch)
    const before = this.#table(epoch - 1)
    if (table === undefined || before === undefined) return false
    const changed = !table.equals(before)
    if (this.#tables.has(epoch) && this.#tables.has(epoch - 1)) this.#changed.set(epoch, changed)
    return changed
  }

  /** Forgets what was computed: after a reorg deeper than the lag, or a registry read anew. */
  reset(): void {
    this.#tables.clear()
    this.#early.clear()
    this.#changed.clear()
  }

  #table(epoch: number): SortedReplicaTable | undefined {
    const known = this.#tables.get(epoch)
    if (known !== undefined) return known
    const { epochSeconds, lagSeconds } = this.#options
    const cutOff = epoch * epochSeconds - lagSeconds
    // While the chain has not come so far, what is known serves, and is looked up anew with each head: a chain that is
    // silent must not cost a table a question.
    const headSeconds = this.#history.head()?.timestamp ?? 0
    const early = this.#early.get(epoch)
    if (early?.headSeconds === headSeconds) return early.table
    const registry = this.#history.atTime(cutOff)
    if (registry === undefined) return undefined
    const table = new SortedReplicaTable(epoch, placedOf(registry.stakes()))
    if (headSeconds < cutOff) {
      this.#early.set(epoch, { headSeconds, table })
      if (this.#early.size > TABLES_KEPT) this.#early.delete(this.#early.keys().next().value as number)
      return table
    }
    this.#early.delete(epoch)
    this.#tables.set(epoch, table)
    for (const old of [...this.#tables.keys()].sort((a, b) => b - a).slice(TABLES_KEPT)) {
      this.#tables.delete(old)
      this.#changed.delete(old)
    }
    return table
  }
}

/** Only stakes that may speak are replicas: active, out of jail, not tombstoned. */
function* placedOf(stakes: Iterable<StakeRow>): Iterable<Placed> {
  for (const { stakeId, status, placement, jailedUntil, tombstoned } of stakes) {
    if (status !== 'active' || placement === undefined || jailedUntil !== 0 || tombstoned) continue
    yield { stakeId, placement: fromHex(placement) }
  }
}
