import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DIGEST_BUCKETS } from '../../../node/dht/repair/constants.ts'
import { Rate } from '../../../node/dht/repair/rate.ts'
import { entryHash, ShareDigest } from '../../../node/dht/repair/share-digest.ts'
import { type IndexedEntry, keysOf, prefixOf, ShareIndex } from '../../../node/dht/repair/share-index.ts'
import { SilentPeers } from '../../../node/dht/repair/silent-peers.ts'

const SALT = { high: 0x1234_5678, low: 0x9abc_def0 }
const OWN_SALT = new Uint8Array(16).fill(9)
const EPOCH = 100
const NOBODY: ReadonlySet<number> = new Set()
const ALL = { first: 0, limit: 1_000 }

function entry(number: number, changes: Partial<IndexedEntry> = {}): IndexedEntry {
  const recordKey = new Uint8Array(32)
  new DataView(recordKey.buffer).setUint32(0, Math.imul(number, 0x9e37_79b1))
  recordKey[7] = number & 0xff
  return {
    recordKey,
    entry: new Uint8Array(32),
    version: { rank: 0n, position: BigInt(number), leaf: 0 },
    putEpoch: EPOCH - 5,
    expiryEpoch: EPOCH + 5,
    ...changes,
  }
}

/** What the index must agree with: a list, looked through. */
interface Model {
  readonly entries: Map<string, { readonly indexed: IndexedEntry; readonly members: readonly number[] }>
}

const nameOf = ({ recordKey, entry: id }: IndexedEntry) => Buffer.concat([recordKey, id]).toString('hex')
const isCompared = ({ expiryEpoch, putEpoch }: IndexedEntry) => putEpoch < EPOCH && expiryEpoch > EPOCH
const bucketOf = ({ recordKey }: IndexedEntry) => recordKey[7] as number

const step = fc.record({
  number: fc.integer({ min: 0, max: 120 }),
  position: fc.bigInt({ min: 1n, max: 4n }),
  putEpoch: fc.integer({ min: EPOCH - 3, max: EPOCH }),
  expiryEpoch: fc.integer({ min: EPOCH - 1, max: EPOCH + 3 }),
  members: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
})

describe('the index of shared records', () => {
  // Seen to fail when a row kept the members of the version before.
  it('agrees with a list that is looked through, whatever is put in, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, dropsExpired) => {
        const index = new ShareIndex(3, OWN_SALT)
        const model: Model = { entries: new Map() }
        for (const { expiryEpoch, members, number, position, putEpoch } of steps) {
          const indexed = entry(number, { putEpoch, expiryEpoch, version: { rank: 0n, position, leaf: 0 } })
          index.set(indexed, members)
          model.entries.set(nameOf(indexed), { indexed, members })
        }
        if (dropsExpired) {
          index.dropExpired(EPOCH)
          for (const [name, { indexed }] of model.entries) {
            if (indexed.expiryEpoch < EPOCH) model.entries.delete(name)
          }
        }
        const rows = [...model.entries.values()]
        expect(index.size).toBe(rows.length)
        expect(index.members()).toEqual(new Set(rows.flatMap(({ members }) => members)))
        const shared = rows.filter(
          ({ indexed, members }) => isCompared(indexed) && members.includes(1) && members.includes(2),
        )
        const digest = new ShareDigest()
        for (const { indexed } of shared) digest.add(bucketOf(indexed), entryHash(indexed, indexed.version), SALT)
        expect(index.digest(1, 2, EPOCH, SALT).total()).toEqual(digest.total())
        expect(index.digest(1, 2, EPOCH, SALT).differences(digest)).toEqual([])
        const buckets = [0, 1, 2, 3, 4, 5, 50, 100]
        expect(new Set(index.sharedKeys(1, 2, EPOCH, buckets))).toEqual(
          new Set(
            shared
              .filter((row) => buckets.includes(bucketOf(row.indexed)))
              .map((row) => prefixOf(row.indexed.recordKey)),
          ),
        )
        const strays = rows.filter(({ indexed, members }) => isCompared(indexed) && !members.includes(1))
        expect(new Set(index.strayKeys(1, EPOCH, NOBODY, ALL))).toEqual(
          new Set(strays.map(({ indexed }) => prefixOf(indexed.recordKey))),
        )
      }),
    )
  })

  it('leaves out what was written in the running epoch and what ends with it', () => {
    const index = new ShareIndex(3, OWN_SALT)
    index.set(entry(1, { putEpoch: EPOCH }), [1, 2])
    index.set(entry(2, { expiryEpoch: EPOCH }), [1, 2])
    index.set(entry(3), [1, 2])
    expect(index.digest(1, 2, EPOCH, SALT).total().count).toBe(1)
    expect(index.digest(1, 2, EPOCH + 1, SALT).total().count).toBe(2)
  })

  it('remembers that a version is settled, until the version, its replicas or who is away change', () => {
    const index = new ShareIndex(3, OWN_SALT)
    const stray = entry(1)
    const strays = (of: ShareIndex, away: ReadonlySet<number> = NOBODY) => of.strayKeys(9, EPOCH, away, ALL).length
    index.set(stray, [1, 2, 3])
    expect(strays(index)).toBe(1)
    index.settle(stray, NOBODY)
    expect(strays(index)).toBe(0)
    expect(strays(index, new Set([2]))).toBe(1)

    const same = new ShareIndex(3, OWN_SALT)
    same.set(stray, [1, 2, 3], index)
    expect(strays(same)).toBe(0)
    const others = new ShareIndex(3, OWN_SALT)
    others.set(stray, [1, 2, 4], index)
    expect(strays(others)).toBe(1)
    const newer = new ShareIndex(3, OWN_SALT)
    newer.set({ ...stray, version: { ...stray.version, position: 77n } }, [1, 2, 3], index)
    expect(strays(newer)).toBe(1)
    // Settling what is not there any more settles nothing else.
    newer.settle(stray, NOBODY)
    expect(strays(newer)).toBe(1)
  })

  // Seen to fail when every look began with the first row.
  it('begins anywhere, so that strays which cannot be settled never hide the others', () => {
    const index = new ShareIndex(3, OWN_SALT)
    for (let number = 0; number < 100; number++) index.set(entry(number), [1, 2, 3])
    const seen = new Set<bigint>()
    for (let first = 0; first < 400; first += 7) {
      const page = index.strayKeys(9, EPOCH, NOBODY, { first, limit: 10 })
      expect(page).toHaveLength(10)
      for (const key of page) seen.add(key)
    }
    expect(seen.size).toBe(100)
  })

  it('turns a prefix into the range of its keys', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        const { from, to } = keysOf(prefixOf(key))
        expect(Buffer.compare(from, key)).toBeLessThanOrEqual(0)
        expect(Buffer.compare(key, to)).toBeLessThanOrEqual(0)
        expect(prefixOf(from)).toBe(prefixOf(to))
      }),
    )
  })
})

