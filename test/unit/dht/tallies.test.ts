import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkedQuorum } from '../../../node/dht/client/quorum.ts'
import { ReadTally } from '../../../node/dht/client/read-tally.ts'
import { StoreTally } from '../../../node/dht/client/store-tally.ts'
import { WIDEN_BY } from '../../../node/dht/constants.ts'
import type { ReplicaSets } from '../../../node/dht/interface.ts'

const stakes = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

/** One set of R stakes, or two that share some, and up to four that stand in. */
const setsOf = fc
  .record({ replicas: fc.integer({ min: 1, max: 6 }), moved: fc.nat(6), standIns: fc.nat(4), two: fc.boolean() })
  .map(({ moved, replicas, standIns, two }): ReplicaSets & { readonly replicas: number } => {
    const fresh = stakes(1, replicas)
    const before = [...fresh.slice(Math.min(moved, replicas)), ...stakes(50, Math.min(moved, replicas))]
    const sets = two && moved > 0 ? [fresh, before] : [fresh]
    return { sets, members: [...new Set(sets.flat())], standIns: stakes(100, standIns), replicas }
  })
const outcomes = fc.infiniteStream(fc.boolean())

describe('W of R', () => {
  it('is 2 of 3, or all where there are fewer', () => {
    expect(checkedQuorum({})).toEqual({ replicas: 3, quorum: 2 })
    expect(checkedQuorum({ replicas: 1 })).toEqual({ replicas: 1, quorum: 1 })
  })

  it.each([{ replicas: 2, quorum: 3 }, { replicas: 0 }, { replicas: 21 }, { quorum: 0 }, { quorum: 1.5 }])(
    'cannot be %j: whoever asks is told so, and it is no failure of the program',
    (options) => {
      expect(() => checkedQuorum(options)).toThrow(expect.objectContaining({ code: 'DHT_BAD_QUORUM', exitCode: 2 }))
    },
  )
})

describe('a read', () => {
  // Seen to fail with the quorum of one set alone.
  it('has its quorum when every set meets every store of W, asks all members first and two more once', () => {
    fc.assert(
      fc.property(setsOf, fc.integer({ min: 1, max: 6 }), outcomes, (sets, w, answers) => {
        const quorum = Math.min(w, sets.replicas)
        const tally = new ReadTally(sets, quorum)
        const asked = [...tally.start()]
        expect(asked).toEqual(sets.members)
        const verified = new Set<number>()
        const stream = answers[Symbol.iterator]()
        for (let at = 0; at < asked.length; at++) {
          const stakeId = asked[at] as number
          const isVerified = stream.next().value as boolean
          if (isVerified) verified.add(stakeId)
          asked.push(...tally.answered(stakeId, isVerified))
          // Any W of a set and those that answered have one in common, whichever W they are.
          const meets = sets.sets.every(
            (set) => set.filter((one) => !verified.has(one)).length < Math.min(quorum, set.length),
          )
          expect(tally.hasQuorum).toBe(meets)
        }
        expect(tally.isOver).toBe(true)
        expect(asked.length).toBeLessThanOrEqual(sets.members.length + WIDEN_BY)
        expect(tally.asked).toBe(asked.length)
        if (tally.verified < sets.members.length && !tally.hasQuorum) {
          expect(asked.length).toBe(sets.members.length + Math.min(WIDEN_BY, sets.standIns.length))
        }
      }),
    )
  })
})

describe('a store', () => {
  it('is done when every set has W receipts, its own or of those that stand in, each asked once', () => {
    fc.assert(
      fc.property(setsOf, fc.integer({ min: 1, max: 6 }), outcomes, (sets, w, answers) => {
        const quorum = Math.min(w, sets.replicas)
        const tally = new StoreTally(sets, quorum)
        const asked = tally.start().ask.map(({ stakeId }) => stakeId)
        const receipts: number[] = []
        const stream = answers[Symbol.iterator]()
        for (let at = 0; at < asked.length; at++) {
          const stakeId = asked[at] as number
          if (stream.next().value === true) {
            receipts.push(stakeId)
            tally.receipt(stakeId)
          } else {
            const { ask } = tally.failed({ stakeId, reason: 'busy' })
            for (const next of ask) {
              expect(next.standIn).toBe(true)
              asked.push(next.stakeId)
            }
          }
          const standIns = receipts.filter((one) => !sets.members.includes(one)).length
          const got = sets.sets.map((set) => receipts.filter((one) => set.includes(one)).length + standIns)
          expect(tally.isDone).toBe(got.every((count, i) => count >= Math.min(quorum, sets.sets[i]?.length ?? 0)))
          expect(tally.got).toBe(Math.min(...got))
        }
        expect(tally.isOver).toBe(true)
        expect(new Set(asked).size).toBe(asked.length)
        expect(tally.isDegraded).toBe(!receipts.some((one) => sets.members.includes(one)))
      }),
    )
  })

  it('asks nobody to stand in for what is wrong with the record', () => {
    const sets = { sets: [[1, 2, 3]], members: [1, 2, 3], standIns: [4, 5] }
    for (const reason of ['superseded', 'invalid', 'window', 'conflict']) {
      const tally = new StoreTally(sets, 2)
      tally.start()
      expect(tally.failed({ stakeId: 1, reason }).ask).toEqual([])
    }
  })
})
