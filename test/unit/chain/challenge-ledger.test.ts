import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChallengeEvent } from '../../../node/chain/challenges/challenge-event.ts'
import { ChallengeLedger } from '../../../node/chain/challenges/challenge-ledger.ts'
import { OTHERS_MAX } from '../../../node/chain/challenges/constants.ts'
import type { Address, Hex } from '../../../node/core/index.ts'

const OWN = 7
const [ME, SOMEBODY] = [`0x${'11'.repeat(20)}`, `0x${'22'.repeat(20)}`] as const satisfies Address[]
const idOf = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`
const filled = (byte: number) => new Uint8Array(32).fill(byte)

function opened(
  n: number,
  { opener = SOMEBODY as Address, stakeId = 8, until = 100, untilBlock = 20 } = {},
): ChallengeEvent {
  const seen = {
    ...{ challengeId: idOf(n), stakeId, opener, recordKey: filled(1), putDigest: filled(2), putLeaf: 0 },
    ...{ valueRoot: filled(3), chunkIndex: 0, answerableUntil: until, answerableUntilBlock: untilBlock },
  }
  return { type: 'opened', blockNumber: n, challengeId: idOf(n), seen }
}
const answered = (n: number, answerer: Address): ChallengeEvent => {
  return { type: 'answered', blockNumber: n, challengeId: idOf(n), answerer, paidWei: 5n }
}
const openLedger = () => new ChallengeLedger({ ownStakeId: OWN, account: ME })

// Seen failing with the oldest forgotten for the newest, and with own ones counted among the others.
test('a flood of challenges to others is bounded, pushes out none, and never one to this node or opened by it', () => {
  const ledger = openLedger()
  for (let n = 0; n < OTHERS_MAX + 1_000; n++) ledger.apply(opened(n))
  expect(ledger.open.size).toBe(OTHERS_MAX)
  expect(ledger.open.has(idOf(0))).toBe(true)
  expect(ledger.apply(opened(100_000))).toBe(false)
  expect(ledger.apply(opened(100_001, { stakeId: OWN }))).toBe(true)
  expect(ledger.apply(opened(100_002, { opener: ME }))).toBe(true)
  expect(ledger.againstOwn().map(({ challengeId }) => challengeId)).toEqual([idOf(100_001)])
  // What is over makes room.
  ledger.apply(answered(0, SOMEBODY))
  expect(ledger.apply(opened(100_003))).toBe(true)
  ledger.forgetLapsed(101, 20)
  expect(ledger.open.size).toBe(OTHERS_MAX + 2)
  ledger.forgetLapsed(101, 21)
  expect([...ledger.open.keys()]).toEqual([idOf(100_001), idOf(100_002)])
  expect(ledger.apply(opened(100_004))).toBe(true)
})

test('what is left to collect is known for answers of this account and bonds of challenges it opened', () => {
  const ledger = openLedger()
  for (const n of [1, 2]) ledger.apply(opened(n))
  for (const n of [3, 4]) ledger.apply(opened(n, { opener: n === 3 ? ME : SOMEBODY }))
  ledger.apply(answered(1, ME))
  ledger.apply(answered(2, SOMEBODY))
  for (const n of [3, 4]) ledger.apply({ type: 'concluded', blockNumber: 9, challengeId: idOf(n), bondWei: 9n })
  expect([...ledger.due]).toEqual([
    [idOf(1), 5n],
    [idOf(3), 9n],
  ])
  ledger.apply({ type: 'collected', blockNumber: 10, challengeId: idOf(1) })
  expect([...ledger.due.keys()]).toEqual([idOf(3)])
  expect(ledger.open.size).toBe(0)
})

test('a copy goes its own way, and what both came to depends on their events alone', () => {
  const happening = fc.record({ n: fc.nat(12), what: fc.constantFrom('opened', 'answered', 'concluded', 'collected') })
  const eventOf = ({ n, what }: { n: number; what: string }): ChallengeEvent => {
    const opener = n % 3 === 0 ? ME : SOMEBODY
    if (what === 'opened') return opened(n, { opener, stakeId: n % 2 === 0 ? OWN : 8 })
    if (what === 'answered') return answered(n, opener)
    if (what === 'concluded') return { type: 'concluded', blockNumber: n, challengeId: idOf(n), bondWei: 1n }
    return { type: 'collected', blockNumber: n, challengeId: idOf(n) }
  }
  const plain = (ledger: ChallengeLedger) => [[...ledger.open.keys()], [...ledger.due.keys()]]
  fc.assert(
    fc.property(fc.array(happening), fc.array(happening), (first, second) => {
      const base = openLedger()
      for (const one of first) base.apply(eventOf(one))
      const before = plain(base)
      const copy = new ChallengeLedger(base.scope, base)
      for (const one of second) copy.apply(eventOf(one))
      expect(plain(base)).toEqual(before)
      const whole = openLedger()
      for (const one of [...first, ...second]) whole.apply(eventOf(one))
      expect(plain(copy)).toEqual(plain(whole))
    }),
  )
})
