import type { Table } from '../core/index.ts'

/** A row as it must be: its bytes, or `undefined` where there must be none. */
export type Expected = readonly [key: Uint8Array, value: Uint8Array | undefined]

/** A table that can look and write in one transaction, against other processes too. */
export interface ConditionalTable extends Table {
  /**
   * Says at once whether rows may be added now, in the same turn of the event loop.
   * @throws SuprnovaError `STORE_FULL`
   */
  checkRoom?(): void
  /**
   * As `write`, but only if every row of `expected` is as given when the writes are applied. Calls are applied in the
   * order they were made.
   * @returns false when a row was not, and nothing was written
   */
  writeIf(expected: readonly Expected[], ...[writes]: Parameters<Table['write']>): Promise<boolean>
}
