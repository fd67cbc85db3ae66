import { join } from 'node:path'
import { type Database, open as openEnvironment, type RootDatabase } from 'lmdb'
import { equalBytes } from '../core/index.ts'
import type { ConditionalTable, Expected } from './conditional-table.ts'
import { STORE_MAX_BYTES, STORE_TABLES_MAX, TABLE_KEY_MAX_BYTES } from './constants.ts'
import { machineDisk, makeDirectory } from './disk.ts'
import { storeClosed, storeCorrupt, storeFull, storeWriteFailed } from './errors.ts'
import { checkLmdbFile } from './lmdb-file.ts'

/** Named tables in one directory, on LMDB. Writes of one turn of the event loop share one flush. */
export interface Store {
  /** The table of that name; the same one for the same name. Names are short and fixed by the program. */
  table(name: string): ConditionalTable
  /** Bytes of the file in use, and the bound. */
  stats(): { usedBytes: number; maxBytes: number }
  /** Resolves after everything written is flushed. */
  close(): Promise<void>
}

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const
type Binary = Database<Buffer, Uint8Array>
type Writes = readonly Expected[]

/**
 * Opens (or makes) the store in `directory`.
 *
 * `overlappingSync` is off on purpose: with it lmdb resolves a write when it is committed and flushes afterwards.
 * Without it LMDB flushes the pages, then writes its meta page through `O_DSYNC`, and only then is the write
 * resolved; `docs/signing-guard.md` shows the system calls.
 *
 * @throws SuprnovaError `STORE_CORRUPT` when the files there are not a whole store; nothing is lost by the attempt
 */
export async function openStore(directory: string, options: { maxBytes?: number } = {}): Promise<Store> {
  const maxBytes = options.maxBytes ?? STORE_MAX_BYTES
  await makeDirectory(directory)
  const path = join(directory, 'data.mdb')
  checkLmdbFile(path)
  const root = openRoot(directory, path)
  // LMDB flushes the file but never its name.
  await machineDisk.sync(path)
  await machineDisk.syncDirectory(directory)

  const tables = new Map<string, ConditionalTable>()
  let closed = false
  let usedBytes = readUsedBytes(root)

  function use<T>(action: () => T): T {
    if (closed) throw storeClosed(directory)
    try {
      return action()
    } catch (error) {
      throw isCorruption(error) ? storeCorrupt(path, (error as Error).message, error) : error
    }
  }

  function checkWrites(writes: Writes): void {
    if (closed) throw storeClosed(directory)
    for (const [key] of writes) checkKey(key)
    usedBytes = readUsedBytes(root)
    const adds = writes.some(([, value]) => value !== undefined)
    if (adds && usedBytes >= maxBytes) throw storeFull(directory, usedBytes, maxBytes)
  }

  async function committed<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw storeWriteFailed(directory, await commitCause(error))
    }
  }

  function openTable(name: string): ConditionalTable {
    const database = use(() =>
      root.openDB<Buffer, Uint8Array>({
        name,
        encoding: 'binary',
        keyEncoding: 'binary',
      }),
    ) as Binary
    return {
      get: (key) => use(() => database.get(key)),
      async write(writes) {
        checkWrites(writes)
        if (writes.length === 0) return
        await committed(() => database.batch(() => apply(database, copyOf(writes))))
      },
      async writeIf(expected, writes) {
        checkWrites(writes)
        const rows = copyOf(expected)
        const copies = copyOf(writes)
        return await committed(() =>
          database.transaction(() => {
            if (!rows.every((row) => holds(database, row))) return false
            apply(database, copies)
            return true
          }),
        )
      },
      *range(start, end) {
        const entries = use(() => database.getRange({ start, end }))
        for (const { key, value } of entries) yield [key, value] as const
      },
    }
  }

  return {
    table(name) {
      let table = tables.get(name)
      if (!table) {
        table = openTable(name)
        tables.set(name, table)
      }
      return table
    },
    stats: () => ({
      usedBytes: closed ? usedBytes : readUsedBytes(root),
      maxBytes,
    }),
    async close() {
      if (closed) return
      closed = true
      await root.close()
    },
  }
}

function openRoot(directory: string, path: string): RootDatabase<Buffer, Uint8Array> {
  try {
    return openEnvironment<Buffer, Uint8Array>(directory, {
      ...BINARY,
      overlappingSync: false,
      noSubdir: false,
      maxDbs: STORE_TABLES_MAX,
    })
  } catch (error) {
    throw storeCorrupt(path, (error as Error).message, error)
  }
}

function readUsedBytes(root: RootDatabase<Buffer, Uint8Array>): number {
  const stats = root.getStats() as {
    pageSize: number
    lastPageNumber: number
    free?: { entryCount: number }
  }
  return (stats.lastPageNumber + 1) * stats.pageSize
}

/** lmdb reads the bytes later, from another thread or in a transaction yet to begin. */
function copyOf(writes: Writes): Writes {
  return writes.map(([key, value]) => [Buffer.from(key), value && Buffer.from(value)] as const)
}

function apply(database: Binary, writes: Writes): void {
  for (const [key, value] of writes) {
    if (value === undefined) database.remove(key)
    else database.put(key, value as Buffer)
  }
}

function holds(database: Binary, [key, expected]: Expected): boolean {
  const value = database.get(key)
  return value === undefined || expected === undefined ? value === expected : equalBytes(value, expected)
}

function checkKey(key: Uint8Array): void {
  if (key.length === 0 || key.length > TABLE_KEY_MAX_BYTES) {
    throw new RangeError(`a table key has 1 to ${TABLE_KEY_MAX_BYTES} bytes, got ${key.length}`)
  }
}

async function commitCause(error: unknown): Promise<unknown> {
  const commitError = (error as { commitError?: Promise<unknown> }).commitError
  return commitError ? await commitError.catch((cause: unknown) => cause) : error
}

function isCorruption(error: unknown): boolean {
  return error instanceof Error && /MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|PANIC|VERSION_MISMATCH)/.test(error.message)
}
