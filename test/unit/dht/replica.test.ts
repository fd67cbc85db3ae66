import { afterEach, describe, expect, it } from 'vitest'
import { KIND, toHex } from '../../../node/core/index.ts'
import { FETCH_LOOKS_MAX } from '../../../node/dht/constants.ts'
import type { DhtRecord } from '../../../node/dht/interface.ts'
import { decodeFetchAnswer, decodeStoreAnswer, encodeFetch, encodeStore } from '../../../node/dht/protocol/messages.ts'
import {
  CELL_ENTRIES_PER_STAKE,
  RECEIPTS_REMEMBERED_MAX,
  STORE_BYTES_UNDER_WAY_PER_ASKER_MAX,
  STORES_UNDER_WAY_MAX,
  STORES_UNDER_WAY_PER_ASKER_MAX,
} from '../../../node/dht/replica/constants.ts'
import { ReceiptDesk } from '../../../node/dht/replica/receipt-desk.ts'
import { UnderWay } from '../../../node/dht/replica/under-way.ts'
import {
  AUTHORITY,
  decodeFrame,
  decodeReceipt,
  epochOf,
  KEY_TYPE,
  StatementSigner,
} from '../../../node/statements/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'
import { DOMAIN } from '../statements/world.ts'
import {
  bytesOf,
  CountedMetrics,
  CountingGuard,
  LIFE_EPOCHS,
  PARAMS,
  signerOf,
  text,
  World,
  type WorldNode,
} from './world.ts'

let world: World
afterEach(() => Promise.all(world.nodes.map(({ dht }) => world.run(dht.stop()))))

async function store(node: WorldNode, record: DhtRecord, { stakeId = 2, without = false, standIn = false } = {}) {
  const { frame, value } = record
  const answer = await node.ask(encodeStore({ standIn, frame, value: without ? undefined : value }), { stakeId })
  return decodeStoreAnswer(answer)
}

async function fetchPage(node: WorldNode, recordKey: Uint8Array, after?: Uint8Array) {
  const answer = decodeFetchAnswer(await node.ask(encodeFetch({ recordKey, after, values: true })))
  if (answer.status !== 'found') throw new Error('refused')
  return answer
}

const receiptOf = (answer: Awaited<ReturnType<typeof store>>) => {
  if (answer.status !== 'stored') throw new Error(`not stored: ${JSON.stringify(answer)}`)
  const { bodies, signed } = decodeFrame(answer.receipt)
  return { ...decodeReceipt(bodies[0]?.bytes ?? new Uint8Array()), position: signed.statement.position }
}

/** The value of what is newer, in an answer that says that something is. */
function shownOf(answer: Awaited<ReturnType<typeof store>>) {
  if (answer.status !== 'superseded') throw new Error(`not superseded: ${JSON.stringify(answer)}`)
  return answer.current.value && toHex(answer.current.value)
}

/** An agent of stake 2 in the cell at the origin. */
const agent = (name: string, authorityStakeId = 2n) => ({
  keyType: KEY_TYPE.cell,
  keyPreimage: bytes32('world'),
  cell: {
    ...{ level: 30, position: [1n, 1n], agentId: bytes32(name), leaseNumber: 0n, leaseUntilEpoch: 2n ** 40n },
    ...{ authorityKind: AUTHORITY.writer, authorityStakeId },
  },
})

