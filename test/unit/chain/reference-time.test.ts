import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chainReference, referenceTime } from '../../../node/chain/index.ts'

const SKEW_SECONDS = 10
const head = { number: 1n, hash: '0x01', timestamp: 1_000, seenAtMs: 5_000_000 } as const

test('the chain speaks while its newest head is younger than one skew, carried on by the time since', () => {
  expect(chainReference(head, 5_000_000, SKEW_SECONDS)).toBe(1_000)
  expect(chainReference(head, 5_003_999, SKEW_SECONDS)).toBe(1_003)
  expect(chainReference(head, 5_010_000, SKEW_SECONDS)).toBe(1_010)
  expect(chainReference(head, 5_010_001, SKEW_SECONDS)).toBeUndefined()
})

// Seen failing without the check for a clock that went back: a jump by an hour kept the old head fresh for an hour.
test('a clock that went back behind the arrival of the head makes the head count as old', () => {
  expect(chainReference(head, 4_999_999, SKEW_SECONDS)).toBeUndefined()
})

test('without a fresh head the median of the peers speaks; without peers nobody', () => {
  const late = 6_000_000
  expect(referenceTime(head, [7, 9, 8], late, SKEW_SECONDS)).toBe(8)
  expect(referenceTime(head, [7, 9], late, SKEW_SECONDS)).toBe(7)
  expect(referenceTime(undefined, [5], late, SKEW_SECONDS)).toBe(5)
  expect(referenceTime(undefined, [], late, SKEW_SECONDS)).toBeUndefined()
  expect(referenceTime(head, [1, 2, 3], 5_001_000, SKEW_SECONDS)).toBe(1_001)
})

test('fewer than half of the peers cannot move the reference out of the range of the others', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 100, max: 110 }), { minLength: 3, maxLength: 9 }),
      fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 8 }),
      (honest, liars) => {
        const fewer = liars.slice(0, Math.floor((honest.length - 1) / 2))
        const time = referenceTime(undefined, [...fewer, ...honest], 0, SKEW_SECONDS) as number
        expect(time).toBeGreaterThanOrEqual(Math.min(...honest))
        expect(time).toBeLessThanOrEqual(Math.max(...honest))
      },
    ),
  )
})
