import { expect, test } from 'vitest'
import { type Address, KIND } from '../../../node/core/index.ts'
import { BoundedMap } from '../../../node/statements/bounded-map.ts'
import { ConflictBudget, decodeFrame, encodeLeafFrame, MAX_BUDGETED_SIGNERS } from '../../../node/statements/index.ts'
import { LeavesSeen } from '../../../node/statements/leaves-seen.ts'
import { gossip, say, signerOf } from './world.ts'

// Bites: `set` that never deletes.
test('a full map forgets its oldest entry, and setting a key makes it young again', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  map.set('c', 4)
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([3, undefined, 4, 2])
  map.delete('a')
  expect(map.size).toBe(1)
})

test('the budget remembers only so many signers, and all share one more bucket', () => {
  const signers = MAX_BUDGETED_SIGNERS + 100
  const budget = new ConflictBudget({ burst: 1, perSecond: 0 }, { burst: signers + 1, perSecond: 0 }, 0)
  const address = (i: number): Address => `0x${i.toString(16).padStart(40, '0')}`
  for (let i = 0; i < signers; i++) expect(budget.take(address(i), 0)).toBe(true)
  expect(budget.signers).toBe(MAX_BUDGETED_SIGNERS)
  expect(budget.take(address(signers - 1), 0)).toBe(false)
  // Forgotten, so it starts full again; then the bucket of all is empty for everyone.
  expect(budget.take(address(0), 0)).toBe(true)
  expect(budget.take(address(1), 0)).toBe(false)
})

test('a statement in parts that was forgotten has no leaf missing', () => {
  const seen = new LeavesSeen(2)
  const bodies = gossip('a', 'b', 'c')
  const parts = [0, 1, 2].map((index) => {
    const { signed } = say(signerOf('ann'), { index, bodies })
    const slot = { signer: signed.signer, kind: KIND.gossip, position: signed.statement.position }
    return { slot, frame: decodeFrame(encodeLeafFrame(signed, bodies, 1)) }
  })
  for (const { frame, slot } of parts) seen.saw(slot, frame, 64)
  expect(seen.size).toBe(2)
  expect(parts.map(({ slot }) => seen.isMissing(slot, 0))).toEqual([false, true, true])
  expect(parts.map(({ slot }) => seen.isMissing(slot, 1))).toEqual([false, false, false])
})
