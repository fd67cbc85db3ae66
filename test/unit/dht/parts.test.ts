import { expect, it } from 'vitest'
import { PARTS_AT_ONCE, PARTS_BEHIND_MAX } from '../../../node/dht/client/constants.ts'
import { PartStore } from '../../../node/dht/client/parts.ts'
import type { RecordClient } from '../../../node/dht/client/record-client.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A client whose stores get their quorum, and the last of their receipts, when the test says so. */
function slowClient() {
  const quorums: (() => void)[] = []
  const rests: (() => void)[] = []
  const store = async () => {
    await new Promise<void>((resolve) => quorums.push(resolve))
    const rest = new Promise<void>((resolve) => rests.push(resolve))
    return { record: { put: { expiryEpoch: 60n } }, rest }
  }
  const client = { store, longestExpiry: 60, lifeEpochs: 60 } as unknown as RecordClient
  const reader = {} as never
  const receipts = { list: () => [] } as never
  return { parts: new PartStore({ client, reader, receipts, own: () => 1 }), quorums, rests }
}

// Seen to fail without PARTS_BEHIND_MAX: all 100 parts were taken while none had its last receipt.
it('takes no more of a value than it may hold in memory, while quorums or the last receipts are waited for', async () => {
  const { parts, quorums, rests } = slowClient()
  let taken = 0
  async function* source() {
    for (; taken < 100; ) {
      taken++
      yield Uint8Array.of(taken)
    }
  }
  const storing = parts.store(source(), {})
  await turn()
  expect(taken).toBe(PARTS_AT_ONCE)
  while (quorums.length > 0) {
    quorums.shift()?.()
    await turn()
  }
  expect(taken).toBeLessThanOrEqual(PARTS_BEHIND_MAX + PARTS_AT_ONCE)
  expect(taken).toBeGreaterThanOrEqual(PARTS_BEHIND_MAX)
  while (taken < 100 || quorums.length > 0) {
    rests.shift()?.()
    quorums.shift()?.()
    await turn()
  }
  expect((await storing).roots).toHaveLength(100)
})

// Seen to fail before: node ended with an unhandled rejection, since only the first of those read ahead was waited for.
it('a part read ahead that is missing is told when its turn comes', async () => {
  let answers = 0
  const client = {
    read: async () => {
      answers++
      // The first waits long after the others have failed.
      if (answers === 1) {
        for (let i = 0; i < 5; i++) await turn()
      }
      return { record: undefined }
    },
    readSet: async () => ({ records: [] }),
  } as unknown as RecordClient
  const parts = new PartStore({ client, reader: {} as never, receipts: {} as never, own: () => 1 })
  const wanted = [0, 1, 2].map((index) => ({ index, root: new Uint8Array(32), size: 1 }))
  await expect(parts.read(wanted, {}).next()).rejects.toMatchObject({ code: 'DHT_PART_MISSING', values: { part: 0 } })
})