describe('a replica that is asked to hold', () => {
  it('promises to the end of the life, and no longer than a receipt lives', async () => {
    world = await World.of(3)
    const long = receiptOf(await store(world.of(1), world.put(2, {})))
    expect(long.untilEpoch).toBe(BigInt(world.epoch + 60))
    const body = { expiryEpoch: BigInt(world.epoch + 7) }
    const short = receiptOf(await store(world.of(1), world.put(2, { index: 1, body })))
    expect(short.untilEpoch).toBe(BigInt(world.epoch + 7))
  })

  it.each([
    ['a value that is another', 'invalid', (record: DhtRecord) => ({ ...record, value: text('other') })],
    ['no value at all', 'invalid', (record: DhtRecord) => ({ ...record, value: new Uint8Array() })],
    ['a frame cut off', 'invalid', (record: DhtRecord) => ({ ...record, frame: record.frame.slice(0, 200) })],
    ['a signature that is none', 'invalid', flipped(100)],
    ['a path that leads elsewhere', 'invalid', flipped(161)],
  ])('refuses %s', async (_what, reason, change) => {
    world = await World.of(3)
    const record = world.puts(2, [{}, { value: text('second') }])[0] as DhtRecord
    expect(await store(world.of(1), change(record))).toMatchObject({ status: 'refused', reason })
    expect(world.of(1).dht.stats().records).toBe(0)
  })

  it('refuses what lives too long, is over, comes from the future or from nobody', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const until = (epochs: number) => ({ body: { expiryEpoch: BigInt(world.epoch + epochs) } })
    expect(await store(node, world.put(2, until(61)))).toMatchObject({ reason: 'window' })
    expect(await store(node, world.put(2, { ...until(-1), index: 1 }))).toMatchObject({ reason: 'window' })
    expect(await store(node, world.put(2, { epoch: world.epoch + 2 }))).toMatchObject({ reason: 'window' })
    expect(await store(node, world.put(2, { epoch: world.epoch - 61, ...until(0) }))).toMatchObject({
      reason: 'window',
    })
    expect(await store(node, world.put(77, {}))).toMatchObject({ reason: 'unknown-writer' })
    const mesh = { keyType: KEY_TYPE.mesh, keyPreimage: bytes32('mesh') }
    expect(await store(node, world.put(2, { index: 2, body: mesh }))).toMatchObject({ reason: 'unsupported' })
  })

  it('stores nothing for a key that is another stake’s, unless it stands in', async () => {
    world = await World.of(30)
    const record = world.put(2, {})
    const table = world.of(1).dht.tables.table(world.epoch)
    const order = table?.closest(record.recordKey, 30) ?? []
    const [near, far] = [order[0] as number, order[29] as number]
    expect(await store(world.of(near), record)).toMatchObject({ status: 'stored' })
    expect(await store(world.of(far), record)).toMatchObject({ reason: 'not-mine' })
    expect(await store(world.of(far), record, { standIn: true })).toMatchObject({ reason: 'not-mine' })
  })

  it('takes the newest, shows it to whoever brings an older one, and keeps what it promised of that', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const [first, second] = [
      world.put(2, { value: text('1') }),
      world.put(2, { value: bytesOf('2', 60_000), index: 1 }),
    ]
    await store(node, first)
    await store(node, second)
    const third = world.put(2, { value: text('0'), epoch: world.epoch - 1 })
    const answer = await store(node, third)
    expect(shownOf(answer)).toBe(toHex(second.value))
    // Who has no stake cannot take it over, and gets no 60 kB for a hundred bytes.
    const toReader = decodeStoreAnswer(
      await node.ask(encodeStore({ standIn: false, frame: third.frame, value: third.value })),
    )
    expect(shownOf(toReader)).toBeUndefined()
    const question = {
      recordKey: first.recordKey,
      putDigest: first.putDigest,
      putLeaf: 0,
      valueRoot: first.put.valueRoot,
    }
    expect((await node.dht.find({ ...question, chunkIndex: 0 }))?.chunk).toEqual(first.value)
    expect(toHex((await node.dht.laterPut({ ...question, chunkIndex: 0 })) ?? text(''))).toBe(toHex(second.frame))
  })

  it('offers no later PUT that the court would not take: of content, or of another writer', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const content = { keyType: KEY_TYPE.content, keyPreimage: new Uint8Array(32) }
    const [old, anew] = [world.put(2, { body: content }), world.put(2, { body: content, index: 1 })]
    await store(node, old)
    await store(node, anew)
    const { putDigest, put, recordKey } = old
    const question = { recordKey, putDigest, putLeaf: 0, valueRoot: put.valueRoot, chunkIndex: 0 }
    expect(await node.dht.laterPut(question)).toBeUndefined()
    expect(await node.dht.find(question)).toBeDefined()
  })

  it('a second content of a slot refuses, and reports its writer', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const [one, two] = [world.put(2, { value: text('one') }), world.put(2, { value: text('two') })]
    expect(await store(node, one)).toMatchObject({ status: 'stored' })
    expect(await store(node, two)).toMatchObject({ reason: 'conflict' })
    expect(node.offences).toMatchObject([{ stakeId: 2 }])
    const question = { recordKey: one.recordKey, putDigest: one.putDigest, putLeaf: 0, valueRoot: one.put.valueRoot }
    expect(await node.dht.find({ ...question, chunkIndex: 0 })).toBeDefined()
  })

  // Seen failing when what others show was read as any other record: nothing of a silenced writer is.
  it('finds the bytes of a challenge at others, although their writer is silenced', async () => {
    world = await World.of(3)
    const record = world.put(2, {})
    expect(await store(world.of(1), record)).toMatchObject({ status: 'stored' })
    world.chain.tombstone(2)
    await world.epochs(1)
    const { put, putDigest, recordKey } = record
    const question = { recordKey, putDigest, putLeaf: 0, valueRoot: put.valueRoot, chunkIndex: 0 }
    const { dht } = world.of(3)
    expect(await dht.find(question)).toBeUndefined()
    expect((await world.run(dht.search(question)))?.chunk).toEqual(record.value)
  })

  it('takes bytes it holds already without being sent them, and says so when it lacks them', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const old = world.put(2, { value: text('value') })
    expect(await store(node, old, { without: true })).toMatchObject({ reason: 'lacking' })
    await store(node, old)
    expect(await store(node, old, { without: true })).toMatchObject({ status: 'stored' })
    expect(await store(node, world.put(2, { value: text('value'), index: 1 }), { without: true })).toMatchObject({
      status: 'stored',
    })
    const other = world.put(2, { value: text('other'), index: 2 })
    expect(await store(node, other, { without: true })).toMatchObject({ reason: 'lacking' })
    // Of content it is enough that anybody stored it.
    const body = { keyType: KEY_TYPE.content, keyPreimage: new Uint8Array(32) }
    await store(node, world.put(2, { body, index: 3 }))
    expect(await store(node, world.put(3, { body }), { without: true })).toMatchObject({ status: 'stored' })
  })

  it('promises nothing while its own stake is leaving, and honours what it promised', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const record = world.put(2, {})
    await store(node, record)
    world.chain.unbond(1)
    await world.time.advance(2_000)
    expect(await store(node, record)).toMatchObject({ reason: 'draining' })
    expect((await fetchPage(node, record.recordKey)).puts).toHaveLength(1)
    world.chain.tombstone(2)
    await world.time.advance(2_000)
    const { put, putDigest, recordKey } = record
    const question = { recordKey, putDigest, putLeaf: 0, valueRoot: put.valueRoot, chunkIndex: 0 }
    expect(await node.dht.find(question)).toBeDefined()
  })

  it('holds no more of one writer than its share, counts what is superseded, and frees it when it is over', async () => {
    world = await World.of(3, { quota: { bytes: 10_000, records: 4 } })
    const node = world.of(1)
    const version = (index: number, value: Uint8Array = text(`${index}`)) => world.put(2, { index, value })
    for (let index = 0; index < 4; index++) {
      expect(await store(node, version(index))).toMatchObject({ status: 'stored' })
    }
    expect(await store(node, version(4))).toMatchObject({ reason: 'quota', detail: '4 records' })
    // What is held already is promised again.
    expect(await store(node, version(3))).toMatchObject({ status: 'stored' })
    expect(await store(node, world.put(3, {}))).toMatchObject({ status: 'stored' })
    await world.epochs(60 + 5)
    await world.run(node.dht.replica.sweep())
    expect(node.dht.replica.book.usage(2)).toEqual({ records: 0, bytes: 0 })
    expect(await store(node, version(0, bytesOf('large', 9_000)))).toMatchObject({ status: 'stored' })
    expect(await store(node, version(1, bytesOf('large', 9_000)))).toMatchObject({ reason: 'quota' })
  })

  it('a second leaf of a held statement does not slip through the share of its writer', async () => {
    world = await World.of(3, { quota: { bytes: 10_000, records: 1 } })
    const [one, two] = world.puts(2, [{ value: text('1') }, { value: text('2') }]) as [DhtRecord, DhtRecord]
    expect(await store(world.of(1), one)).toMatchObject({ status: 'stored' })
    expect(await store(world.of(1), two)).toMatchObject({ reason: 'quota' })
  })

  it('holds so many entries of one writer in one cell, and more of others', async () => {
    world = await World.of(3)
    const node = world.of(1)
    for (let at = 0; at < CELL_ENTRIES_PER_STAKE; at += 64) {
      const bodies = Array.from({ length: 64 }, (_, i) => ({ body: agent(`agent ${at + i}`), value: text('here') }))
      const records = world.puts(2, bodies, { index: at })
      for (const answer of await Promise.all(records.map((record) => store(node, record)))) {
        expect(answer).toMatchObject({ status: 'stored' })
      }
    }
    const more = world.put(2, { body: agent('one more'), index: 999 })
    expect(await store(node, more)).toMatchObject({ reason: 'quota' })
    expect(await store(node, world.put(2, { body: agent('agent 0'), index: 1000 }))).toMatchObject({ status: 'stored' })
    expect(await store(node, world.put(3, { body: agent('agent 0', 3n) }))).toMatchObject({ status: 'stored' })
    // The count is the same after a restart.
    world.kill(1)
    const again = await world.open(1)
    expect(again.dht.replica.book.crowdOf(more.recordKey, 2)).toBe(CELL_ENTRIES_PER_STAKE)
  })
})

