import type { Table } from '../core/index.ts'

/** Rows kept unless told otherwise; past it the oldest is forgotten. */
const ROWS_MAX = 65_536

/**
 * A table that lives as long as its process, for readers that keep nothing: bounded, and durable in no way.
 * @dev Warning: nothing that must survive a crash may stand here; a signing guard least of all.
 */
export function memoryTable(rowsMax = ROWS_MAX): Table {
  const rows = new Map<string, readonly [Uint8Array, Uint8Array]>()
  const nameOf = (key: Uint8Array) => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex')
  return {
    get: (key) => rows.get(nameOf(key))?.[1],
    async write(writes) {
      for (const [key, value] of writes) {
        const name = nameOf(key)
        rows.delete(name)
        if (value !== undefined) rows.set(name, [key.slice(), value.slice()])
      }
      for (const name of rows.keys()) {
        if (rows.size <= rowsMax) break
        rows.delete(name)
      }
    },
    *range(start, end) {
      const [from, to] = [nameOf(start), nameOf(end)]
      for (const name of [...rows.keys()].filter((one) => one >= from && one < to).sort()) {
        const row = rows.get(name)
        if (row !== undefined) yield row
      }
    },
  }
}
