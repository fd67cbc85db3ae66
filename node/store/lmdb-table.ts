import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open as openEnvironment, type RootDatabase } from 'lmdb'
import { equalBytes } from '../core/index.ts'
import type { ConditionalTable, Expected } from './conditional-table.ts'
import { STORE_MAX_BYTES, STORE_SPARE_BYTES, STORE_TABLES_MAX, TABLE_KEY_MAX_BYTES } from './constants.ts'
import { machineDisk, makeDirectory } from './disk.ts'
import { diskFull, storeClosed, storeCorrupt, storeFull, storeWriteFailed } from './errors.ts'
import { checkLmdbFile } from './lmdb-file.ts'

/** Named tables in one directory, on LMDB. Writes of one turn of the event loop share one flush. */
export interface Store {
  /** The table of that name; the same one for the same name. Names are short and fixed by the program. */
  table(name: string): ConditionalTable
  /** Bytes of the file in use and their bound, and bytes that are free on its disk. */
  stats(): { usedBytes: number; maxBytes: number; freeBytes: number }
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
 * `eventTurnBatching` is off, too: with it lmdb opens a batch of its own a turn, whose promise nobody holds, and a full
 * disk ended the process by that promise's rejection. What belongs together is written as one batch or transaction here,
 * and writes of one turn still share a flush.
 *
 * @throws SuprnovaError `STORE_CORRUPT` when the files there are not a whole store; nothing is lost by the attempt
 */
export async function openStore(
  directory: string,
  options: { readonly maxBytes?: number; readonly spareBytes?: number } = {},
): Promise<Store> {
  const { maxBytes = STORE_MAX_BYTES, spareBytes = STORE_SPARE_BYTES } = options
  await makeDirectory(directory)
  const path = join(directory, 'data.mdb')
  checkLmdbFile(path)
  const root = openRoot(directory, path)
  // LMDB flushes the file but never its name.
  await machineDisk.sync(path)
  await machineDisk.syncDirectory(directory)

  const tables = new Map<string, ConditionalTable>()
  const freeBytes = freeBytesOf(directory)
  let closed = false
  let failure: unknown
  let usedBytes = readUsedBytes(root)
  /** A commit ended since that was read: only then can it have changed, and reading it costs as much as a small write. */
  let isOutdated = false

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
    // lmdb 3.5.6 prints its words about a failed commit into 100 bytes (mdb.c, `last_error`), which is too few of them:
    // the memory of this process is not to be trusted from then on, and nothing more is written with it.
    if (failure !== undefined) throw storeWriteFailed(directory, failure)
    for (const [key] of writes) checkKey(key)
    // What is taken away is written, too: LMDB changes no page in place.
    if (writes.every(([, value]) => value === undefined)) checkDisk(spareBytes / 4)
    else checkRoom()
  }

  function checkDisk(needed: number): void {
    const free = freeBytes()
    if (free < needed) throw diskFull(directory, free, needed)
  }

  function checkRoom(): void {
    if (isOutdated) usedBytes = readUsedBytes(root)
    isOutdated = false
    if (usedBytes >= maxBytes) throw storeFull(directory, usedBytes, maxBytes)
    checkDisk(spareBytes)
  }

  async function committed<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      failure ??= error
      const cause = await commitCause(error)
      failure = cause
      throw storeWriteFailed(directory, cause)
    } finally {
      isOutdated = true
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
      checkRoom,
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
      freeBytes: freeBytes(),
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
      eventTurnBatching: false,
      noSubdir: false,
      maxDbs: STORE_TABLES_MAX,
    })
  } catch (error) {
    throw storeCorrupt(path, (error as Error).message, error)
  }
}

/** Asks the file system at most once in a turn of the event loop. */
function freeBytesOf(directory: string): () => number {
  let known: number | undefined
  return () => {
    if (known !== undefined) return known
    const { bavail, bsize } = statfsSync(directory)
    known = bavail * bsize
    setImmediate(() => {
      known = undefined
    })
    return known
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