describe('a digest', () => {
  const items = fc.array(
    fc.record({ bucket: fc.integer({ min: 0, max: 255 }), hash: fc.record({ high: fc.nat(), low: fc.nat() }) }),
    { minLength: 1, maxLength: 80 },
  )

  it('does not depend on order, and its total is the sum of its buckets', () => {
    fc.assert(
      fc.property(items, (added) => {
        const forwards = new ShareDigest()
        const backwards = new ShareDigest()
        for (const { bucket, hash } of added) forwards.add(bucket, hash, SALT)
        for (const { bucket, hash } of [...added].reverse()) backwards.add(bucket, hash, SALT)
        expect(forwards.differences(backwards)).toEqual([])
        const sum = (words: Uint32Array) => words.reduce((total, one) => (total + one) >>> 0, 0)
        expect(forwards.total()).toEqual({
          count: added.length,
          high: sum(forwards.high),
          low: sum(forwards.low),
        })
      }),
    )
  })

  it('tells the buckets in which one entry is missing or another one stands', () => {
    fc.assert(
      fc.property(items, fc.nat(), (added, at) => {
        const whole = new ShareDigest()
        const without = new ShareDigest()
        const other = new ShareDigest()
        const changed = at % added.length
        for (const [index, { bucket, hash }] of added.entries()) {
          whole.add(bucket, hash, SALT)
          if (index !== changed) without.add(bucket, hash, SALT)
          other.add(bucket, index === changed ? { high: hash.high ^ 1, low: hash.low } : hash, SALT)
        }
        const { bucket } = added[changed] as { bucket: number }
        expect(whole.differences(without)).toEqual([bucket])
        expect(whole.differences(other)).toEqual([bucket])
      }),
    )
  })

  it('differs by its salt: sums cannot be made to cancel out beforehand', () => {
    const sums = new Set<string>()
    for (let salt = 0; salt < 200; salt++) {
      const digest = new ShareDigest()
      digest.add(3, { high: 1, low: 2 }, { high: salt, low: 77 })
      sums.add(`${digest.high[3]} ${digest.low[3]}`)
    }
    expect(sums.size).toBe(200)
  })

  it('has as many buckets as a byte has values: a bucket is the eighth byte of a key', () => {
    expect(DIGEST_BUCKETS).toBe(256)
  })
})

describe('a rate', () => {
  it('gives its burst at once, its rate after that, and never more than the burst after a pause', () => {
    let nowMs = 1_000
    const rate = new Rate({ perSecond: 10, burst: 5 }, { nowMs: () => nowMs })
    expect(Array.from({ length: 7 }, () => rate.take(1))).toEqual([true, true, true, true, true, false, false])
    nowMs += 250
    expect([rate.take(2), rate.take(1)]).toEqual([true, false])
    nowMs += 3_600_000
    expect([rate.take(5), rate.take(1)]).toEqual([true, false])
  })

  it('neither gives more nor stands still when the clock steps back', () => {
    let nowMs = 10_000
    const rate = new Rate({ perSecond: 10, burst: 5 }, { nowMs: () => nowMs })
    rate.take(5)
    nowMs -= 9_000
    expect(rate.take(1)).toBe(false)
    nowMs += 100
    expect([rate.take(1), rate.take(1)]).toEqual([true, false])
  })

  it('says how long to wait for what is taken in any case', () => {
    const rate = new Rate({ perSecond: 1_000, burst: 500 }, { nowMs: () => 0 })
    expect([rate.spend(500), rate.spend(250), rate.spend(250)]).toEqual([0, 250, 500])
  })
})

describe('silent peers', () => {
  it('are away after three phases in a row, and back with one answer', () => {
    const silent = new SilentPeers()
    for (const phase of [1, 1, 1, 2]) silent.failed(7, phase)
    expect([...silent.away()]).toEqual([])
    silent.failed(7, 3)
    expect([...silent.away()]).toEqual([7])
    silent.answered(7)
    expect([...silent.away()]).toEqual([])
  })

  it('are forgotten oldest first past their bound', () => {
    const silent = new SilentPeers()
    for (let stakeId = 0; stakeId < 5_000; stakeId++) for (const phase of [1, 2, 3]) silent.failed(stakeId, phase)
    expect(silent.size).toBe(4_096)
    expect(silent.away().has(0)).toBe(false)
    expect(silent.away().has(4_999)).toBe(true)
  })
})
