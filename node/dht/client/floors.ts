import { type Logger, type Table, toHex } from '../../core/index.ts'
import type { EntryId, Version } from '../interface.ts'
import { compareVersions } from '../records/version.ts'

/** Entries whose newest version is remembered in memory; all are on disk until their end. */
const MEMORY_ENTRIES_MAX = 65_536
/** Rows looked at in one sweep. */
const SWEEP_ROWS_MAX = 4_096
/** How a row of this table begins. */
const FLOOR = 1

interface Floor extends Version {
  /** The last epoch in which it holds. */
  readonly untilEpoch: number
}

/**
 * The newest version of each entry that this client read or wrote: it never goes back behind one, after a restart
 * either. An older version may outlive a newer one, so a floor does not end with the life of its version but when every
 * version that was signed before it was seen is over.
 */
export class Floors {
  readonly #table: Table
  readonly #logger: Logger
  readonly #untilEpoch: () => number
  /** The row at which the last sweep stopped short. */
  #sweptTo: Uint8Array | undefined
  readonly #memory = new Map<string, Floor>()
  #unwritten = new Map<string, readonly [Uint8Array, Uint8Array]>()
  #writing: Promise<void> | undefined

  /** @param modules `untilEpoch`: the last epoch in which anything may live that is signed by now */
  constructor(modules: { readonly table: Table; readonly untilEpoch: () => number; readonly logger: Logger }) {
    this.#untilEpoch = modules.untilEpoch
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
  raise(id: EntryId, version: Version): void {
    const known = this.get(id)
    if (known !== undefined && compareVersions(known, version) >= 0) return
    const key = keyOf(id)
    const name = toHex(key)
    const floor = { ...version, untilEpoch: this.#untilEpoch() }
    this.#memory.delete(name)
    this.#memory.set(name, floor)
    this.#unwritten.set(name, [key, encodeFloor(floor)])
    this.#writing ??= this.#write()
  }

  /** Forgets floors that ended before `epoch`, some at a time. */
  async sweep(epoch: number): Promise<void> {
    for (const [name, floor] of this.#memory) if (floor.untilEpoch < epoch) this.#memory.delete(name)
    const over: [Uint8Array, undefined][] = []
    let looked = 0
    let last: Uint8Array | undefined
    for (const [key, row] of this.#table.range(this.#sweptTo ?? Uint8Array.of(FLOOR), Uint8Array.of(FLOOR + 1))) {
      // What is in memory is newer than its row, or the same.
      if (readFloor(row).untilEpoch < epoch && !this.#memory.has(toHex(key))) over.push([key, undefined])
      last = key
      if (++looked >= SWEEP_ROWS_MAX) break
    }
    this.#sweptTo = looked < SWEEP_ROWS_MAX ? undefined : last
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
  key[0] = FLOOR
  key.set(recordKey, 1)
  key.set(entry, 33)
  return key
}

function encodeFloor({ untilEpoch, leaf, position, rank }: Floor): Uint8Array {
  const row = new Uint8Array(25)
  const view = new DataView(row.buffer)
  view.setBigUint64(0, rank)
  view.setBigUint64(8, position)
  view.setUint8(16, leaf)
  view.setBigUint64(17, BigInt(untilEpoch))
  return row
}

function readFloor(row: Uint8Array): Floor {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  return {
    rank: view.getBigUint64(0),
    position: view.getBigUint64(8),
    leaf: view.getUint8(16),
    untilEpoch: Number(view.getBigUint64(17)),
  }
}
