import { expect, it } from 'vitest'
import { CellWriter } from '../../../node/dht/spatial/cell-writer.ts'

const draft = {} as never

/** Stores with receipts of some stakes at once, and of others behind. */
async function store(sets: readonly (readonly number[])[], now: readonly number[], later: readonly number[] = []) {
  const receiptsOf = (stakeIds: readonly number[]) => stakeIds.map((stakeId) => ({ stakeId }))
  let epoch = 7
  const askedIn: number[] = []
  const client = {
    store: async () => {
      epoch++
      const rest = Promise.resolve(receiptsOf([...now, ...later]))
      return { receipts: receiptsOf(now), record: { recordKey: new Uint8Array(32) }, rest }
    },
  }
  const setsOf = (_: Uint8Array, of: number) => {
    askedIn.push(of)
    return { sets, members: sets.flat(), standIns: [] }
  }
  await new CellWriter({ client, tables: { setsOf }, epoch: () => epoch } as never).store(draft)
  // The replicas it began with: in an epoch that begins meanwhile they are those before it.
  expect(askedIn).toEqual([7])
}

it('an entry is stored when two of its own replicas hold it, and not before', async () => {
  await store([[1, 2, 3]], [1, 2])
  await store([[1, 2, 3]], [1, 9], [3])
  const short = { code: 'DHT_TOO_FEW_RECEIPTS', exitCode: 75, values: { got: 1, needed: 2 } }
  await expect(store([[1, 2, 3]], [1, 9], [8])).rejects.toMatchObject(short)
  await expect(store([[1, 2, 3]], [8, 9])).rejects.toMatchObject({ values: { got: 0, needed: 2 } })
  // While a table changes readers ask both sets; a network of one stake has no second.
  await expect(
    store(
      [
        [1, 2, 3],
        [4, 5, 3],
      ],
      [1, 3],
    ),
  ).rejects.toMatchObject(short)
  await store(
    [
      [1, 2, 3],
      [4, 5, 3],
    ],
    [1, 3],
    [5],
  )
  await store([[1]], [1])
})
