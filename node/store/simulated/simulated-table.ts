import { hash } from 'node:crypto'
import { equalBytes } from '../../core/index.ts'
import type { ConditionalTable, Expected } from '../conditional-table.ts'
import type { Disk } from '../disk.ts'
import { OrderedRows } from './ordered-rows.ts'

/**
 * A table whose every write is one checksummed record at the end of a journal, flushed before it resolves.
 * It stands for LMDB where a test must decide what the disk remembers. Writes that come while a flush runs share the
 * next one, as LMDB's do.
 */
export async function openSimulatedTable(disk: Disk, path: string): Promise<ConditionalTable> {
  const rows = new OrderedRows()
  let journal = (await disk.read(path)) ?? new Uint8Array()
  let length = 0
  for (const record of readRecords(journal)) {
    for (const [key, value] of record.writes) rows.set(key, value)
    length = record.end
  }
  if (length < journal.length || journal.length === 0) {
    // A torn end is cut off in a new file, so that nothing is ever appended behind it.
    const draft = `${path}.draft`
    if ((await disk.read(draft)) !== undefined) await disk.unlink(draft)
    journal = journal.slice(0, length)
    await disk.create(draft, journal)
    await disk.sync(draft)
    await disk.rename(draft, path)
  }
  await disk.sync(path)
  await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))

  let queue: Queued[] = []
  let flushing = false

  async function flush(): Promise<void> {
    flushing = true
    while (queue.length > 0) {
      const batch = queue
      queue = []
      try {
        const held = heldOf(batch)
        for (const { writes } of held) await disk.append(path, encodeRecord(writes))
        await disk.sync(path)
        for (const { writes } of held) for (const [key, value] of writes) rows.set(toText(key), value)
        for (const queued of batch) queued.resolve(held.includes(queued))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    flushing = false
  }

  /** Those of a batch whose expectations hold, each after what the ones before it write. */
  function heldOf(batch: readonly Queued[]): readonly Queued[] {
    const ahead = new Map<string, Uint8Array | undefined>()
    return batch.filter(({ expected, writes }) => {
      const holds = expected.every(([key, wanted]) => {
        const value = ahead.has(toText(key)) ? ahead.get(toText(key)) : rows.get(toText(key))
        return value === undefined || wanted === undefined ? value === wanted : equalBytes(value, wanted)
      })
      if (holds) for (const [key, value] of writes) ahead.set(toText(key), value)
      return holds
    })
  }

  function enqueue(expected: Writes, writes: Writes): Promise<boolean> {
    return new Promise((resolve, reject) => {
      queue.push({ expected: copyOf(expected), writes: copyOf(writes), resolve, reject })
      if (!flushing) void flush()
    })
  }

  return {
    get: (key) => rows.get(toText(key)),
    write: async (writes) => void (await enqueue([], writes)),
    writeIf: enqueue,
    *range(start, end) {
      for (const [key, value] of rows.range(toText(start), toText(end))) yield [Buffer.from(key, 'hex'), value] as const
    },
  }
}

type Writes = readonly Expected[]

interface Queued {
  readonly expected: Writes
  readonly writes: Writes
  resolve(held: boolean): void
  reject(error: unknown): void
}

function copyOf(writes: Writes): Writes {
  return writes.map(([key, value]) => [key.slice(), value?.slice()] as const)
}

const HEADER_BYTES = 12
const SUM_BYTES = 8

function encodeRecord(writes: Writes): Uint8Array {
  const body = Buffer.from(JSON.stringify(writes.map(([key, value]) => [toText(key), value && toText(value)])))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(body.length)
  header.write(hash('sha256', body).slice(0, SUM_BYTES), 4, 'latin1')
  return Buffer.concat([header, body])
}

function* readRecords(journal: Uint8Array) {
  const bytes = Buffer.from(journal)
  let at = 0
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at)
    if (end > bytes.length) return
    const body = bytes.subarray(at + HEADER_BYTES, end)
    if (hash('sha256', body).slice(0, SUM_BYTES) !== bytes.toString('latin1', at + 4, at + HEADER_BYTES)) return
    const writes = JSON.parse(body.toString('utf8')) as [string, string | null][]
    yield { end, writes: writes.map(([key, value]) => [key, value ? Buffer.from(value, 'hex') : undefined] as const) }
    at = end
  }
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
