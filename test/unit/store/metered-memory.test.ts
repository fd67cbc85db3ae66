import { describe, expect, test } from 'vitest'
import { GuardRows } from '../../../node/store/guard/guard-rows.ts'
import { MeteredMemory } from '../../../node/store/guard/metered-memory.ts'
import { KEPT_EPOCHS, openSimulatedTable, SimulatedDisk } from '../../../node/store/index.ts'
import { ADDRESS, DOMAIN, drawFrom } from './guard-world.ts'

describe('ends of epochs', () => {
  // Breaks when only the one epoch that lies KEPT_EPOCHS back is dropped.
  test('a key that signs now and then keeps none that is too old', async () => {
    const table = await openSimulatedTable(new SimulatedDisk(drawFrom(1)).open(), '/data/guard')
    const rows = new GuardRows(table, ADDRESS, DOMAIN)
    const memory = new MeteredMemory(rows)
    const epochs = [1, 5, 6, KEPT_EPOCHS + 1, KEPT_EPOCHS + 5, 3 * KEPT_EPOCHS]
    const left: number[][] = []
    for (const epoch of epochs) {
      await table.write(rows.writeMeteredEnd(2, epoch, 64))
      memory.raiseEnd(2, epoch, 64)
      left.push([...rows.readMeteredEnds(2).keys()])
      for (const known of epochs) expect(memory.endOf(2, known)).toBe(left.at(-1)?.includes(known) ? 64 : 0)
    }
    const [a, b, c, d, e, f] = epochs as [number, number, number, number, number, number]
    expect(left).toEqual([[a], [a, b], [a, b, c], [b, c, d], [c, d, e], [f]])
  })

  test('of other kinds stay', async () => {
    const table = await openSimulatedTable(new SimulatedDisk(drawFrom(1)).open(), '/data/guard')
    const rows = new GuardRows(table, ADDRESS, DOMAIN)
    for (const kind of [1, 2, 3] as const) await table.write(rows.writeMeteredEnd(kind, 7, 64))
    await table.write(rows.writeMeteredEnd(2, 2 * KEPT_EPOCHS, 64))
    expect([1, 2, 3].map((kind) => [...rows.readMeteredEnds(kind as 1 | 2 | 3).keys()])).toEqual([
      [7],
      [2 * KEPT_EPOCHS],
      [7],
    ])
  })
})