describe('a replica that is asked to show', () => {
  it('shows a crowd page by page, each entry once, and goes on behind what is over', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const count = 200
    for (let at = 0; at < count; at += 50) {
      const bodies = Array.from({ length: 50 }, (_, i) => ({
        body: { ...agent(`agent ${at + i}`), expiryEpoch: BigInt(world.epoch + (i % 5 === 0 ? 1 : 60)) },
        value: bytesOf(`${at + i}`, 1_000),
      }))
      await Promise.all(world.puts(2, bodies, { index: at }).map((record) => store(node, record)))
    }
    await world.epochs(3)
    const recordKey = world.put(2, { body: agent('any') }).recordKey
    const shown: string[] = []
    let after: Uint8Array | undefined
    let pages = 0
    do {
      const page = await fetchPage(node, recordKey, after)
      shown.push(...page.puts.map(({ frame }) => toHex(frame)))
      after = page.next
      pages++
    } while (after !== undefined)
    expect(pages).toBeGreaterThan(1)
    expect(shown).toHaveLength(count * (4 / 5))
    expect(new Set(shown).size).toBe(shown.length)
    expect(FETCH_LOOKS_MAX).toBeGreaterThan(count)
  })
})

describe('receipts', () => {
  // Seen to fail before: each repeat took an index of the epoch, and 65,536 of them left the replica without a voice.
  it('of one PUT in one epoch are one receipt, however often it is asked for', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const record = world.put(2, {})
    const first = receiptOf(await store(node, record))
    for (let i = 0; i < 20; i++) expect(receiptOf(await store(node, record)).position).toBe(first.position)
    expect(node.guard.used(KIND.receipt)).toBe(1)
    await world.epochs(1)
    expect(receiptOf(await store(node, record)).position).toBeGreaterThan(first.position)
  })

  // Two stakes that sign the same words at the same position have one digest, and for content one record key too. Seen to
  // fail with receipts remembered by digest and record alone: the second was given the promise made to the first.
  it('name whose PUT they are for, where two stakes signed the same', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const body = { keyType: KEY_TYPE.content, keyPreimage: new Uint8Array(32) } as const
    const [of2, of3] = [world.put(2, { body }), world.put(3, { body })] as const
    expect([toHex(of2.putDigest), toHex(of2.recordKey)]).toEqual([toHex(of3.putDigest), toHex(of3.recordKey)])
    const given = []
    for (const record of [of2, of3, of2, of3]) given.push(receiptOf(await store(node, record)))
    expect(given.map(({ publisherStakeId }) => publisherStakeId)).toEqual([2n, 3n, 2n, 3n])
    expect(node.guard.used(KIND.receipt)).toBe(2)
  })

  it('asked for in one turn share a signature, and one alone waits for nobody', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const bodies = Array.from({ length: 64 }, (_, i) => ({ body: { keyPreimage: bytes32(`${i}`) } }))
    const records = world.puts(2, bodies)
    const answers = await Promise.all(records.map((record) => store(node, record)))
    expect(new Set(answers.map((answer) => receiptOf(answer).position)).size).toBe(1)
    const startMs = world.time.nowMs()
    await store(node, world.put(2, { index: 9 }))
    expect(world.time.nowMs()).toBe(startMs)
  })

  // Seen to fail without the pace: index 64 of 64 was asked for in the first second of the epoch.
  it('last for the epoch: past half of its indices they wait for company', async () => {
    world = await World.of(1)
    const params = { ...PARAMS, receiptLimit: 64 }
    const { clock, timers } = world.of(1).life
    const guard = new CountingGuard(params, () => world.epoch)
    const statementSigner = new StatementSigner({ guard, signer: signerOf(1), domain: DOMAIN })
    const desk = new ReceiptDesk(params, { statementSigner, clock, timers, metrics: new CountedMetrics() })
    const epoch = world.epoch
    let given = 0
    let asked = 0
    const again = async (): Promise<void> => {
      while (world.epoch === epoch) {
        await desk.sign(world.put(1, { index: asked++ }), world.epoch + 60)
        given++
      }
    }
    const all = Promise.all([again(), again()])
    await world.epochs(1)
    await world.run(all)
    expect(guard.used(KIND.receipt, epoch)).toBeLessThanOrEqual(64)
    expect(given).toBeGreaterThan(64)
  })

  it('are never longer than the bytes are kept, however the clock steps', async () => {
    world = await World.of(3)
    const node = world.of(1)
    const stepsMs = [0, 9_000, -9_000, 25_000, -25_000, 3_600_000, -3_600_000, 0]
    const given: { readonly record: DhtRecord; readonly untilEpoch: number }[] = []
    for (const [index, stepMs] of stepsMs.entries()) {
      world.skewMs.set(1, stepMs)
      for (const record of [world.put(2, { index }), ...given.map(({ record }) => record)]) {
        const answer = await store(node, record)
        if (answer.status !== 'stored') continue
        const { position, untilEpoch } = receiptOf(answer)
        // As the court reads it: no longer than a life from the receipt's own epoch.
        const heard = Math.min(Number(untilEpoch), epochOf(position) + LIFE_EPOCHS)
        given.push({ record, untilEpoch: heard })
      }
      for (const { record, untilEpoch } of given) {
        const held = node.dht.replica.book.receipted(record.recordKey, record.putDigest, 0)
        expect(held?.keepUntilEpoch).toBeGreaterThanOrEqual(untilEpoch)
      }
    }
    expect(given.length).toBeGreaterThan(stepsMs.length)
  })

  it('remembered are bounded', async () => {
    world = await World.of(1)
    const { clock, timers } = world.of(1).life
    const statementSigner = { sign: () => new Promise<never>(() => undefined) }
    const desk = new ReceiptDesk(PARAMS, { statementSigner, clock, timers, metrics: new CountedMetrics() })
    const record = world.put(1, {})
    for (let i = 0; i < RECEIPTS_REMEMBERED_MAX + 10; i++) {
      void desk.sign({ ...record, recordKey: bytes32(`${i}`) }, world.epoch)
    }
    expect(desk.remembered).toBe(RECEIPTS_REMEMBERED_MAX)
  })
})

