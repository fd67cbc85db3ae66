import type { Address, Head, KeyTenure, StakeRow, StakeView } from '../../core/index.ts'
import { SIMULATED_BLOCK_HASH, type SimulatedChain } from './simulated-chain.ts'
import type { Life } from './virtual-time.ts'

/** Follows from the keys of a block alone, so all nodes share it. */
const tenuresByStake = new WeakMap<object, Map<number, KeyTenure[]>>()

/** The chain as one node has it: some milliseconds behind, or stuck at a block while its RPC is away. */
export class SimulatedView implements StakeView {
  readonly #chain: SimulatedChain
  readonly #life: Life
  readonly #lagSeconds: number
  readonly #listeners = new Set<(stakeIds: readonly number[]) => void>()
  #stuckAt: { readonly seconds: number; readonly seenAtMs: number } | undefined

  constructor(chain: SimulatedChain, life: Life, { lagSeconds }: { readonly lagSeconds: number }) {
    this.#chain = chain
    this.#life = life
    this.#lagSeconds = lagSeconds
    const leave = chain.onBlock(({ timestamp, changed }) => {
      if (life.isOver) return leave()
      const inMs = (timestamp - chain.timestamp + lagSeconds + 1) * 1_000
      life.after(inMs, 'sees a block', () => {
        for (const listener of this.#listeners) listener(changed)
      })
    })
  }

  /** From now on no head comes, until `false`. */
  setStuck(isStuck: boolean): void {
    this.#stuckAt = isStuck ? { seconds: this.headSeconds, seenAtMs: this.#life.clock.nowMs() } : undefined
  }

  /** Unix seconds of the newest block seen. */
  get headSeconds(): number {
    return this.#stuckAt?.seconds ?? this.#chain.timestamp - this.#lagSeconds
  }

  head(): Head & { readonly timestamp: number } {
    const timestamp = this.headSeconds
    const seenAtMs = this.#stuckAt?.seenAtMs ?? this.#life.clock.nowMs()
    return { number: BigInt(timestamp), hash: SIMULATED_BLOCK_HASH, timestamp, seenAtMs }
  }

  /** The registry at the end of the newest block older than `unixSeconds`. */
  atTime(unixSeconds: number): { stakes(): Iterable<StakeRow> } {
    const { stakes } = this.#chain.atOrBefore(Math.min(unixSeconds - 1, this.headSeconds))
    return { stakes: () => stakes.values() }
  }

  key(address: Address): KeyTenure | undefined {
    return this.#block().keys.get(address)
  }

  stake(stakeId: number): StakeRow | undefined {
    return this.#block().stakes.get(stakeId)
  }

  maySpeak(stakeId: number): boolean {
    const row = this.stake(stakeId)
    return row !== undefined && isSpeaker(row)
  }

  *speakers(): Iterable<StakeRow> {
    for (const row of this.#block().stakes.values()) if (isSpeaker(row)) yield row
  }

  keyAt(stakeId: number, epoch: number): KeyTenure | undefined {
    const { keys } = this.#block()
    let byStake = tenuresByStake.get(keys)
    if (byStake === undefined) {
      byStake = new Map()
      for (const tenure of keys.values()) {
        byStake.set(tenure.stakeId, [...(byStake.get(tenure.stakeId) ?? []), tenure])
      }
      tenuresByStake.set(keys, byStake)
    }
    return byStake.get(stakeId)?.find(({ fromEpoch, untilEpoch }) => fromEpoch <= epoch && epoch < untilEpoch)
  }

  onChange(listener: (stakeIds: readonly number[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #block() {
    return this.#chain.atOrBefore(this.headSeconds)
  }
}

function isSpeaker({ status, jailedUntil, tombstoned }: StakeRow): boolean {
  return status === 'active' && jailedUntil === 0 && !tombstoned
}
