import { describe, expect, it } from 'vitest'
import { AcceptedMessages } from '../../../node/net/gossip/accepted.ts'

describe('AcceptedMessages', () => {
  // Break it caught: forgetting both generations at once.
  it('remembers at least one generation and at most two', () => {
    const accepted = new AcceptedMessages(10)
    for (let i = 0; i < 1_000; i++) {
      accepted.add(`${i}`)
      expect(accepted.size).toBeLessThanOrEqual(20)
      for (let last = Math.max(0, i - 9); last <= i; last++) expect(accepted.has(`${last}`)).toBe(true)
    }
    expect(accepted.has('0')).toBe(false)
    accepted.clear()
    expect(accepted.size).toBe(0)
  })
})
