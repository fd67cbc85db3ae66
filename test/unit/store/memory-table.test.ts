import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryTable } from '../../../node/store/index.ts'

const bytes = fc.uint8Array({ minLength: 1, maxLength: 3 })

test('a table in memory is a map in key order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(bytes, fc.option(bytes, { nil: undefined }))),
      bytes,
      bytes,
      async (writes, start, end) => {
        const table = memoryTable()
        const model = new Map<string, Uint8Array>()
        for (const [key, value] of writes) {
          await table.write([[key, value]])
          if (value === undefined) model.delete(Buffer.from(key).toString('hex'))
          else model.set(Buffer.from(key).toString('hex'), value)
        }
        for (const [key] of writes) expect(table.get(key)).toEqual(model.get(Buffer.from(key).toString('hex')))
        const expected = [...model.keys()]
          .map((name) => Buffer.from(name, 'hex'))
          .filter((key) => Buffer.compare(key, start) >= 0 && Buffer.compare(key, end) < 0)
          .sort(Buffer.compare)
        expect([...table.range(start, end)].map(([key]) => Buffer.from(key))).toEqual(expected)
      },
    ),
  )
})

test('it forgets its oldest rows past a bound, and holds no bytes of its caller', async () => {
  const table = memoryTable(2)
  const value = Uint8Array.of(1)
  await table.write([[Uint8Array.of(1), value]])
  value[0] = 9
  expect(table.get(Uint8Array.of(1))).toEqual(Uint8Array.of(1))
  await table.write([2, 3].map((key) => [Uint8Array.of(key), value] as const))
  expect(table.get(Uint8Array.of(1))).toBeUndefined()
  expect(table.get(Uint8Array.of(3))).toEqual(Uint8Array.of(9))
})
