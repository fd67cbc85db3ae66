import type { Random, Timers } from '../../core/index.ts'
import { epochOf } from '../../statements/index.ts'
import type { ReplicaTable, ReplicaTables } from '../interface.ts'
import type { RecordBook } from '../records/record-book.ts'
import type { RecordMeta } from '../records/rows.ts'
import { SCAN_SLICE_ENTRIES } from './constants.ts'
import { keysOf, ShareIndex } from './share-index.ts'

const FIRST_KEY = new Uint8Array(32)
const LAST_KEY = new Uint8Array(32).fill(0xff)

export interface HoldingsModules {
  readonly records: Pick<RecordBook, 'list' | 'onSaved'>
  readonly tables: ReplicaTables
  readonly timers: Timers
  readonly random: Random
}

/** An entry held here, with its replicas by the table of an epoch. */
export interface Held {
  readonly meta: RecordMeta
  /** Closest first. */
  readonly members: readonly number[]
}

/**
 * What this node holds, by whose replicas: an index in memory, read anew from the book when the table changes and kept
 * up to date in between. Records of writers that may not speak are left out: nobody would take them.
 */
export class Holdings {
  readonly #replicas: number
  readonly #modules: HoldingsModules
  readonly #salt: Uint8Array
  readonly #stopListening: () => void
  #index: ShareIndex | undefined
  /** The one being read; what is saved meanwhile goes into both. */
  #next: { readonly index: ShareIndex; readonly table: ReplicaTable } | undefined
  #epoch = -1
  /** The table of that epoch as it was read: another object is another table, while the chain has not come so far. */
  #table: ReplicaTable | undefined
  #preparing: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(options: { readonly replicas: number }, modules: HoldingsModules) {
    this.#replicas = options.replicas
    this.#modules = modules
    this.#salt = modules.random.bytes(16)
    this.#stopListening = modules.records.onSaved((meta) => {
      if (this.#index !== undefined && this.#table !== undefined) this.#put(this.#index, this.#table, meta)
      if (this.#next !== undefined) this.#put(this.#next.index, this.#next.table, meta)
    })
  }

  get size(): number {
    return this.#index?.size ?? 0
  }

  /** Brings the index to the table of `epoch`. @returns `undefined` without a table, or when it was stopped */
  prepare(epoch: number): Promise<ShareIndex | undefined> {
    const prepared = this.#preparing.then(() => this.#prepare(epoch))
    this.#preparing = prepared.catch(() => undefined)
    return prepared
  }

  /** The same, without looking whether the table is still the one that was read in this epoch. */
  prepared(epoch: number): Promise<ShareIndex | undefined> {
    return epoch === this.#epoch ? Promise.resolve(this.#index) : this.prepare(epoch)
  }

  async #prepare(epoch: number): Promise<ShareIndex | undefined> {
    const table = this.#modules.tables.table(epoch)
    if (table === undefined) return undefined
    if (this.#index === undefined || !this.#isUnchanged(epoch, table)) {
      const next = { index: new ShareIndex(this.#replicas, this.#salt), table }
      this.#next = next
      if (!(await this.#read(next))) return undefined
      this.#next = undefined
      this.#index = next.index
    } else if (epoch !== this.#epoch) {
      this.#index.dropExpired(epoch)
    }
    this.#epoch = epoch
    this.#table = table
    return this.#index
  }

  /** The entries of these key prefixes that take part in comparisons of `epoch`. */
  *read(keys: Iterable<bigint>, epoch: number): Iterable<Held> {
    const table = this.#modules.tables.table(epoch)
    if (table === undefined) return
    for (const prefix of keys) {
      const { from, to } = keysOf(prefix)
      for (const meta of this.#modules.records.list(from, to)) {
        const isCompared = epochOf(meta.version.position) < epoch && meta.expiryEpoch > epoch
        if (isCompared && table.has(meta.writerStakeId)) yield { meta, members: this.#members(table, meta) }
      }
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#stopListening()
  }

  #isUnchanged(epoch: number, table: ReplicaTable): boolean {
    if (epoch === this.#epoch) return table === this.#table
    const { tables } = this.#modules
    return epoch === this.#epoch + 1 && tables.table(this.#epoch) === this.#table && !tables.changed(epoch)
  }

  /** Reads all entries, a slice at a time. @returns whether it came to the end */
  async #read(next: { readonly index: ShareIndex; readonly table: ReplicaTable }): Promise<boolean> {
    let after: RecordMeta | undefined
    for (;;) {
      let read = 0
      for (const meta of this.#modules.records.list(FIRST_KEY, LAST_KEY, after)) {
        this.#put(next.index, next.table, meta)
        after = meta
        if (++read === SCAN_SLICE_ENTRIES) break
      }
      if (read < SCAN_SLICE_ENTRIES) return !this.#isStopped
      await new Promise<void>((resolve) => this.#modules.timers.after(0, resolve))
      if (this.#isStopped) return false
    }
  }

  #put(index: ShareIndex, table: ReplicaTable, meta: RecordMeta): void {
    if (!table.has(meta.writerStakeId)) return
    const putEpoch = epochOf(meta.version.position)
    index.set({ ...meta, putEpoch }, this.#members(table, meta), index === this.#index ? undefined : this.#index)
  }

  #members(table: ReplicaTable, { recordKey }: { readonly recordKey: Uint8Array }): readonly number[] {
    return table.closest(recordKey, this.#replicas)
  }
}
