import { closeSync, openSync, readSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open as openEnvironment, type RootDatabase } from 'lmdb'
import type { Table } from '../core/index.ts'
import { STORE_MAX_BYTES, STORE_TABLES_MAX, TABLE_KEY_MAX_BYTES } from './constants.ts'
import { machineDisk, makeDirectory } from './disk.ts'
import { storeClosed, storeCorrupt, storeFull, storeWriteFailed } from './errors.ts'

/** Named tables in one directory, on LMDB. Writes of one turn of the event loop share one flush. */
export interface Store {
  /** The table of that name; the same one for the same name. Names are short and fixed by the program. */
  table(name: string): Table
  /** Bytes of the file in use, and the bound. */
  stats(): { usedBytes: number; maxBytes: number }
  /** Resolves after everything written is flushed. */
  close(): Promise<void>
}

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const
type Binary = Database<Buffer, Uint8Array>

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
  const missing = checkEnvironment(path)
  if (missing) truncateSync(path, missing.wholeBytes)
  const root = openRoot(directory, path)
  if (missing && !isWhole(root)) {
    await root.close()
    truncateSync(path, missing.sizeBytes)
    throw storeCorrupt(path, `it ends at byte ${missing.sizeBytes}, and rows behind that are gone`)
  }
  // LMDB flushes the file but never its name.
  await machineDisk.sync(path)
  await machineDisk.syncDirectory(directory)

  const tables = new Map<string, Table>()
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

  function openTable(name: string): Table {
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
        if (closed) throw storeClosed(directory)
        if (writes.length === 0) return
        for (const [key] of writes) checkKey(key)
        usedBytes = readUsedBytes(root)
        const adds = writes.some(([, value]) => value !== undefined)
        if (adds && usedBytes >= maxBytes) throw storeFull(directory, usedBytes, maxBytes)
        try {
          await database.batch(() => {
            for (const [key, value] of writes) {
              // A copy: lmdb reads the bytes later, from another thread.
              if (value === undefined) database.remove(key)
              else database.put(key, Buffer.from(value))
            }
          })
        } catch (error) {
          throw storeWriteFailed(directory, await commitCause(error))
        }
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

/** Layout of the two meta pages that LMDB (data version 2 of `lmdb`) writes at the beginning of its file. */
const META = {
  magic: 24,
  version: 28,
  pageSize: 48,
  mainRoot: 136,
  lastPage: 144,
  transaction: 152,
  bytes: 160,
}
const LMDB_MAGIC = 0xbeefc0de
const NO_PAGE = 0xffffffffffffffffn

/**
 * LMDB maps its file into memory and trusts it: a file cut short ends the process with SIGBUS at the first read.
 * So the meta pages are read beforehand.
 *
 * A page that was taken and given back within one transaction is counted but never written, so a whole file may
 * end early, too. Such a file is filled with zeros, which no valid page is, and its rows are counted.
 *
 * @returns the two lengths when the file ends early
 */
function checkEnvironment(path: string): { sizeBytes: number; wholeBytes: number } | undefined {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (sizeBytes === 0) return undefined
  const metas = readMetas(path)
  if (metas.length === 0) throw storeCorrupt(path, 'it does not begin as a store of this program does')
  const newest = metas.reduce((a, b) => (a.transaction >= b.transaction ? a : b))
  const wholeBytes = Number((newest.lastPage + 1n) * BigInt(newest.pageSize))
  const rootEnd = newest.mainRoot === NO_PAGE ? 0 : Number((newest.mainRoot + 1n) * BigInt(newest.pageSize))
  if (rootEnd > sizeBytes) throw storeCorrupt(path, `it ends at byte ${sizeBytes}, its root page at ${rootEnd}`)
  return wholeBytes > sizeBytes ? { sizeBytes, wholeBytes } : undefined
}

/** Whether every table has as many rows as LMDB counted when it wrote them: a walk stops silently at a lost page. */
function isWhole(root: RootDatabase<Buffer, Uint8Array>): boolean {
  const names = [...root.getKeys()].map((name) => Buffer.from(name).toString())
  const databases: Binary[] = [root, ...names.map((name) => root.openDB<Buffer, Uint8Array>({ name, ...BINARY }))]
  return databases.every((database) => {
    let rows = 0
    for (const { value } of database.getRange({})) rows += value.length >= 0 ? 1 : 0
    return rows === (database.getStats() as { entryCount: number }).entryCount
  })
}

function readMetas(path: string) {
  const bytes = Buffer.alloc(65_536 + META.bytes)
  const file = openSync(path, 'r')
  let length: number
  try {
    length = readSync(file, bytes, 0, bytes.length, 0)
  } finally {
    closeSync(file)
  }
  const pageSize = length >= META.bytes ? bytes.readUInt32LE(META.pageSize) : 0
  return [0, pageSize].flatMap((at) => {
    if (at + META.bytes > length || bytes.readUInt32LE(at + META.magic) !== LMDB_MAGIC) return []
    return [
      {
        pageSize: bytes.readUInt32LE(at + META.pageSize),
        mainRoot: bytes.readBigUInt64LE(at + META.mainRoot),
        lastPage: bytes.readBigUInt64LE(at + META.lastPage),
        transaction: bytes.readBigUInt64LE(at + META.transaction),
      },
    ]
  })
}
