import type { Address, KeyTenure } from '../../core/index.ts'
import { MAX_TRAIL_BLOCKS } from '../constants.ts'
import { ChainError } from '../errors.ts'
import type { BlockRef, StakeEvent } from './event.ts'
import { PackedStakeTables } from './packed-tables.ts'
import { type ChainKey, type ChainStake, reduceStakes, type TableChange } from './reducer.ts'

/** A block the ledger went through, with what takes it back, in the order to take it back in. */
export interface LedgerBlock extends BlockRef {
  readonly undo: readonly TableChange[]
}

/** The registry as it stood at the end of a past block. */
export interface HistoricView {
  readonly number: number
  stake(stakeId: number): ChainStake | undefined
  key(address: Address): ChainKey | undefined
  keyAt(stakeId: number, epoch: number): KeyTenure | undefined
  stakes(): Iterable<ChainStake>
}

/**
 * The registry's state after a chain of blocks, able to go back. No I/O: the same blocks give the same state,
 * whatever reorgs lie between.
 */
export class StakeLedger {
  readonly tables: PackedStakeTables
  #blocks: LedgerBlock[]
  #completeFrom: number | undefined

  constructor(tables = new PackedStakeTables(), blocks: readonly LedgerBlock[] = [], completeFrom?: number) {
    this.tables = tables
    this.#blocks = [...blocks]
    this.#completeFrom = completeFrom
  }

  /** The oldest block that {@link at} can show. */
  get completeFrom(): number | undefined {
    return this.#completeFrom
  }

  /** The newest block applied. */
  get tip(): BlockRef | undefined {
    return this.#blocks.at(-1)
  }

  /** Blocks the ledger can go back to, oldest first. */
  get blocks(): readonly LedgerBlock[] {
    return this.#blocks
  }

  /**
   * Goes on to `block`. Blocks without events may be left out.
   * @returns ids of the stakes it changed
   * @throws {ChainError} `CHAIN_LOGS_INCOMPLETE`, with the ledger as it was before
   */
  apply(block: BlockRef, events: readonly StakeEvent[]): number[] {
    const tip = this.tip
    if (tip !== undefined && block.number <= tip.number) {
      throw new RangeError(`block ${block.number} does not follow block ${tip.number}`)
    }
    const undo: TableChange[] = []
    try {
      for (const event of events) {
        for (const change of reduceStakes(this.tables, event, block.number)) undo.unshift(this.tables.apply(change))
      }
    } catch (error) {
      for (const change of undo) this.tables.apply(change)
      throw error
    }
    this.#completeFrom ??= block.number
    this.#blocks.push({ number: block.number, hash: block.hash, timestamp: block.timestamp, undo })
    return [...new Set(events.map((event) => event.stakeId))]
  }

  /** Takes the newest block back. Returns ids of the stakes it changed. */
  undo(): number[] {
    const block = this.#blocks.pop()
    if (block === undefined) throw new RangeError('no block is left to take back')
    for (const change of block.undo) this.tables.apply(change)
    return stakesOf(block.undo)
  }

  /**
   * Forgets how to go back past blocks before `timestamp` (unix seconds), and of blocks without events all but the newest
   * {@link MAX_TRAIL_BLOCKS}. The tip always stays.
   */
  forgetBefore(timestamp: number): void {
    const firstOfTrail = this.#blocks.length - MAX_TRAIL_BLOCKS
    const tip = this.tip
    this.#blocks = this.#blocks.filter((block, index) => {
      if (block === tip || index >= firstOfTrail) return true
      if (block.undo.length === 0) return false
      if (block.timestamp >= timestamp) return true
      this.#completeFrom = block.number
      return false
    })
  }

  /**
   * The registry at the end of block `number`.
   * @throws {ChainError} `CHAIN_HISTORY_FORGOTTEN` before what is kept, `CHAIN_BLOCK_UNKNOWN` past the tip
   */
  at(number: number): HistoricView {
    const tip = this.tip
    if (tip === undefined || number > tip.number) {
      throw new ChainError(
        'CHAIN_BLOCK_UNKNOWN',
        `block ${number} is past the newest one seen (${tip?.number ?? 'none'})`,
        {
          values: { number, newest: tip?.number },
        },
      )
    }
    const oldest = this.#completeFrom ?? tip.number
    if (number < oldest) {
      throw new ChainError(
        'CHAIN_HISTORY_FORGOTTEN',
        `block ${number} is older than what is kept (from ${oldest} on)`,
        {
          values: { number, oldest },
          hint: 'the view keeps one unbonding period',
        },
      )
    }
    const stakes = new Map<number, ChainStake | undefined>()
    const keys = new Map<Address, ChainKey | undefined>()
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index] as LedgerBlock
      if (block.number <= number) break
      for (const change of block.undo) {
        if (change.table === 'stake') stakes.set(change.stakeId, change.row)
        else keys.set(change.address, change.row)
      }
    }
    return overlay(number, this.tables, stakes, keys)
  }

  /**
   * The registry at the end of the newest block older than `unixSeconds`. Before what is kept it is the oldest that is.
   * @returns `undefined` while no block is known
   */
  atTime(unixSeconds: number): HistoricView | undefined {
    const tip = this.tip
    if (tip === undefined) return undefined
    let number = tip.number
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const block = this.#blocks[index] as LedgerBlock
      number = block.number
      if (block.timestamp < unixSeconds) break
      // Blocks without events are left out, so what came before this one is the state just under it.
      number = block.number - 1
    }
    return this.at(Math.max(number, this.#completeFrom ?? tip.number))
  }

  /** The tenure of `stakeId` that covers `epoch`. */
  keyAt(stakeId: number, epoch: number): ChainKey | undefined {
    return tenureAt(this.tables, stakeId, epoch)
  }
}

function stakesOf(changes: readonly TableChange[]): number[] {
  const ids = new Set<number>()
  for (const change of changes) {
    if (change.table === 'stake') ids.add(change.stakeId)
  }
  return [...ids]
}

function overlay(
  number: number,
  tables: PackedStakeTables,
  stakes: ReadonlyMap<number, ChainStake | undefined>,
  keys: ReadonlyMap<Address, ChainKey | undefined>,
): HistoricView {
  const view: HistoricView = {
    number,
    stake: (stakeId) => (stakes.has(stakeId) ? stakes.get(stakeId) : tables.stake(stakeId)),
    key: (address) => (keys.has(address) ? keys.get(address) : tables.key(address)),
    keyAt: (stakeId, epoch) => tenureAt(view, stakeId, epoch),
    *stakes() {
      for (let stakeId = 1; stakeId <= tables.stakeCount; stakeId++) {
        const row = view.stake(stakeId)
        if (row !== undefined) yield row
      }
    },
  }
  return view
}

function tenureAt(
  from: { stake(stakeId: number): ChainStake | undefined; key(address: Address): ChainKey | undefined },
  stakeId: number,
  epoch: number,
): ChainKey | undefined {
  let address = from.stake(stakeId)?.newestKey
  while (address !== undefined) {
    const tenure = from.key(address)
    if (tenure === undefined || epoch >= tenure.untilEpoch) return undefined
    if (epoch >= tenure.fromEpoch) return tenure
    address = tenure.previousKey
  }
  return undefined
}
