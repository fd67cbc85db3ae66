import type { ConditionalTable, Expected } from '../conditional-table.ts'
import { guardDisplaced } from '../errors.ts'
import type { GuardRows, Write } from './guard-rows.ts'

/**
 * The durable writes of one guard, each with a number one above the last. A write goes through only while the number
 * in the table is that of this guard's write before it: of two guards on one table, whatever their locks and mirrors
 * say, only one goes on.
 */
export class NumberedWrites {
  readonly #table: ConditionalTable
  readonly #rows: GuardRows
  readonly #unsettled = new Set<Promise<void>>()
  #last: Expected
  #sequence: number

  /** @param atLeast number of the newest write that the mirror knows */
  constructor(table: ConditionalTable, rows: GuardRows, atLeast: number) {
    this.#table = table
    this.#rows = rows
    this.#last = rows.sequenceRow()
    this.#sequence = Math.max(rows.readSequence(), atLeast)
  }

  /**
   * Makes `writes` durable, then calls `onFlushed` with their number.
   * @throws SuprnovaError `GUARD_DISPLACED` when somebody else wrote since, `STORE_FULL`; nothing is written then
   */
  async write(writes: readonly Write[], onFlushed: (sequence: number) => void): Promise<void> {
    const written = this.#write(writes, onFlushed)
    this.#unsettled.add(written)
    try {
      await written
    } finally {
      this.#unsettled.delete(written)
    }
  }

  /** Resolves when nothing is being written, whether it could be or not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#unsettled)
  }

  async #write(writes: readonly Write[], onFlushed: (sequence: number) => void): Promise<void> {
    // Before anything is counted: a write that was never begun leaves no gap.
    this.#table.checkRoom?.()
    const sequence = ++this.#sequence
    const before = this.#last
    const number = this.#rows.writeSequence(sequence)
    this.#last = number
    if (!(await this.#table.writeIf([before], [...writes, number]))) throw guardDisplaced()
    onFlushed(sequence)
  }
}
