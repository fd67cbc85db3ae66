import { expect, it } from 'vitest'
import { SuprnovaError, type Table, toHex } from '../../../node/core/index.ts'
import type { DhtRecord } from '../../../node/dht/interface.ts'
import { RecordBook } from '../../../node/dht/records/record-book.ts'
import { noLogger, noMetrics } from '../../../node/lab/simulation/silence.ts'
import { KEY_TYPE, keccak256, positionOf } from '../../../node/statements/index.ts'
import { OrderedRows } from '../../../node/store/simulated/ordered-rows.ts'
import { PARAMS } from './world.ts'

/** As many versions as one sweep looks at. */
const SWEEP_ROWS = 4_096

function memoryTable(mayAdd: () => boolean): Table & { readonly rows: OrderedRows } {
  const rows = new OrderedRows()
  return {
    rows,
    get: (key) => rows.get(toHex(key)),
    async write(writes) {
      if (!mayAdd() && writes.some(([, value]) => value !== undefined)) throw new SuprnovaError('STORE_FULL', 'full')
      for (const [key, value] of writes) rows.set(toHex(key), value)
    },
    *range(start, end) {
      for (const [key, value] of rows.range(toHex(start), toHex(end)))
        yield [Buffer.from(key.slice(2), 'hex'), value] as const
    },
  }
}

/** The nth record; its promise ends with epoch `until`, its life with `expiry`. */
function record(n: number, expiry: number): DhtRecord {
  const name = keccak256(new Uint8Array(Buffer.from(`${n}`)))
  return {
    recordKey: name,
    entry: new Uint8Array(32),
    version: { rank: 0n, position: positionOf(5, n), leaf: 0 },
    frame: new Uint8Array(120),
    signer: `0x${'11'.repeat(20)}`,
    writerStakeId: 7,
    putDigest: name,
    put: { keyType: KEY_TYPE.owner, keyPreimage: name, valueRoot: name, size: 1, expiryEpoch: BigInt(expiry) },
    value: Uint8Array.of(1),
  }
}

async function openBook(mayAdd: () => boolean, isOpen: (digest: Uint8Array) => boolean) {
  const table = memoryTable(mayAdd)
  const challenges = { isOpen, readUntilSeconds: () => Number.POSITIVE_INFINITY }
  return RecordBook.open(PARAMS, { table, challenges, metrics: noMetrics, logger: noLogger })
}

// Seen to fail before: each sweep looked at the same rows, and what stood behind them stayed for ever.
it('what must stay under challenge keeps nothing else from going, however much of it there is', async () => {
  const challenged = new Set<string>()
  const book = await openBook(
    () => true,
    (digest) => challenged.has(toHex(digest)),
  )
  for (let n = 0; n < SWEEP_ROWS + 50; n++) {
    // Rows of one epoch stand in the order of their keys: those with an earlier end stand first.
    await book.save(record(n, 6), { untilEpoch: 6, standIn: false })
    challenged.add(toHex(record(n, 6).putDigest))
  }
  for (let n = 10_000; n < 10_100; n++) await book.save(record(n, 7), { untilEpoch: 7, standIn: false })
  let dropped = 0
  for (let sweep = 0; sweep < 2; sweep++) dropped += await book.sweep(100_000)
  expect(dropped).toBe(100)
  challenged.clear()
  for (let sweep = 0; sweep < 3; sweep++) dropped += await book.sweep(100_000)
  expect(book.stats()).toMatchObject({ records: 0, bytes: 0 })
})

// Seen to fail before: the first row that could not be written ended the sweep, so a full disk stayed full.
it('a full disk is swept all the same, and says that it is full', async () => {
  let isFull = false
  const book = await openBook(
    () => !isFull,
    () => false,
  )
  // Its promise is over and its life is not: it would be noted for a later look, which a full disk does not take.
  await book.save(record(0, 90), { untilEpoch: 5, standIn: false })
  for (let n = 1; n < 1_100; n++) await book.save(record(n, 6), { untilEpoch: 6, standIn: false })
  isFull = true
  await expect(book.sweep(300)).rejects.toMatchObject({ code: 'STORE_FULL' })
  expect(book.stats().records).toBe(1)
  isFull = false
  await book.sweep(300)
  expect(book.current(record(0, 90))?.keepUntilEpoch).toBe(90)
})