describe('stores under way', () => {
  it('are bounded for each asker and in all, and readers share one part', async () => {
    world = await World.of(1)
    const metrics = new CountedMetrics()
    const underWay = new UnderWay(metrics)
    const enter = (asker: number | undefined, bytes = 1) => underWay.enter(asker, bytes)
    const mine = Array.from({ length: STORES_UNDER_WAY_PER_ASKER_MAX }, () => enter(1))
    expect(mine.every((leave) => leave !== undefined)).toBe(true)
    expect(enter(1)).toBeUndefined()
    expect(metrics.of('suprnova_dht_stores_busy_total', 'asker')).toBe(1)
    for (const asker of [undefined, 2, 3]) {
      for (let i = 0; i < STORES_UNDER_WAY_PER_ASKER_MAX; i++) expect(enter(asker)).toBeDefined()
    }
    expect(enter(4)).toBeUndefined()
    expect(metrics.of('suprnova_dht_stores_busy_total', 'all')).toBe(1)
    mine[0]?.()
    expect(enter(4)).toBeDefined()
    expect(STORES_UNDER_WAY_MAX).toBe(4 * STORES_UNDER_WAY_PER_ASKER_MAX)
    for (const leave of mine.slice(1)) leave?.()
    expect(underWay.askers).toBe(4)
  })

  // Seen to fail before: past 256 at once a node refused its own.
  it('of this node itself have no share of their own: nothing slows them down on the way', async () => {
    world = await World.of(3)
    const { client } = world.of(1).dht
    const stores = Array.from({ length: STORES_UNDER_WAY_PER_ASKER_MAX + 100 }, (_, i) =>
      client.store({ keyType: KEY_TYPE.owner, keyPreimage: bytes32(`${i}`), value: text(`${i}`) }),
    )
    await world.run(Promise.all(stores))
    expect(world.of(1).metrics.of('suprnova_dht_stores_busy_total', 'asker')).toBe(0)
    expect(world.of(1).dht.stats().records).toBe(stores.length)
  })

  it('are bounded in bytes', async () => {
    world = await World.of(1)
    const underWay = new UnderWay(new CountedMetrics())
    const leave = underWay.enter(1, STORE_BYTES_UNDER_WAY_PER_ASKER_MAX)
    expect(leave).toBeDefined()
    expect(underWay.enter(1, 1)).toBeUndefined()
    expect(underWay.enter(2, 1)).toBeDefined()
    leave?.()
    expect(underWay.enter(1, 1)).toBeDefined()
  })
})

function flipped(at: number) {
  return (record: DhtRecord): DhtRecord => {
    const frame = record.frame.slice()
    frame[at] = (frame[at] as number) ^ 1
    return { ...record, frame }
  }
}
