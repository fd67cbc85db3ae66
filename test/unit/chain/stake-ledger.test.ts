import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlockRef, StakeEvent } from '../../../node/chain/stake-view/event.ts'
import { StakeLedger } from '../../../node/chain/stake-view/ledger.ts'
import { canSpeak } from '../../../node/chain/stake-view/reducer.ts'
import { decodeSnapshot, encodeSnapshot } from '../../../node/chain/stake-view/snapshot.ts'
import type { Address, Hex } from '../../../node/core/index.ts'

const LONG = process.env.SUPRNOVA_LONG === '1'
const EPOCH_BLOCKS = 3

const address = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}`
const word = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`
const publicKey = (n: number): Uint8Array => Uint8Array.from({ length: 33 }, (_, i) => (i === 0 ? 2 : n & 0xff))

/** One wish of the generator; turned into an event that is possible where it lands. */
interface Wish {
  readonly action: number
  readonly stake: number
  readonly value: number
}

interface Built {
  readonly ref: BlockRef
  readonly events: readonly StakeEvent[]
  readonly stakes: number
  readonly keys: number
}

function eventOf(wish: Wish, stakes: number, keys: number, block: number): StakeEvent {
  const { value } = wish
  const stakeId = stakes === 0 ? 0 : 1 + (wish.stake % stakes)
  const register = stakes === 0 || wish.action === 0
  const fromEpoch = block * EPOCH_BLOCKS
  if (register) {
    const [operator, nodeKey] = [address(1_000_000 + stakes), address(keys + 1)]
    const amountWei = BigInt(value) << 70n
    return {
      type: 'registered',
      stakeId: stakes + 1,
      operator,
      nodeKey,
      publicKey: publicKey(keys),
      amountWei,
      fromEpoch,
    }
  }
  switch (wish.action) {
    case 1:
      return { type: 'activated', stakeId, placement: word(value) }
    case 2:
      return { type: 'amountChanged', stakeId, amountWei: BigInt(value) }
    case 3:
      return { type: 'rotated', stakeId, nodeKey: address(keys + 1), publicKey: publicKey(keys), fromEpoch }
    case 4:
      return { type: 'unbondingStarted', stakeId, amountWei: BigInt(value), readyAt: value }
    case 5:
      return { type: 'withdrawn', stakeId }
    case 6:
      return { type: 'unjailed', stakeId }
    default: {
      const tombstoned = value % 5 === 0
      return { type: 'slashed', stakeId, amountWei: BigInt(value), jailedUntil: tombstoned ? 0 : value, tombstoned }
    }
  }
}

function build(parent: Built | undefined, wishes: readonly Wish[], fork: number): Built {
  const number = (parent?.ref.number ?? 9) + 1
  let { stakes, keys } = parent ?? { stakes: 0, keys: 0 }
  const events: StakeEvent[] = []
  for (const wish of wishes) {
    const event = eventOf(wish, stakes, keys, number)
    if (event.type === 'registered') stakes++
    if (event.type === 'registered' || event.type === 'rotated') keys++
    events.push(event)
  }
  return { ref: { number, hash: word(number * 1_000 + fork), timestamp: number * 12 }, events, stakes, keys }
}

const wishes = fc.array(
  fc.record({ action: fc.nat({ max: 7 }), stake: fc.nat({ max: 9 }), value: fc.integer({ min: 1, max: 2 ** 31 }) }),
  { maxLength: 5 },
)
/** Blocks, and now and then a reorg that takes some back. */
const story = fc.array(
  fc.oneof({ weight: 4, arbitrary: wishes }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 6 }) }),
  {
    minLength: 1,
    maxLength: 40,
  },
)

/** Plays a story; returns the ledger that went through it and the chain that was left. */
function play(parts: readonly (readonly Wish[] | number)[]): { ledger: StakeLedger; chain: Built[] } {
  const ledger = new StakeLedger()
  const chain: Built[] = []
  for (const [fork, part] of parts.entries()) {
    if (typeof part === 'number') {
      for (let undone = 0; undone < part && chain.length > 0; undone++) {
        chain.pop()
        ledger.undo()
      }
    } else {
      const block = build(chain.at(-1), part, fork)
      chain.push(block)
      ledger.apply(block.ref, block.events)
    }
  }
  return { ledger, chain }
}

