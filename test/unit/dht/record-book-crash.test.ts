import fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex } from '../../../node/core/index.ts'
import type { DhtRecord } from '../../../node/dht/interface.ts'
import { RecordBook } from '../../../node/dht/records/record-book.ts'
import { comparePuts } from '../../../node/dht/records/version.ts'
import { noLogger, noMetrics } from '../../../node/lab/simulation/silence.ts'
import { chunkRoot, KEY_TYPE, keccak256, positionOf } from '../../../node/statements/index.ts'
import { openSimulatedTable, SimulatedDisk } from '../../../node/store/index.ts'
import { PARAMS } from './world.ts'

const RUNS = process.env.SUPRNOVA_LONG === '1' ? 20_000 : 250

/** The version that is offered: few of everything, so that all of them meet. */
interface Offered {
  readonly place: number
  readonly writer: number
  readonly rank: number
  readonly epoch: number
  readonly leaf: number
  readonly content: number
  readonly expiry: number
  readonly until: number
  readonly standIn: boolean
}

type Step =
  | { readonly do: 'save'; readonly offered: readonly Offered[] }
  | { readonly do: 'sweep'; readonly epochs: number }
  | { readonly do: 'challenge'; readonly nth: number; readonly isOpen: boolean }
  | { readonly do: 'crash'; readonly after: number; readonly power: boolean; readonly offered: readonly Offered[] }

const offered: fc.Arbitrary<Offered> = fc.record({
  place: fc.nat(2),
  writer: fc.nat(2),
  rank: fc.nat(2),
  epoch: fc.nat(4),
  leaf: fc.nat(1),
  content: fc.nat(2),
  expiry: fc.nat(8),
  until: fc.nat(8),
  standIn: fc.boolean(),
})
const several = fc.array(offered, { minLength: 1, maxLength: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: several.map((offered) => ({ do: 'save' as const, offered })) },
  {
    weight: 3,
    arbitrary: fc.oneof(fc.nat(3), fc.integer({ min: 4, max: 16 })).map((epochs) => ({ do: 'sweep' as const, epochs })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('challenge' as const),
      nth: fc.nat(5),
      isOpen: fc.nat(3).map((n) => n > 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      after: fc.integer({ min: 1, max: 12 }),
      power: fc.boolean(),
      offered: several,
    }),
  },
)

const START_EPOCH = 100

/** The digest follows from what is signed, so the same slot with another content has another one. */
function recordOf({ content, epoch, expiry, leaf, place, rank, writer }: Offered): DhtRecord {
  const value = new Uint8Array(10 + content).fill(content + 1)
  const name = `${writer} ${epoch} ${content} ${rank} ${expiry}`
  return {
    recordKey: keccak256(Uint8Array.of(1, place >> 1)),
    entry: keccak256(Uint8Array.of(2, place & 1)),
    version: { rank: BigInt(rank), position: positionOf(START_EPOCH + epoch, 0), leaf },
    frame: new Uint8Array(Buffer.from(`frame of ${name} ${leaf} at ${place}`.padEnd(90))),
    signer: `0x${'11'.repeat(20)}`,
    writerStakeId: writer + 1,
    putDigest: keccak256(new Uint8Array(Buffer.from(name))),
    // One of the two records is a cell, whose entries are found by another way.
    put: {
      ...{ keyType: (place >> 1 === 1 ? KEY_TYPE.cell : KEY_TYPE.owner) as 1 },
      keyPreimage: new Uint8Array(32),
      valueRoot: chunkRoot(value),
      size: value.length,
      expiryEpoch: BigInt(START_EPOCH + expiry),
    },
    value,
  }
}

interface Promise_ {
  readonly record: DhtRecord
  readonly untilEpoch: number
}

const promiseName = ({ putDigest, recordKey, entry, version }: DhtRecord) =>
  `${toHex(recordKey)} ${toHex(entry)} ${toHex(putDigest)} ${version.leaf}`

const entryName = ({ entry, recordKey }: DhtRecord) => `${toHex(recordKey)} ${toHex(entry)}`

/** The book over a disk that may die at any operation, beside everything it ever promised. */
class Trial {
  readonly #disk: SimulatedDisk
  readonly #promises = new Map<string, Promise_>()
  /** The newest of each entry that was acknowledged or may have been written, over or not. */
  readonly #newest = new Map<string, DhtRecord>()
  readonly #challenged = new Set<string>()
  #finalSeconds = START_EPOCH * PARAMS.epochSeconds
  #book: RecordBook | undefined

  constructor(draw: (below: number) => number) {
    this.#disk = new SimulatedDisk(draw)
  }

