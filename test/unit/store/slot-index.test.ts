import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Address, Kind, Slot, SlotEntry } from '../../../node/core/index.ts'
import { openSimulatedTable, openSlotIndex, SimulatedDisk } from '../../../node/store/index.ts'
import { drawFrom } from './guard-world.ts'

const signer = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const bytes = (length: number, fill: number) => new Uint8Array(length).fill(fill)

function slot(by: number, epoch: number, index: number, kind: Kind = 2): Slot {
  return {
    signer: signer(by),
    kind,
    scope: bytes(32, kind > 3 ? 1 : 0),
    position: (BigInt(epoch) << 32n) | BigInt(index),
  }
}

function entry(fill: number): SlotEntry {
  return { digest: bytes(32, fill), content: bytes(32, fill + 1), signature: bytes(64, fill + 2) }
}

const newDisk = () => new SimulatedDisk(drawFrom(1))
const openTable = (disk: SimulatedDisk) => openSimulatedTable(disk.open(), '/data/slots')
const same = (found: SlotEntry | undefined, expected: SlotEntry) =>
  expect(found && Buffer.concat([found.digest, found.content, found.signature])).toEqual(
    Buffer.concat([expected.digest, expected.content, expected.signature]),
  )

describe('slot index', () => {
  // Breaks when a slot on its way to disk is not looked up, or a second entry replaces the first.
  test('is a map that keeps the first entry of a slot, wherever that slot is by now', async () => {
    const put = fc.record({
      by: fc.nat(2),
      epoch: fc.integer({ min: 100, max: 112 }),
      index: fc.nat(3),
      kind: fc.constantFrom<Kind>(1, 2, 3, 5, 6),
      fill: fc.nat(200),
      settle: fc.boolean(),
      restart: fc.nat(9).map((n) => n === 0),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(put, { maxLength: 60 }), async (puts) => {
        const disk = newDisk()
        const bounds = { memoryEpochs: 2, memoryEntries: 5, meshMemoryEntries: 3 }
        let index = openSlotIndex(bounds, { table: await openTable(disk) })
        const model = new Map<string, { slot: Slot; entry: SlotEntry }>()
        for (const { by, epoch, index: i, kind, fill, settle, restart } of puts) {
          const at = slot(by, epoch, i, kind)
          const name = `${by} ${epoch} ${i} ${kind}`
          index.put(at, entry(fill))
          if (!model.has(name)) model.set(name, { slot: at, entry: entry(fill) })
          if (settle) await index.idle()
          if (restart) {
            await index.close()
            index = openSlotIndex(bounds, { table: await openTable(disk) })
          }
          for (const known of model.values()) same(index.get(known.slot), known.entry)
        }
        expect(index.get(slot(9, 100, 0))).toBeUndefined()
      }),
      { numRuns: 150 },
    )
  })

  test('memory holds the newest epochs, disk the older ones, the oldest are dropped first', async () => {
    const index = openSlotIndex(
      { memoryEpochs: 2, memoryEntries: 1_000, diskEntries: 25 },
      { table: await openTable(newDisk()) },
    )
    for (let epoch = 100; epoch < 106; epoch++) {
      for (let i = 0; i < 10; i++) index.put(slot(1, epoch, i), entry(epoch))
    }
    await index.idle()
    expect(index.stats()).toMatchObject({ memory: 20, disk: 20 })
    expect(index.get(slot(1, 101, 3))).toBeUndefined()
    same(index.get(slot(1, 102, 3)), entry(102))
    same(index.get(slot(1, 105, 3)), entry(105))
  })

  test('a flood in one epoch goes to disk early', async () => {
    const index = openSlotIndex({ memoryEntries: 100 }, { table: await openTable(newDisk()) })
    for (let i = 0; i < 1_000; i++) index.put(slot(1, 100, i), entry(i % 200))
    await index.idle()
    expect(index.stats().memory).toBeLessThanOrEqual(100)
    for (let i = 0; i < 1_000; i++) same(index.get(slot(1, 100, i)), entry(i % 200))
  })

  test('mesh slots are bounded, too, the oldest written dropped first', async () => {
    const disk = newDisk()
    const bounds = { meshMemoryEntries: 4, meshDiskEntries: 10 }
    let index = openSlotIndex(bounds, { table: await openTable(disk) })
    for (let i = 0; i < 25; i++) index.put(slot(1, 0, i, 6), entry(i))
    await index.close()
    index = openSlotIndex(bounds, { table: await openTable(disk) })
    expect(index.stats().mesh).toBe(10)
    expect(index.get(slot(1, 0, 14, 6))).toBeUndefined()
    same(index.get(slot(1, 0, 15, 6)), entry(15))
    index.put(slot(1, 0, 25, 6), entry(25))
    await index.idle()
    expect(index.get(slot(1, 0, 15, 6))).toBeUndefined()
    same(index.get(slot(1, 0, 24, 6)), entry(24))
  })

  test('the quarantine survives a power loss, and is bounded', async () => {
    const disk = newDisk()
    const index = openSlotIndex({ quarantineKeys: 2 }, { table: await openTable(disk) })
    for (const by of [1, 2, 3]) index.quarantine(signer(by), `0x${'aa'.repeat(32)}`)
    await index.idle()
    disk.losePower()
    const after = openSlotIndex({ quarantineKeys: 2 }, { table: await openTable(disk) })
    expect([1, 2, 3].map((by) => after.isQuarantined(signer(by)))).toEqual([true, true, false])
  })

  test('a disk that takes nothing costs memory of old slots, not the process', async () => {
    const table = await openTable(newDisk())
    const index = openSlotIndex(
      { memoryEpochs: 1 },
      { table: { ...table, write: () => Promise.reject(new Error('no space')) } },
    )
    index.put(slot(1, 100, 0), entry(1))
    index.put(slot(1, 101, 0), entry(2))
    await index.idle()
    expect(index.get(slot(1, 100, 0))).toBeUndefined()
    same(index.get(slot(1, 101, 0)), entry(2))
  })
})
