import { type Address, type KeyTenure, type ProtocolParams, type StakeRow, toHex } from '../../core/index.ts'
import { epochAt } from '../../statements/index.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The registry at the end of a block. */
export interface SimulatedBlock {
  /** Unix seconds. */
  readonly timestamp: number
  readonly stakes: ReadonlyMap<number, StakeRow>
  readonly keys: ReadonlyMap<Address, KeyTenure>
  readonly changed: readonly number[]
}

/** Of every block: nobody here asks a block what stood in it. */
export const SIMULATED_BLOCK_HASH = `0x${'00'.repeat(32)}` as const

const BLOCK_SECONDS = 1
/** A rotation takes effect this many epochs ahead. */
const ROTATION_EPOCHS = 2

/** The registry of stakes, a block a second. What is asked for now stands in the next block. */
export class SimulatedChain {
  readonly #params: ProtocolParams
  readonly #time: VirtualTime
  readonly #blocks: SimulatedBlock[]
  readonly #listeners = new Set<(block: SimulatedBlock) => void>()

  constructor(params: ProtocolParams, time: VirtualTime) {
    this.#params = params
    this.#time = time
    this.#blocks = [{ timestamp: 0, stakes: new Map(), keys: new Map(), changed: [] }]
  }

  /** Unix seconds of the newest block. */
  get timestamp(): number {
    return Math.floor(this.#time.nowMs() / 1_000 / BLOCK_SECONDS) * BLOCK_SECONDS
  }

  /** The newest block with a change at or before `unixSeconds`. */
  atOrBefore(unixSeconds: number): SimulatedBlock {
    let low = 0
    let high = this.#blocks.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((this.#blocks[middle] as SimulatedBlock).timestamp <= unixSeconds) low = middle
      else high = middle
    }
    return this.#blocks[low] as SimulatedBlock
  }

  /** The tenure of a key as the newest block has it. */
  newestKey(address: Address): KeyTenure | undefined {
    return this.#newest().keys.get(address)
  }

  /** Whether a stake has a key in that epoch, as the newest block has it: a registration may be undone and stand later. */
  hasKeyAt(stakeId: number, epoch: number): boolean {
    for (const { fromEpoch, stakeId: of, untilEpoch } of this.#newest().keys.values()) {
      if (of === stakeId && fromEpoch <= epoch && epoch < untilEpoch) return true
    }
    return false
  }

  newestStake(stakeId: number): StakeRow | undefined {
    return this.#newest().stakes.get(stakeId)
  }

