import type { Slot, SlotEntry, Table } from '../../core/index.ts'
import { decodeEntry, encodeEntry, meshKey, meshOrderKey, readMeshOrder, type Write } from './slot-rows.ts'

/** Mesh slots: written through to disk at once, the newest also in memory, the oldest written dropped first. */
export class MeshSlotTable {
  readonly #table: Table
  readonly #bounds: { readonly memoryEntries: number; readonly diskEntries: number; onDrop(count: number): void }
  readonly #memory = new Map<string, SlotEntry>()
  readonly #order = new Map<number, Uint8Array>()
  #next = 0

  constructor(
    table: Table,
    bounds: { readonly memoryEntries: number; readonly diskEntries: number; onDrop(count: number): void },
  ) {
    this.#table = table
    this.#bounds = bounds
    for (const [sequence, slotKey] of readMeshOrder(table)) {
      this.#order.set(sequence, slotKey)
      this.#next = sequence + 1
    }
  }

  get size(): number {
    return this.#order.size
  }

  get(slot: Slot): SlotEntry | undefined {
    const key = meshKey(slot)
    const inMemory = this.#memory.get(key.toString('latin1'))
    if (inMemory) return inMemory
    const stored = this.#table.get(key)
    return stored && decodeEntry(stored)
  }

  async put(slot: Slot, entry: SlotEntry): Promise<void> {
    const key = meshKey(slot)
    const name = key.toString('latin1')
    const sequence = this.#next++
    this.#memory.set(name, entry)
    this.#order.set(sequence, key)
    const writes: Write[] = [
      [key, encodeEntry(entry)],
      [meshOrderKey(sequence), key],
    ]
    while (this.#order.size > this.#bounds.diskEntries) {
      const [oldest] = this.#order
      if (!oldest) break
      this.#order.delete(oldest[0])
      this.#memory.delete(Buffer.from(oldest[1]).toString('latin1'))
      writes.push([oldest[1], undefined], [meshOrderKey(oldest[0]), undefined])
      this.#bounds.onDrop(1)
    }
    await this.#table.write(writes)
    for (const [name] of this.#memory) {
      if (this.#memory.size <= this.#bounds.memoryEntries) break
      this.#memory.delete(name)
    }
  }
}
