import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../../node/net/gossip/token-bucket.ts'

const RATE = { messagesPerSecond: 10, bytesPerSecond: 1000, burstSeconds: 2 }

describe('TokenBucket', () => {
  it('starts full, empties, and fills at its rate', () => {
    const bucket = new TokenBucket(RATE, 0)
    for (let i = 0; i < 20; i++) expect(bucket.take(1, 1, 0)).toBe(true)
    expect(bucket.take(1, 1, 0)).toBe(false)
    expect(bucket.take(1, 1, 100)).toBe(true)
    expect(bucket.take(1, 1, 100)).toBe(false)
  })

  it('counts bytes beside messages', () => {
    const bucket = new TokenBucket(RATE, 0)
    expect(bucket.take(1, 2000, 0)).toBe(true)
    expect(bucket.take(1, 1, 0)).toBe(false)
  })

  it('refills nothing when the clock steps back', () => {
    const bucket = new TokenBucket(RATE, 10_000)
    expect(bucket.take(20, 0, 10_000)).toBe(true)
    expect(bucket.take(1, 0, 0)).toBe(false)
  })

  it('owes what it was made to give, and pays that off first', () => {
    const bucket = new TokenBucket(RATE, 0)
    for (let i = 0; i < 25; i++) bucket.owe(0)
    expect(bucket.has(1, 0, 500)).toBe(false)
    expect(bucket.has(1, 0, 600)).toBe(true)
    expect(bucket.has(2, 0, 600)).toBe(false)
  })

  it('owes many at once for one that cost as much', () => {
    const bucket = new TokenBucket(RATE, 0)
    bucket.owe(0, 25)
    expect(bucket.has(1, 0, 500)).toBe(false)
    expect(bucket.has(1, 0, 600)).toBe(true)
  })

  // Break it caught: a refill without its cap.
  it('never lets more through than burst and rate allow', () => {
    // mostly bursts, after waits long enough to fill the bucket more than once
    const wait = fc.oneof({ weight: 30, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(10_000) })
    const steps = fc.array(fc.record({ waitMs: wait, bytes: fc.nat(100) }), { minLength: 100, maxLength: 200 })
    fc.assert(
      fc.property(steps, (asked) => {
        const bucket = new TokenBucket(RATE, 0)
        let nowMs = 0
        const taken: { atMs: number; bytes: number }[] = []
        for (const { waitMs, bytes } of asked) {
          nowMs += waitMs
          if (bucket.take(1, bytes, nowMs)) taken.push({ atMs: nowMs, bytes })
        }
        for (const { atMs: fromMs } of taken) {
          for (const { atMs: toMs } of taken) {
            const within = taken.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
            const seconds = (toMs - fromMs) / 1000
            if (seconds < 0) continue
            expect(within.length).toBeLessThanOrEqual(20 + 10 * seconds + 1e-6)
            const bytes = within.reduce((sum, one) => sum + one.bytes, 0)
            expect(bytes).toBeLessThanOrEqual(2000 + 1000 * seconds + 1e-6)
          }
        }
      }),
      { numRuns: 30 },
    )
  })
})