  async open(): Promise<RecordBook> {
    const table = await openSimulatedTable(this.#disk.open(), '/d/records')
    const challenges = {
      isOpen: (digest: Uint8Array, leaf: number) => this.#challenged.has(`${toHex(digest)} ${leaf}`),
      readUntilSeconds: () => Number.POSITIVE_INFINITY,
    }
    return RecordBook.open(PARAMS, { table, challenges, metrics: noMetrics, logger: noLogger })
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#book = await this.open()
    for (const one of steps) {
      if (one.do === 'save') await Promise.all(one.offered.map((offered) => this.#save(offered)))
      if (one.do === 'sweep') await this.#sweep(one.epochs)
      if (one.do === 'challenge') this.#challenge(one)
      if (one.do === 'crash') await this.#crash(one)
      await this.#check()
    }
    await this.#end()
  }

  /** When everything is over, nothing is left behind. */
  async #end(): Promise<void> {
    this.#challenged.clear()
    this.#promises.clear()
    for (let look = 0; look < 3; look++) await this.#sweep(1_000)
    const table = await openSimulatedTable(this.#disk.open(), '/d/records')
    expect([...table.range(Uint8Array.of(0), Uint8Array.of(255))]).toEqual([])
    expect(this.#book?.stats()).toMatchObject({ records: 0, older: 0, bytes: 0, writers: 0 })
  }

  async #save(offered: Offered): Promise<void> {
    const record = recordOf(offered)
    const untilEpoch = START_EPOCH + offered.until
    const saved = await (this.#book as RecordBook).save(record, { untilEpoch, standIn: offered.standIn })
    if (saved.outcome === 'conflict') return
    if (saved.outcome === 'superseded') {
      expect(comparePuts(saved.current, record)).toBeGreaterThan(0)
      return
    }
    // Here a receipt would leave.
    const name = promiseName(record)
    const before = this.#promises.get(name)?.untilEpoch ?? 0
    this.#promises.set(name, { record, untilEpoch: Math.max(before, untilEpoch) })
    this.#note(record)
  }

  #note(record: DhtRecord): void {
    const newest = this.#newest.get(entryName(record))
    if (newest === undefined || comparePuts(newest, record) <= 0) this.#newest.set(entryName(record), record)
  }

  async #sweep(epochs: number): Promise<void> {
    this.#finalSeconds += epochs * PARAMS.epochSeconds
    await (this.#book as RecordBook).sweep(this.#finalSeconds)
  }

  #challenge({ isOpen, nth }: { readonly nth: number; readonly isOpen: boolean }): void {
    const promises = [...this.#promises.values()].filter((promise) => this.#isDue(promise))
    const { record } = promises[nth % Math.max(1, promises.length)] ?? {}
    if (record === undefined) return
    const name = `${toHex(record.putDigest)} ${record.version.leaf}`
    if (isOpen) this.#challenged.add(name)
    else this.#challenged.delete(name)
  }

  /** The process dies at one of its next operations on the disk, while it saves and sweeps. */
  async #crash({ after, offered, power }: { after: number; power: boolean; offered: readonly Offered[] }) {
    const crashed = new Promise<void>((resolve) => this.#disk.crashAfter(after, resolve))
    const sweeping = (this.#book as RecordBook).sweep(this.#finalSeconds)
    await Promise.race([crashed, Promise.all([...offered.map((one) => this.#save(one)), sweeping])])
    // What was not acknowledged may be there all the same.
    for (const one of offered) this.#note(recordOf(one))
    if (power) this.#disk.losePower()
    else this.#disk.kill()
    this.#book = await this.open()
  }

  /** Whether a promise may still be called in. */
  #isDue({ record, untilEpoch }: Promise_): boolean {
    const { epochSeconds, responseSeconds, skewSeconds } = PARAMS
    const isOver = (untilEpoch + 1) * epochSeconds + responseSeconds + skewSeconds <= this.#finalSeconds
    return !isOver || this.#challenged.has(`${toHex(record.putDigest)} ${record.version.leaf}`)
  }

  async #check(): Promise<void> {
    const book = this.#book as RecordBook
    for (const [name, promise] of this.#promises) {
      const { record } = promise
      // Once over and not under challenge it may go at any time, and no challenge can bring it back.
      if (!this.#isDue(promise)) {
        this.#promises.delete(name)
        continue
      }
      const found = book.receipted(record.recordKey, record.putDigest, record.version.leaf)
      expect(toHex(found?.value() ?? new Uint8Array()), name).toBe(toHex(record.value))
      // The newest that was ever promised of an entry is current, until it is over.
      if (this.#newest.get(entryName(record)) !== record) continue
      const current = book.current(record)
      expect(current).toBeDefined()
      if (current !== undefined) expect(comparePuts(current, record)).toBeGreaterThanOrEqual(0)
    }
    // What was counted on the way is what a look at the disk counts.
    const reopened = await this.open()
    expect(book.stats()).toMatchObject({ ...reopened.stats(), promisedUntilEpoch: expect.any(Number) })
    expect([1, 2, 3].map((stakeId) => book.usage(stakeId))).toEqual([1, 2, 3].map((id) => reopened.usage(id)))
  }
}

// Seen to fail: with the digest left out of the row names (a value written over by another writer's at the same
// position); with a receipt given for a second content of a slot; with the keep row written after the record instead of
// with it; with a longer promise kept in memory alone; with an older version dropped when a newer one comes; with a
// sweep that does not look for challenges.
it('every promise is honoured to its end, whatever crashes, newer versions, sweeps and challenges come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.infiniteStream(fc.nat(1 << 20)), async (steps, draws) => {
      const stream = draws[Symbol.iterator]()
      await new Trial((below) => (stream.next().value as number) % below).run(steps)
    }),
    { numRuns: RUNS },
  )
})
