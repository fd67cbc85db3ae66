import {
  type Address,
  type Hex,
  KIND,
  type Logger,
  type Metrics,
  type Slot,
  type SlotEntry,
  type SlotIndex,
  type Table,
} from '../../core/index.ts'
import {
  MESH_SLOT_DISK_ENTRIES,
  MESH_SLOT_MEMORY_ENTRIES,
  QUARANTINE_MAX_KEYS,
  SLOT_DISK_ENTRIES,
  SLOT_MEMORY_ENTRIES,
  SLOT_MEMORY_EPOCHS,
} from '../constants.ts'
import { type StoreMetrics, storeMetrics } from '../metrics.ts'
import { MeshSlotTable } from './mesh-slot-table.ts'
import {
  decodeEntry,
  encodeEntry,
  epochOf,
  meteredKey,
  meteredRange,
  readMeteredCounts,
  readQuarantine,
  type Write,
  writeMeteredCount,
  writeQuarantine,
} from './slot-rows.ts'

/** The bounds. Each has a default in `constants.ts`. */
export interface SlotIndexOptions {
  readonly memoryEpochs?: number
  readonly memoryEntries?: number
  readonly diskEntries?: number
  readonly meshMemoryEntries?: number
  readonly meshDiskEntries?: number
  readonly quarantineKeys?: number
}

export interface SlotIndexModules {
  readonly table: Table
  readonly metrics?: Metrics
  readonly logger?: Logger
}

export interface OpenSlotIndex extends SlotIndex {
  stats(): { readonly memory: number; readonly disk: number; readonly mesh: number; readonly quarantined: number }
  /** Resolves when everything on its way to disk is there. */
  idle(): Promise<void>
  /** Moves what is in memory to disk. */
  close(): Promise<void>
}

/**
 * The slot index: the newest epochs in memory, older ones on disk, oldest forgotten first once a bound is reached.
 * Forgetting costs evidence, never safety: a slot not known is verified like a new one.
 */
export function openSlotIndex(options: SlotIndexOptions, modules: SlotIndexModules): OpenSlotIndex {
  return new TieredSlotIndex(options, modules)
}

interface Bucket {
  readonly slots: Map<string, { readonly slot: Slot; readonly entry: SlotEntry }>
}

const ROWS_PER_WRITE = 4_096

class TieredSlotIndex implements OpenSlotIndex {
  readonly #table: Table
  readonly #metrics: StoreMetrics
  readonly #logger: Logger | undefined
  readonly #bounds: Required<SlotIndexOptions>
  readonly #buckets = new Map<number, Bucket>()
  /** Buckets on their way to disk, still read from here. */
  readonly #leaving = new Map<number, Bucket[]>()
  readonly #diskCounts: Map<number, number>
  readonly #mesh: MeshSlotTable
  readonly #quarantined: Map<Address, Hex>
  #memoryCount = 0
  #diskCount = 0
  #work: Promise<void> = Promise.resolve()

