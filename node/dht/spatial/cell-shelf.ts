import { type Counter, type Metrics, SuprnovaError, toHex } from '../../core/index.ts'
import { ANSWER_MAX_BYTES, CELL_VALUE_MAX_BYTES, FETCH_LOOKS_MAX } from '../constants.ts'
import { encodeRefused } from '../protocol/messages.ts'
import type { RecordBook, StoredRecord } from '../records/record-book.ts'
import type { RecordMeta } from '../records/rows.ts'
import { SHELF_BYTES_MAX, SHELF_ENTRIES_MAX } from './constants.ts'
import { type CellPage, decodeCells, encodeCellPages, packPut } from './messages.ts'

export interface CellShelfModules {
  readonly book: RecordBook
  /** The epoch now. */
  readonly epoch: () => number
  readonly metrics: Metrics
}

interface Packed {
  readonly entry: Uint8Array
  readonly bytes: Uint8Array
  readonly expiryEpoch: number
}

interface Shelf {
  /** The live entries of a cell by name, in entry order; `undefined` for one with too many to keep. */
  entries: Map<string, Packed> | undefined
  bytes: number
}

/** No entry is named so: they are hashes. */
const BEFORE_ALL = new Uint8Array(32)
/** Bytes that a shelf takes beside its entries, about. */
const SHELF_HEAD_BYTES = 256

/** A replica's answers about cells. Those that are asked for often are kept ready in memory, as they change. */
export class CellShelf {
  readonly #modules: CellShelfModules
  readonly #shelves = new Map<string, Shelf>()
  readonly #answers: Counter
  readonly #stopListening: () => void
  #bytes = 0

  constructor(modules: CellShelfModules) {
    this.#modules = modules
    this.#answers = modules.metrics.counter('suprnova_dht_cells_total', 'Cells answered for, by where they came from')
    this.#stopListening = modules.book.onSaved((meta) => this.#saved(meta))
  }

  stop(): void {
    this.#stopListening()
  }

  /** Answers CELLS. Never throws for what stands in a request. */
  handle(request: Uint8Array): Uint8Array {
    try {
      return this.#handle(request)
    } catch (error) {
      if (!(error instanceof SuprnovaError) || error.code !== 'DHT_BAD_MESSAGE') throw error
      return encodeRefused('undecodable', error.message)
    }
  }

  #handle(request: Uint8Array): Uint8Array {
    const now = this.#modules.epoch()
    const left = { bytes: ANSWER_MAX_BYTES, looks: FETCH_LOOKS_MAX }
    const pages = decodeCells(request).cells.map(({ after, recordKey }) => this.#page(recordKey, after, now, left))
    return encodeCellPages(pages)
  }

  /** What is left of an answer goes to its cells in turn; the first entry of all always goes, so that readers get on. */
  #page(
    recordKey: Uint8Array,
    after: Uint8Array | undefined,
    now: number,
    left: { bytes: number; looks: number },
  ): CellPage {
    const shelf = after === undefined ? this.#shelf(recordKey, now, left) : undefined
    this.#answers.inc({ from: shelf === undefined ? 'disk' : 'memory' })
    const puts: Uint8Array[] = []
    // Before the first entry: whoever has nothing yet asks for all again.
    let last = after ?? BEFORE_ALL
    for (const { bytes, entry } of shelf?.values() ?? this.#onDisk(recordKey, after, now, left)) {
      if (bytes === undefined) {
        if (left.looks < 0) return { next: last, puts }
      } else {
        if (bytes.length > left.bytes && left.bytes < ANSWER_MAX_BYTES) return { next: last, puts }
        left.bytes -= bytes.length
        puts.push(bytes)
      }
      last = entry
    }
    return { next: undefined, puts }
  }

  /** Entries after one, those that are over without their bytes. */
  *#onDisk(
    recordKey: Uint8Array,
    after: Uint8Array | undefined,
    now: number,
    left: { looks: number },
  ): Iterable<{ readonly entry: Uint8Array; readonly bytes: Uint8Array | undefined }> {
    for (const stored of this.#modules.book.entries(recordKey, after)) {
      const isShown = --left.looks >= 0 && isLive(stored, now)
      yield { entry: stored.entry, bytes: isShown ? packed(stored).bytes : undefined }
    }
  }

  /** The live entries of a cell in memory; `undefined` for one with too many to keep there, or to look at now. */
  #shelf(recordKey: Uint8Array, now: number, left: { looks: number }): Map<string, Packed> | undefined {
    const name = toHex(recordKey)
    const known = this.#shelves.get(name)
    if (known !== undefined) {
      this.#shelves.delete(name)
      this.#shelves.set(name, known)
      for (const [entry, { expiryEpoch }] of known.entries ?? []) if (expiryEpoch < now) known.entries?.delete(entry)
      return known.entries
    }
    const entries = new Map<string, Packed>()
    let bytes = SHELF_HEAD_BYTES
    let isWhole = true
    for (const stored of this.#modules.book.entries(recordKey)) {
      if (--left.looks < 0) return undefined
      if (!isLive(stored, now)) continue
      isWhole = entries.size < SHELF_ENTRIES_MAX
      if (!isWhole) break
      const entry = packed(stored)
      entries.set(toHex(stored.entry), entry)
      bytes += entry.bytes.length
    }
    const shelf = isWhole ? { entries, bytes } : { entries: undefined, bytes: SHELF_HEAD_BYTES }
    this.#shelves.set(name, shelf)
    this.#bytes += shelf.bytes
    for (const oldest of this.#shelves.keys()) {
      if (this.#bytes <= SHELF_BYTES_MAX) break
      this.#drop(oldest)
    }
    return shelf.entries
  }

  #saved(meta: RecordMeta): void {
    const name = toHex(meta.recordKey)
    const shelf = this.#shelves.get(name)
    if (shelf?.entries === undefined) return
    const stored = this.#modules.book.current(meta)
    if (stored === undefined || stored.size > CELL_VALUE_MAX_BYTES || shelf.entries.size >= SHELF_ENTRIES_MAX) {
      this.#drop(name)
      return
    }
    const entry = toHex(meta.entry)
    const before = shelf.entries.get(entry)
    const now = packed(stored)
    shelf.entries.set(entry, now)
    // Pages are asked for in entry order.
    if (before === undefined) shelf.entries = new Map([...shelf.entries].sort(([a], [b]) => (a < b ? -1 : 1)))
    const grown = now.bytes.length - (before?.bytes.length ?? 0)
    shelf.bytes += grown
    this.#bytes += grown
  }

  #drop(name: string): void {
    this.#bytes -= this.#shelves.get(name)?.bytes ?? 0
    this.#shelves.delete(name)
  }
}

function isLive({ expiryEpoch, size }: StoredRecord, now: number): boolean {
  return expiryEpoch >= now && size <= CELL_VALUE_MAX_BYTES
}

function packed(stored: StoredRecord): Packed {
  const { entry, expiryEpoch, frame } = stored
  return { entry, bytes: packPut(frame, stored.value()), expiryEpoch }
}