  /** Ids of all stakes, as the newest block has them. */
  stakeIds(): readonly number[] {
    return [...this.#newest().stakes.keys()]
  }

  /**
   * Undoes the blocks of the last `depthSeconds`; what stood in them stands in the next block, as when transactions are
   * mined again. A rotation then counts from there.
   */
  reorg(depthSeconds: number): void {
    const from = this.timestamp - depthSeconds
    const undone: SimulatedBlock[] = []
    while (this.#blocks.length > 1 && this.#newest().timestamp > from)
      undone.unshift(this.#blocks.pop() as SimulatedBlock)
    for (const block of undone) {
      const { epochSeconds } = this.#params
      const before = this.#newest()
      const later = epochAt(this.#nextTimestamp(), epochSeconds) - epochAt(block.timestamp, epochSeconds)
      for (const stakeId of block.changed) {
        const tenures = [...block.keys.values()].filter((tenure) => tenure.stakeId === stakeId)
        const changed = tenures.filter((tenure) => before.keys.get(tenure.address) !== tenure)
        this.#change(
          stakeId,
          block.stakes.get(stakeId) as StakeRow,
          changed.map((tenure) => ({
            ...tenure,
            fromEpoch: before.keys.has(tenure.address) ? tenure.fromEpoch : tenure.fromEpoch + later,
            untilEpoch: tenure.untilEpoch + later,
          })),
        )
      }
    }
  }

  /** Calls `listener` with every block that changes something, as soon as it is known that it will be. */
  onBlock(listener: (block: SimulatedBlock) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Stakes that are there from the beginning. */
  genesis(
    stakes: readonly { readonly key: Pick<KeyTenure, 'address' | 'publicKey'>; readonly placement: Uint8Array }[],
  ) {
    const rows = new Map<number, StakeRow>()
    const keys = new Map<Address, KeyTenure>()
    for (const [index, { key, placement }] of stakes.entries()) {
      const stakeId = index + 1
      rows.set(stakeId, rowOf(stakeId, key.address, placement))
      keys.set(key.address, { ...key, stakeId, fromEpoch: 0, untilEpoch: Number.POSITIVE_INFINITY })
    }
    this.#blocks[0] = { timestamp: 0, stakes: rows, keys, changed: [] }
  }

  /** A new active stake. @returns its id */
  register(key: Pick<KeyTenure, 'address' | 'publicKey'>, placement: Uint8Array): number {
    const { stakes } = this.#newest()
    const stakeId = Math.max(0, ...stakes.keys()) + 1
    const fromEpoch = epochAt(this.#nextTimestamp(), this.#params.epochSeconds)
    const tenure = { ...key, stakeId, fromEpoch, untilEpoch: Number.POSITIVE_INFINITY }
    this.#change(stakeId, rowOf(stakeId, key.address, placement), [tenure])
    return stakeId
  }

  unbond(stakeId: number): void {
    const readyAt = this.#nextTimestamp() + this.#params.unbondingSeconds
    this.#change(stakeId, { ...this.#row(stakeId), status: 'unbonding', readyAt })
  }

  jail(stakeId: number): void {
    this.#change(stakeId, {
      ...this.#row(stakeId),
      jailedUntil: this.#nextTimestamp() + this.#params.jailSeconds,
    })
  }

  unjail(stakeId: number): void {
    this.#change(stakeId, { ...this.#row(stakeId), jailedUntil: 0 })
  }

  tombstone(stakeId: number): void {
    this.#change(stakeId, { ...this.#row(stakeId), tombstoned: true })
  }

  /** @returns the first epoch of the new key */
  rotate(stakeId: number, key: Pick<KeyTenure, 'address' | 'publicKey'>): number {
    const fromEpoch = epochAt(this.#nextTimestamp(), this.#params.epochSeconds) + ROTATION_EPOCHS
    const old = [...this.#newest().keys.values()].find(
      (tenure) => tenure.stakeId === stakeId && tenure.untilEpoch === Number.POSITIVE_INFINITY,
    )
    const retired = old === undefined ? [] : [{ ...old, untilEpoch: fromEpoch }]
    const fresh = { ...key, stakeId, fromEpoch, untilEpoch: Number.POSITIVE_INFINITY }
    this.#change(stakeId, this.#row(stakeId), [...retired, fresh])
    return fromEpoch
  }

  #newest(): SimulatedBlock {
    return this.#blocks.at(-1) as SimulatedBlock
  }

  #row(stakeId: number): StakeRow {
    const row = this.#newest().stakes.get(stakeId)
    if (row === undefined) throw new RangeError(`simulated chain: no stake ${stakeId}`)
    return row
  }

  #nextTimestamp(): number {
    return this.timestamp + BLOCK_SECONDS
  }

  #change(stakeId: number, row: StakeRow, tenures: readonly KeyTenure[] = []): void {
    const timestamp = this.#nextTimestamp()
    const before = this.#newest()
    const stakes = new Map(before.stakes).set(stakeId, row)
    const keys = new Map(before.keys)
    for (const tenure of tenures) keys.set(tenure.address, tenure)
    const isSameBlock = before.timestamp === timestamp
    const block = { timestamp, stakes, keys, changed: [...(isSameBlock ? before.changed : []), stakeId] }
    if (isSameBlock) this.#blocks.pop()
    this.#blocks.push(block)
    for (const listener of this.#listeners) listener(block)
  }
}

function rowOf(stakeId: number, operator: Address, placement: Uint8Array): StakeRow {
  return {
    stakeId,
    operator,
    status: 'active',
    amountWei: 10n ** 21n,
    placement: toHex(placement),
    jailedUntil: 0,
    tombstoned: false,
    readyAt: 0,
  }
}
