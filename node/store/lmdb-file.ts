import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { storeCorrupt } from './errors.ts'

/** Layout of LMDB's data version 2 as `lmdb` writes it. Every page begins with a header of 24 bytes. */
const HEADER = { pageNumber: 0, flags: 18, lower: 20, bytes: 24 }
const META = { magic: 24, version: 28, pageSize: 48, freeRoot: 88, mainRoot: 136, lastPage: 144, transaction: 152 }
const META_BYTES = 160
const NODE = { low: 0, high: 2, flags: 4, keySize: 6, bytes: 8 }
/** Where the record of a table, stored as a value, has its root. */
const TABLE_ROOT = 40
const FLAG = { branch: 1, leaf: 2, bigValue: 1, table: 2 }

const LMDB_MAGIC = 0xbeefc0de
const NO_PAGE = 0xffffffffffffffffn
const LARGEST_PAGE_BYTES = 65_536

interface Meta {
  readonly pageSize: number
  readonly freeRoot: bigint
  readonly mainRoot: bigint
  readonly lastPage: bigint
  readonly transaction: bigint
}

/**
 * Looks at a store's file before LMDB maps it into memory and trusts it: there, a file cut short ends the process
 * with SIGBUS, or with rows silently missing.
 *
 * A page that was taken and given back within one transaction is counted but never written, so a whole file may end
 * early, too. Only in a file that does, all pages in use are visited.
 *
 * @throws SuprnovaError `STORE_CORRUPT`; the file is only read
 */
export function checkLmdbFile(path: string): void {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (sizeBytes === 0) return
  const file = openSync(path, 'r')
  try {
    const meta = readNewestMeta(path, file)
    if ((meta.lastPage + 1n) * BigInt(meta.pageSize) <= BigInt(sizeBytes)) return
    const page = Buffer.alloc(meta.pageSize)
    const left = [meta.freeRoot, meta.mainRoot]
    for (let number = left.pop(); number !== undefined; number = left.pop()) {
      if (number === NO_PAGE) continue
      const at = Number(number) * meta.pageSize
      const length = readSync(file, page, 0, meta.pageSize, at)
      if (length < meta.pageSize || page.readBigUInt64LE(HEADER.pageNumber) !== number) {
        throw storeCorrupt(path, `it has ${sizeBytes} bytes, and page ${number}, which is in use, is not among them`)
      }
      for (const next of pagesOf(page)) {
        const endsAt = Number(next.number + BigInt(next.bytes === 0 ? 1 : 0)) * meta.pageSize + next.bytes
        if (next.number !== NO_PAGE && endsAt > sizeBytes) {
          throw storeCorrupt(
            path,
            `it ends at byte ${sizeBytes}, and page ${next.number}, which is in use, at ${endsAt}`,
          )
        }
        if (next.bytes === 0) left.push(next.number)
      }
    }
  } finally {
    closeSync(file)
  }
}

/** Pages that a page points at: others of the tree (`bytes` 0), and values too long for a page with their length. */
function* pagesOf(page: Buffer): Iterable<{ readonly number: bigint; readonly bytes: number }> {
  const flags = page.readUInt16LE(HEADER.flags)
  const count = page.readUInt16LE(HEADER.lower) >> 1
  for (let i = 0; i < count; i++) {
    const node = HEADER.bytes + page.readUInt16LE(HEADER.bytes + 2 * i)
    const low = page.readUInt16LE(node + NODE.low)
    const high = page.readUInt16LE(node + NODE.high)
    const nodeFlags = page.readUInt16LE(node + NODE.flags)
    const value = node + NODE.bytes + page.readUInt16LE(node + NODE.keySize)
    if (flags & FLAG.branch)
      yield { number: BigInt(low) + BigInt(high) * 2n ** 16n + BigInt(nodeFlags) * 2n ** 32n, bytes: 0 }
    else if (nodeFlags & FLAG.table) yield { number: page.readBigUInt64LE(value + TABLE_ROOT), bytes: 0 }
    else if (nodeFlags & FLAG.bigValue) {
      yield { number: page.readBigUInt64LE(value), bytes: HEADER.bytes + low + high * 65_536 }
    }
  }
}

function readNewestMeta(path: string, file: number): Meta {
  const bytes = Buffer.alloc(LARGEST_PAGE_BYTES + META_BYTES)
  const length = readSync(file, bytes, 0, bytes.length, 0)
  const pageSize = length >= META_BYTES ? bytes.readUInt32LE(META.pageSize) : 0
  const metas = [0, pageSize].flatMap((at): Meta[] => {
    if (at + META_BYTES > length || bytes.readUInt32LE(at + META.magic) !== LMDB_MAGIC) return []
    return [
      {
        pageSize,
        freeRoot: bytes.readBigUInt64LE(at + META.freeRoot),
        mainRoot: bytes.readBigUInt64LE(at + META.mainRoot),
        lastPage: bytes.readBigUInt64LE(at + META.lastPage),
        transaction: bytes.readBigUInt64LE(at + META.transaction),
      },
    ]
  })
  const [first, second] = metas
  if (!first) throw storeCorrupt(path, 'it does not begin as a store of this program does')
  return second && second.transaction > first.transaction ? second : first
}
