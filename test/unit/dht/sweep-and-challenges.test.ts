import { expect, it } from 'vitest'
import type { ProtocolParams } from '../../../node/core/index.ts'
import type { DhtRecord } from '../../../node/dht/interface.ts'
import { RecordBook } from '../../../node/dht/records/record-book.ts'
import { noLogger, noMetrics } from '../../../node/lab/simulation/silence.ts'
import { KEY_TYPE, positionOf } from '../../../node/statements/index.ts'
import { openSimulatedTable, SimulatedDisk } from '../../../node/store/index.ts'

const PARAMS = { epochSeconds: 10, responseSeconds: 20, skewSeconds: 10 } as ProtocolParams
const filled = (byte: number) => new Uint8Array(32).fill(byte)

const RECORD: DhtRecord = {
  recordKey: filled(1),
  entry: filled(0),
  version: { rank: 0n, position: positionOf(5, 0), leaf: 0 },
  frame: new Uint8Array(120),
  signer: `0x${'11'.repeat(20)}`,
  writerStakeId: 7,
  putDigest: filled(3),
  put: { keyType: KEY_TYPE.owner, keyPreimage: filled(2), valueRoot: filled(4), size: 1, expiryEpoch: 8n },
  value: Uint8Array.of(1),
}
/** The end of epoch 8, the time to answer and the skew are past. */
const OVER_SECONDS = 120
const LONG_AFTER_SECONDS = 1_000_000

// Seen failing with `readUntilSeconds` left out of the sweep: the bytes went while a challenge could be open unread.
it('drops nothing later than what was read of challenges, and nothing while none were read', async () => {
  const table = await openSimulatedTable(new SimulatedDisk(() => 0).open(), '/d/records')
  let readUntil: number | undefined
  let open = true
  const challenges = { isOpen: () => open, readUntilSeconds: () => readUntil }
  const book = await RecordBook.open(PARAMS, { table, challenges, metrics: noMetrics, logger: noLogger })
  await book.save(RECORD, { untilEpoch: 8, standIn: false })
  const isHeld = () => book.receipted(RECORD.recordKey, RECORD.putDigest, 0) !== undefined

  await book.sweep(LONG_AFTER_SECONDS)
  expect(isHeld()).toBe(true)
  readUntil = OVER_SECONDS - 1
  open = false
  await book.sweep(LONG_AFTER_SECONDS)
  expect(isHeld()).toBe(true)
  readUntil = LONG_AFTER_SECONDS
  open = true
  await book.sweep(LONG_AFTER_SECONDS)
  expect(isHeld()).toBe(true)
  open = false
  await book.sweep(OVER_SECONDS - 1)
  expect(isHeld()).toBe(true)
  await book.sweep(OVER_SECONDS)
  expect(isHeld()).toBe(false)
})
