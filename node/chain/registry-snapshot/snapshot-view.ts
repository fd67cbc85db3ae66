import type { Address, Head, KeyTenure, StakeRow, StakeView } from '../../core/index.ts'
import { canSpeak } from '../stake-view/reducer.ts'
import type { RegistrySnapshot } from './registry-snapshot.ts'

/**
 * The registry as a snapshot has it, for a reader that follows no chain. It may be replaced by a newer one; nothing in it
 * changes by itself, so what happened after its block, a tombstone too, is not known here.
 */
export class SnapshotView implements StakeView {
  #snapshot: RegistrySnapshot
  #keys = new Map<Address, KeyTenure>()
  #tenures = new Map<number, KeyTenure[]>()
  readonly #listeners = new Set<(stakeIds: readonly number[]) => void>()
  readonly #nowMs: () => number

  constructor(snapshot: RegistrySnapshot, options: { readonly nowMs: () => number }) {
    this.#snapshot = snapshot
    this.#nowMs = options.nowMs
    this.#index()
  }

  get snapshot(): RegistrySnapshot {
    return this.#snapshot
  }

  /** Takes a newer snapshot of the same registry. */
  replace(snapshot: RegistrySnapshot): void {
    this.#snapshot = snapshot
    this.#index()
    const changed = snapshot.stakes.map(({ stakeId }) => stakeId)
    for (const listener of this.#listeners) listener(changed)
  }

  /** Whether the replica table of an epoch is the one that nodes have. */
  isExact(epoch: number): boolean {
    return epoch <= this.#snapshot.exactThroughEpoch
  }

  head(): Head {
    const { hash, number, timestamp } = this.#snapshot.block
    return { number: BigInt(number), hash, timestamp, seenAtMs: this.#nowMs() }
  }

  key(address: Address): KeyTenure | undefined {
    return this.#keys.get(address)
  }

  stake(stakeId: number): StakeRow | undefined {
    return this.#snapshot.stakes[stakeId - 1]
  }

  maySpeak(stakeId: number): boolean {
    const row = this.stake(stakeId)
    return row !== undefined && canSpeak(row)
  }

  *speakers(): Iterable<StakeRow> {
    for (const row of this.#snapshot.stakes) if (canSpeak(row)) yield row
  }

  keyAt(stakeId: number, epoch: number): KeyTenure | undefined {
    return this.#tenures.get(stakeId)?.find(({ fromEpoch, untilEpoch }) => fromEpoch <= epoch && epoch < untilEpoch)
  }

  /** The stakes that had a place at a time; before what is known, the oldest that is. */
  atTime(unixSeconds: number): { stakes(): Iterable<StakeRow> } {
    const { block, placed, stakes } = this.#snapshot
    if (unixSeconds > block.timestamp) return { stakes: () => stakes }
    const known = placed.findLast(({ fromSeconds }) => fromSeconds <= unixSeconds) ?? placed[0]
    if (known === undefined) return { stakes: () => stakes }
    // A placement never changes, and to be listed is to have been free to speak then.
    const rows = known.stakeIds.flatMap((stakeId) => {
      const row = this.stake(stakeId)
      return row === undefined ? [] : [{ ...row, status: 'active' as const, jailedUntil: 0, tombstoned: false }]
    })
    return { stakes: () => rows }
  }

  onChange(listener: (stakeIds: readonly number[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #index(): void {
    this.#keys = new Map(this.#snapshot.keys.map((key) => [key.address, key]))
    this.#tenures = Map.groupBy(this.#snapshot.keys, ({ stakeId }) => stakeId)
  }
}
