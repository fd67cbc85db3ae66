import { type Counter, type Metrics, SuprnovaError, toHex } from '../../core/index.ts'
import { ANSWER_MAX_BYTES, CELL_VALUE_MAX_BYTES } from '../constants.ts'
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
  readonly bytes: Uint8Array
  readonly expiryEpoch: number
}

interface Shelf {
  /** The live entries of a cell by name, in entry order; `undefined` for one with too many to keep. */
  readonly entries: Map<string, Packed> | undefined
  bytes: number
}

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
    let left = ANSWER_MAX_BYTES
    const pages: CellPage[] = []
    for (const { after, recordKey } of decodeCells(request).cells) {
      const puts: Uint8Array[] = []
      let more = false
      for (const { bytes } of this.#entries(recordKey, after, now)) {
        // The first entry of an answer always goes: whoever asks for the rest gets on.
        if (bytes.length > left && left < ANSWER_MAX_BYTES) {
          more = true
          break
        }
        left -= bytes.length
        puts.push(bytes)
      }
      pages.push({ more, puts })
    }
    return encodeCellPages(pages)
  }

  *#entries(recordKey: Uint8Array, after: Uint8Array | undefined, now: number): Iterable<Packed> {
    const entries = after === undefined ? this.#shelf(recordKey, now).entries : undefined
    if (entries === undefined) {
      this.#answers.inc({ from: 'disk' })
      for (const stored of this.#modules.book.entries(recordKey, after)) if (isLive(stored, now)) yield packed(stored)
      return
    }
    this.#answers.inc({ from: 'memory' })
    for (const [name, entry] of entries) {
      if (entry.expiryEpoch < now) entries.delete(name)
      else yield entry
    }
  }

  #shelf(recordKey: Uint8Array, now: number): Shelf {
    const name = toHex(recordKey)
    const known = this.#shelves.get(name)
    if (known !== undefined) {
      this.#shelves.delete(name)
      this.#shelves.set(name, known)
      return known
    }
    const entries = new Map<string, Packed>()
    let bytes = SHELF_HEAD_BYTES
    let isWhole = true
    for (const stored of this.#modules.book.entries(recordKey)) {
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
    return shelf
  }

  #saved(meta: RecordMeta): void {
    const name = toHex(meta.recordKey)
    const shelf = this.#shelves.get(name)
    if (shelf?.entries === undefined) return
    const entry = toHex(meta.entry)
    const before = shelf.entries.get(entry)
    const stored = this.#modules.book.current(meta)
    // Pages are asked for in entry order: one that comes new is put in its place by reading all of them again.
    if (stored === undefined || before === undefined || stored.size > CELL_VALUE_MAX_BYTES) {
      this.#drop(name)
      return
    }
    const now = packed(stored)
    shelf.entries.set(entry, now)
    shelf.bytes += now.bytes.length - before.bytes.length
    this.#bytes += now.bytes.length - before.bytes.length
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
  return { bytes: packPut(stored.frame, stored.value()), expiryEpoch: stored.expiryEpoch }
}
