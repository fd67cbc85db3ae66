import { expect, test } from 'vitest'
import { silenceOf } from '../../../node/api/standing.ts'
import type { StakeRow } from '../../../node/core/index.ts'

const active: StakeRow = {
  stakeId: 4,
  operator: '0x01',
  status: 'active',
  amountWei: 10n ** 21n,
  placement: '0x02',
  jailedUntil: 0,
  tombstoned: false,
  readyAt: 0,
}

// Each of these was seen to speak on when its line was taken out.
test.each<[string, Partial<StakeRow>, string | undefined]>([
  ['an active stake speaks', {}, undefined],
  ['a pending stake has nothing to drain', { status: 'pending' }, undefined],
  ['a tombstoned stake is silent', { tombstoned: true }, 'tombstoned'],
  ['a jailed stake is silent', { jailedUntil: 1_700_000_000 }, 'jailed'],
  ['an unbonding stake is silent', { status: 'unbonding' }, 'leaving'],
  ['a withdrawn stake is silent', { status: 'withdrawn' }, 'leaving'],
  ['a tombstone outlives a jail', { tombstoned: true, jailedUntil: 1 }, 'tombstoned'],
])('%s', (_what, change, reason) => {
  expect(silenceOf({ ...active, ...change })?.reason).toBe(reason)
})

test('a key without a stake is not slashed', () => {
  expect(silenceOf(undefined)).toBeUndefined()
})
