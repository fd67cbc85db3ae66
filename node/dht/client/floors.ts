import { type Logger, type Table, toHex } from '../../core/index.ts'
import type { EntryId, Version } from '../interface.ts'
import { compareVersions } from '../records/version.ts'

/** Entries whose newest version is remembered in memory; all are on disk until their end. */
const MEMORY_ENTRIES_MAX = 65_536
/** Rows looked at in one sweep. */
const SWEEP_ROWS_MAX = 4_096

interface Floor extends Version {
  readonly expiryEpoch: number
}

/**
 * The newest version of each entry that this client read or wrote: it never goes back behind one, after a restart
 * either. A floor ends with the life of its version: older ones are over by then too.
 */
export class Floors {
  readonly #table: Table
  readonly #logger: Logger
  readonly #memory = new Map<string, Floor>()
  #unwritten = new Map<string, readonly [Uint8Array, Uint8Array]>()
  #writing: Promise<void> | undefined

  constructor(modules: { readonly table: Table; readonly logger: Logger }) {
    this.#table = modules.table
    this.#logger = modules.logger
  }

  get(id: EntryId): Version | undefined {
    const key = keyOf(id)
    const name = toHex(key)
    const known = this.#memory.get(name)
    if (known !== undefined) return known
    const row = this.#table.get(key)
    return row === undefined ? undefined : readFloor(row)
  }

  /**
   * Notes a version that was read or acknowledged. It holds at once in this process; the disk follows, and a crash
   * before it does is a client that has not told anybody yet what it read.
   */
  raise(id: EntryId, version: Version, expiryEpoch: number): void {
    const known = this.get(id)
    if (known !== undefined && compareVersions(known, version) >= 0) return
    const key = keyOf(id)
    const name = toHex(key)
    const floor = { ...version, expiryEpoch }
    this.#memory.delete(name)
    this.#memory.set(name, floor)
    this.#unwritten.set(name, [key, encodeFloor(floor)])
    this.#writing ??= this.#write()
  }

  /** Forgets floors of versions that ended before `epoch`. */
  async sweep(epoch: number): Promise<void> {
    const over: [Uint8Array, undefined][] = []
    let looked = 0
    for (const [key, row] of this.#table.range(Uint8Array.of(0), Uint8Array.of(0xff, 0xff))) {
      if (readFloor(row).expiryEpoch < epoch) over.push([key, undefined])
      if (++looked >= SWEEP_ROWS_MAX) break
    }
    for (const [name, floor] of this.#memory) if (floor.expiryEpoch < epoch) this.#memory.delete(name)
    if (over.length > 0) await this.#table.write(over)
  }

  /** Resolves when all that was noted is on disk. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
  }

  async #write(): Promise<void> {
    // One write for all that a turn notes.
    await Promise.resolve()
    while (this.#unwritten.size > 0) {
      const rows = [...this.#unwritten.values()]
      const names = [...this.#unwritten.keys()]
      this.#unwritten = new Map()
      try {
        await this.#table.write(rows)
      } catch (error) {
        // They hold in memory; a later floor of the same entry is tried again.
        this.#logger.warn('floors could not be written', { count: names.length, error: String(error) })
      }
      for (const name of this.#memory.keys()) {
        if (this.#memory.size <= MEMORY_ENTRIES_MAX) break
        if (!this.#unwritten.has(name)) this.#memory.delete(name)
      }
    }
    this.#writing = undefined
  }
}

function keyOf({ recordKey, entry }: EntryId): Uint8Array {
  const key = new Uint8Array(65)
  key[0] = 1
  key.set(recordKey, 1)
  key.set(entry, 33)
  return key
}

function encodeFloor({ expiryEpoch, leaf, position, rank }: Floor): Uint8Array {
  const row = new Uint8Array(25)
  const view = new DataView(row.buffer)
  view.setBigUint64(0, rank)
  view.setBigUint64(8, position)
  view.setUint8(16, leaf)
  view.setBigUint64(17, BigInt(expiryEpoch))
  return row
}

function readFloor(row: Uint8Array): Floor {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  return {
    rank: view.getBigUint64(0),
    position: view.getBigUint64(8),
    leaf: view.getUint8(16),
    expiryEpoch: Number(view.getBigUint64(17)),
  }
}
