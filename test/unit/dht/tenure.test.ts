import { describe, expect, it } from 'vitest'
import type { KeyTenure } from '../../../node/core/index.ts'
import { speaksIn } from '../../../node/dht/records/put-reader.ts'

const OLD = `0x${'11'.repeat(20)}` as const
const NEW = `0x${'22'.repeat(20)}` as const
const STRANGER = `0x${'33'.repeat(20)}` as const
const publicKey = new Uint8Array(33)

/** Stake 7 rotated its key at epoch 100. */
const keys = new Map<string, KeyTenure>([
  [OLD, { address: OLD, stakeId: 7, publicKey, fromEpoch: 50, untilEpoch: 100 }],
  [NEW, { address: NEW, stakeId: 7, publicKey, fromEpoch: 100, untilEpoch: Number.POSITIVE_INFINITY }],
])

describe('whose word counts', () => {
  // Seen to fail without the look at the tenure: a node whose key had retired took its own records, and nobody else's did.
  it('is that of the key a stake had in the epoch of the statement, the own key included', () => {
    const speaks = speaksIn({ key: (address) => keys.get(address), maySpeak: () => true })
    expect([49, 50, 99, 100].map((epoch) => speaks(7, OLD, epoch))).toEqual([false, true, true, false])
    expect([99, 100, 5_000].map((epoch) => speaks(7, NEW, epoch))).toEqual([false, true, true])
    expect(speaks(7, STRANGER, 60)).toBe(false)
  })

  it("is nobody's whose stake may not speak now", () => {
    const speaks = speaksIn({ key: (address) => keys.get(address), maySpeak: () => false })
    expect(speaks(7, NEW, 100)).toBe(false)
  })
})