  constructor(options: SlotIndexOptions, { table, metrics, logger }: SlotIndexModules) {
    this.#table = table
    this.#metrics = storeMetrics(metrics)
    this.#logger = logger
    this.#bounds = {
      memoryEpochs: options.memoryEpochs ?? SLOT_MEMORY_EPOCHS,
      memoryEntries: options.memoryEntries ?? SLOT_MEMORY_ENTRIES,
      diskEntries: options.diskEntries ?? SLOT_DISK_ENTRIES,
      meshMemoryEntries: options.meshMemoryEntries ?? MESH_SLOT_MEMORY_ENTRIES,
      meshDiskEntries: options.meshDiskEntries ?? MESH_SLOT_DISK_ENTRIES,
      quarantineKeys: options.quarantineKeys ?? QUARANTINE_MAX_KEYS,
    }
    this.#diskCounts = readMeteredCounts(table)
    for (const count of this.#diskCounts.values()) this.#diskCount += count
    this.#quarantined = readQuarantine(table)
    this.#mesh = new MeshSlotTable(table, {
      memoryEntries: this.#bounds.meshMemoryEntries,
      diskEntries: this.#bounds.meshDiskEntries,
      onDrop: (count) => this.#metrics.slotDrops.inc({ place: 'mesh' }, count),
    })
    this.#measure()
  }

  get(slot: Slot): SlotEntry | undefined {
    if (slot.kind >= KIND.effect) return this.#mesh.get(slot)
    const epoch = epochOf(slot)
    const name = nameOf(slot)
    const inMemory = this.#buckets.get(epoch)?.slots.get(name)
    if (inMemory) return inMemory.entry
    for (const bucket of this.#leaving.get(epoch) ?? []) {
      const leaving = bucket.slots.get(name)
      if (leaving) return leaving.entry
    }
    if (!this.#diskCounts.has(epoch)) return undefined
    const stored = this.#table.get(meteredKey(slot))
    return stored && decodeEntry(stored)
  }

  put(slot: Slot, entry: SlotEntry): void {
    if (this.get(slot)) return
    if (slot.kind >= KIND.effect) {
      this.#enqueue(this.#mesh.put(slot, entry))
      return
    }
    const epoch = epochOf(slot)
    let bucket = this.#buckets.get(epoch)
    if (!bucket) {
      bucket = { slots: new Map() }
      this.#buckets.set(epoch, bucket)
    }
    bucket.slots.set(nameOf(slot), { slot, entry })
    this.#memoryCount++
    while (this.#buckets.size > this.#bounds.memoryEpochs || this.#memoryCount > this.#bounds.memoryEntries) {
      this.#moveOldestToDisk()
    }
  }

  quarantine(signer: Address, faultId: Hex): void {
    if (this.#quarantined.has(signer)) return
    if (this.#quarantined.size >= this.#bounds.quarantineKeys) {
      this.#metrics.slotDrops.inc({ place: 'quarantine' })
      return
    }
    this.#quarantined.set(signer, faultId)
    this.#metrics.quarantinedKeys.set(this.#quarantined.size)
    this.#enqueue(this.#table.write([writeQuarantine(signer, faultId)]))
  }

  isQuarantined(signer: Address): boolean {
    return this.#quarantined.has(signer)
  }

  stats() {
    return {
      memory: this.#memoryCount,
      disk: this.#diskCount,
      mesh: this.#mesh.size,
      quarantined: this.#quarantined.size,
    }
  }

  async idle(): Promise<void> {
    for (let seen: Promise<void> | undefined; seen !== this.#work; ) {
      seen = this.#work
      await seen
    }
  }

  async close(): Promise<void> {
    while (this.#buckets.size > 0) this.#moveOldestToDisk()
    await this.idle()
  }

  #moveOldestToDisk(): void {
    let oldest = Number.POSITIVE_INFINITY
    for (const epoch of this.#buckets.keys()) oldest = Math.min(oldest, epoch)
    const bucket = this.#buckets.get(oldest)
    if (!bucket) return
    this.#buckets.delete(oldest)
    this.#memoryCount -= bucket.slots.size
    const leaving = this.#leaving.get(oldest) ?? []
    this.#leaving.set(oldest, [...leaving, bucket])
    const before = this.#work
    this.#enqueue(before.then(() => this.#spill(oldest, bucket)))
  }

  async #spill(epoch: number, bucket: Bucket): Promise<void> {
    try {
      const rows = [...bucket.slots.values()]
      for (let at = 0; at < rows.length; at += ROWS_PER_WRITE) {
        const part = rows.slice(at, at + ROWS_PER_WRITE)
        const count = (this.#diskCounts.get(epoch) ?? 0) + part.length
        const writes: Write[] = part.map(({ slot, entry }) => [meteredKey(slot), encodeEntry(entry)])
        await this.#table.write([...writes, writeMeteredCount(epoch, count)])
        this.#diskCounts.set(epoch, count)
        this.#diskCount += part.length
      }
      await this.#dropOldest()
    } finally {
      const left = (this.#leaving.get(epoch) ?? []).filter((other) => other !== bucket)
      if (left.length > 0) this.#leaving.set(epoch, left)
      else this.#leaving.delete(epoch)
      this.#measure()
    }
  }

  async #dropOldest(): Promise<void> {
    while (this.#diskCount > this.#bounds.diskEntries) {
      const epoch = Math.min(...this.#diskCounts.keys())
      const count = this.#diskCounts.get(epoch) ?? 0
      const keys = [...this.#table.range(...meteredRange(epoch))].map(([key]) => key)
      for (let at = 0; at < keys.length; at += ROWS_PER_WRITE) {
        await this.#table.write(keys.slice(at, at + ROWS_PER_WRITE).map((key) => [key, undefined]))
      }
      await this.#table.write([writeMeteredCount(epoch, 0)])
      this.#diskCounts.delete(epoch)
      this.#diskCount -= count
      this.#metrics.slotDrops.inc({ place: 'disk' }, count)
    }
  }

  /** What cannot be written is forgotten, loudly: see the class comment for what that costs. */
  #enqueue(work: Promise<void>): void {
    const settled = work.catch((error: unknown) => {
      this.#metrics.slotDrops.inc({ place: 'write' })
      this.#logger?.error('slot index cannot write', { error: String(error) })
    })
    this.#work = Promise.all([this.#work, settled]).then(() => undefined)
  }

  #measure(): void {
    this.#metrics.slotEntries.set(this.#memoryCount, { place: 'memory' })
    this.#metrics.slotEntries.set(this.#diskCount, { place: 'disk' })
    this.#metrics.slotEntries.set(this.#mesh.size, { place: 'mesh' })
    this.#metrics.quarantinedKeys.set(this.#quarantined.size)
  }
}

/** Only metered slots are named so: they have no scope. */
function nameOf({ signer, kind, position }: Slot): string {
  return `${signer}${kind}${position}`
}