function replay(chain: readonly Built[]): StakeLedger {
  const ledger = new StakeLedger()
  for (const { ref, events } of chain) ledger.apply(ref, events)
  return ledger
}

interface Readable {
  stake(id: number): unknown
  key(key: Address): unknown
}

/** Everything a reader can see. */
function seen(view: Readable, stakes: number, keys: number): unknown {
  return {
    stakes: Array.from({ length: stakes + 2 }, (_, i) => view.stake(i)),
    keys: Array.from({ length: keys + 2 }, (_, i) => view.key(address(i))),
  }
}

describe('StakeLedger', () => {
  // Seen failing with the undo records applied in the order of their making instead of the opposite one.
  test('any reorgs leave what a replay of the last chain gives', () => {
    fc.assert(
      fc.property(story, (parts) => {
        const { ledger, chain } = play(parts)
        const { stakes, keys } = chain.at(-1) ?? { stakes: 0, keys: 0 }
        expect(seen(ledger.tables, stakes, keys)).toEqual(seen(replay(chain).tables, stakes, keys))
        expect(ledger.tip).toMatchObject(chain.at(-1)?.ref ?? {})
      }),
      { numRuns: LONG ? 20_000 : 400 },
    )
  })

  // Seen failing with `at` reading one block too far back.
  test('at(block) is the registry at the end of that block, on every block kept', () => {
    fc.assert(
      fc.property(story, (parts) => {
        const { ledger, chain } = play(parts)
        const { stakes, keys } = chain.at(-1) ?? { stakes: 0, keys: 0 }
        for (const [index, { ref }] of chain.entries()) {
          const then = replay(chain.slice(0, index + 1))
          expect(seen(ledger.at(ref.number), stakes, keys)).toEqual(seen(then.tables, stakes, keys))
        }
      }),
      { numRuns: LONG ? 5_000 : 100 },
    )
  })

  test('a snapshot of any ledger gives it back, history included', () => {
    const subject = { chainId: 31337n, genesisHash: word(1), registry: address(2), salt: word(3) }
    fc.assert(
      fc.property(story, (parts) => {
        const { ledger, chain } = play(parts)
        const read = decodeSnapshot(encodeSnapshot(subject, ledger), subject)
        if (read.outcome !== 'loaded') throw new Error(read.outcome)
        const { stakes, keys } = chain.at(-1) ?? { stakes: 0, keys: 0 }
        expect(seen(read.ledger.tables, stakes, keys)).toEqual(seen(ledger.tables, stakes, keys))
        while (ledger.tip !== undefined) {
          expect(read.ledger.tip).toEqual(ledger.tip)
          read.ledger.undo()
          ledger.undo()
          expect(seen(read.ledger.tables, stakes, keys)).toEqual(seen(ledger.tables, stakes, keys))
        }
      }),
      { numRuns: LONG ? 5_000 : 100 },
    )
  })

  test('a snapshot with any byte changed or cut off is unusable, never wrong', () => {
    const subject = { chainId: 31337n, genesisHash: word(1), registry: address(2), salt: word(3) }
    const bytes = encodeSnapshot(subject, replay([build(undefined, [{ action: 0, stake: 0, value: 5 }], 0)]))
    fc.assert(
      fc.property(
        fc.nat({ max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (at, flip, cut) => {
          const broken = cut ? bytes.slice(0, at) : bytes.slice()
          if (!cut) broken[at] = (broken[at] as number) ^ flip
          expect(decodeSnapshot(broken, subject).outcome).toBe('unusable')
        },
      ),
    )
    expect(decodeSnapshot(bytes, { ...subject, salt: word(4) }).outcome).toBe('unusable')
  })

  test('a right counts from the block that gave it without a break since', () => {
    const active: Wish[] = [
      { action: 0, stake: 0, value: 1 },
      { action: 1, stake: 0, value: 7 },
    ]
    const slashed: Wish[] = [{ action: 7, stake: 0, value: 1_001 }]
    const first = build(undefined, active, 0)
    const second = build(first, slashed, 0)
    const third = build(second, [{ action: 6, stake: 0, value: 1 }], 0)
    const ledger = replay([first])
    expect(ledger.tables.speaksSinceBlock(1)).toBe(first.ref.number)
    ledger.apply(second.ref, second.events)
    expect(ledger.tables.speaksSinceBlock(1)).toBeUndefined()
    ledger.apply(third.ref, third.events)
    expect(ledger.tables.speaksSinceBlock(1)).toBe(third.ref.number)
    expect(canSpeak(ledger.tables.stake(1) as never)).toBe(true)
  })

  test('keyAt finds the one key of an epoch through any number of rotations', () => {
    const blocks = [build(undefined, [{ action: 0, stake: 0, value: 1 }], 0)]
    for (let i = 0; i < 4; i++) blocks.push(build(blocks.at(-1), [{ action: 3, stake: 0, value: 1 }], 0))
    const ledger = replay(blocks)
    const begins = blocks.map(({ ref }) => ref.number * EPOCH_BLOCKS)
    expect(ledger.keyAt(1, (begins[0] as number) - 1)).toBeUndefined()
    for (const [index, begin] of begins.entries()) {
      for (let epoch = begin; epoch < (begins[index + 1] ?? begin + 5); epoch++) {
        expect(ledger.keyAt(1, epoch)?.address).toBe(address(index + 1))
      }
    }
  })

  // Seen failing with the check for gaps in the ids taken out.
  test('logs an RPC left out are noticed, and the ledger stays as it was', () => {
    const first = build(undefined, [{ action: 0, stake: 0, value: 1 }], 0)
    const ledger = replay([first])
    const before = seen(ledger.tables, 3, 3)
    const lost = eventOf({ action: 0, stake: 0, value: 1 }, 2, 2, 11)
    const activated: StakeEvent = { type: 'activated', stakeId: 1, placement: word(1) }
    const ref = { number: 11, hash: word(11), timestamp: 132 }
    expect(() => ledger.apply(ref, [activated, lost])).toThrow(
      expect.objectContaining({ code: 'CHAIN_LOGS_INCOMPLETE' }),
    )
    expect(seen(ledger.tables, 3, 3)).toEqual(before)
    expect(ledger.tip).toMatchObject(first.ref)
  })

  test('forgets what is older than one unbonding period, and says so', () => {
    const blocks = [build(undefined, [{ action: 0, stake: 0, value: 1 }], 0)]
    for (let i = 0; i < 600; i++) blocks.push(build(blocks.at(-1), [{ action: 2, stake: 0, value: i + 1 }], 0))
    const ledger = replay(blocks)
    const kept = blocks[50]?.ref as BlockRef
    ledger.forgetBefore(kept.timestamp)
    expect(ledger.at(kept.number).stake(1)?.amountWei).toBe(50n)
    expect(ledger.completeFrom).toBe(kept.number - 1)
    expect(() => ledger.at(kept.number - 2)).toThrow(expect.objectContaining({ code: 'CHAIN_HISTORY_FORGOTTEN' }))
    expect(() => ledger.at(10_000)).toThrow(expect.objectContaining({ code: 'CHAIN_BLOCK_UNKNOWN' }))
  })

  test('100,000 stakes stay small in memory', () => {
    const ledger = new StakeLedger()
    const events: StakeEvent[] = Array.from({ length: 100_000 }, (_, i) =>
      eventOf({ action: 0, stake: 0, value: 1 + (i % 99) }, i, i, 10),
    )
    for (let at = 0; at < events.length; at += 1_000) {
      const number = 10 + at / 1_000
      ledger.apply({ number, hash: word(number), timestamp: number }, events.slice(at, at + 1_000))
    }
    ledger.forgetBefore(1_000)
    const { stakes, keys } = ledger.tables.dump()
    expect(ledger.tables.stakeCount).toBe(100_000)
    expect(stakes.length + keys.length).toBeLessThan(20_000_000)
    const started = performance.now()
    let speaking = 0
    for (let id = 1; id <= 100_000; id++) if (ledger.tables.speaksSinceBlock(id) !== undefined) speaking++
    expect(speaking).toBe(0)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
