import { afterEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../node/core/index.ts'
import { REPLICA_TIMEOUT_MS } from '../../../node/dht/constants.ts'
import { OP } from '../../../node/dht/protocol/messages.ts'
import { CellReader } from '../../../node/dht/spatial/cell-reader.ts'
import { CellShelf } from '../../../node/dht/spatial/cell-shelf.ts'
import {
  CELL_HEDGE_STEP_MS,
  CELL_HEDGE_STEPS,
  CELL_PAGES_MAX,
  VERIFIED_BYTES_MAX,
  VERIFIED_MAX,
} from '../../../node/dht/spatial/constants.ts'
import {
  type CellPage,
  type CellsRequest,
  decodeCells,
  encodeCellPages,
  encodeCells,
  packPut,
} from '../../../node/dht/spatial/messages.ts'
import type { Consistency } from '../../../node/dht/spatial/spatial-index.ts'
import { VerifiedEntries } from '../../../node/dht/spatial/verified-entries.ts'
import { noLogger, noMetrics } from '../../../node/lab/simulation/silence.ts'
import { KEY_TYPE } from '../../../node/statements/index.ts'
import { bytesOf, World, type WorldNode } from './world.ts'

const HEDGE_MS = CELL_HEDGE_STEPS * CELL_HEDGE_STEP_MS
/** What a few messages of the simulated network take together, at most. */
const PROMPT_MS = 200
const AGENTS = 6
/** As often as it takes for each replica to be chosen first. */
const TURNS = 12

let world: World
afterEach(() => Promise.all(world.nodes.map(({ dht }) => world.run(dht.stop()))))

/** What a replica answers about cells; `undefined`: nothing, ever. */
type Answer = (cells: CellsRequest['cells'], node: WorldNode) => Uint8Array | undefined | Promise<Uint8Array>

/** A cell with agents in it on three replicas, and a node that is none of them and reads it. */
async function open() {
  world = await World.of(9)
  const recordKey = world.of(1).dht.spatial.hashPosition([5, 5, 0])
  const sets = world.of(1).dht.tables.setsOf(recordKey, world.epoch, 3)
  const [reader] = world.nodes.filter(({ stakeId }) => ![...sets.members, ...sets.standIns].includes(stakeId))
  const writer = world.of(sets.standIns[0] as number)
  for (let i = 0; i < AGENTS; i++) await announce(writer, i, [5, 5, i])
  // Stores are done at two receipts: all three hold everything before anybody lies.
  await world.time.advance(1_000)
  const { dht, life } = reader as WorldNode
  // Any key lies on these: cells are asked for together.
  const tables = { ...dht.tables, setsOf: () => sets }
  const modules = { reader: dht.reader, timers: life.timers, logger: noLogger }
  const cells = new CellReader({ ...modules, tables, peers: peersOf(reader as WorldNode) } as never)
  const read = async (consistency: Consistency = 'quorum', keys = [recordKey]) => {
    const fromMs = world.time.nowMs()
    const { asked, cells: found } = await world.run(cells.readCells(keys, { consistency }))
    return { ...found[0]!, asked, found, tookMs: world.time.nowMs() - fromMs }
  }
  const replicas = sets.members.map((stakeId) => world.of(stakeId)) as [WorldNode, WorldNode, WorldNode]
  return { modules, read, recordKey, replicas, sets, tables, writer }
}

function announce({ dht }: WorldNode, agent: number, position: readonly number[]) {
  return world.run(dht.agents.announcePresence({ agentId: `agent ${agent}`, position }))
}

function peersOf({ life, signer }: WorldNode) {
  const transport = world.network.join(signer.address, { life, identify: () => undefined })
  // It hears answers while it serves; nobody asks it.
  transport.serve(async () => new Uint8Array())
  const ask = (stakeId: number, request: Uint8Array) => transport.request(world.of(stakeId).signer.address, request)
  return { isOwn: () => false, ask }
}

/** Has a node answer about cells as it is told. @returns how often it was asked */
function tell(node: WorldNode, answer: Answer): () => number {
  let asked = 0
  const transport = world.network.join(node.signer.address, { life: node.life, identify: () => undefined })
  transport.serve(async (request) => {
    if (request[0] !== OP.cells) throw new Error('only cells are asked for')
    asked++
    return (await answer(decodeCells(request).cells, node)) ?? new Promise(() => {})
  })
  return () => asked
}

const SILENCE: Answer = () => undefined
const HONESTY: Answer = (cells, { dht }) => {
  const modules = { book: dht.replica.book, epoch: () => dht.reader.epoch(), metrics: noMetrics }
  return new CellShelf(modules).handle(encodeCells({ cells }))
}
const show =
  (...puts: readonly Uint8Array[]): Answer =>
  () =>
    encodeCellPages([{ next: undefined, puts }])

/** One entry a page, and the next cell only when those before it are done. */
const ONE_BY_ONE: Answer = (cells, { dht }) => {
  let isFull = false
  return encodeCellPages(
    cells.map(({ after, recordKey }): CellPage => {
      const [first, second] = dht.replica.book.entries(recordKey, after)
      if (isFull) return { next: after ?? new Uint8Array(32), puts: [] }
      if (first === undefined) return { next: undefined, puts: [] }
      isFull = true
      const puts = [packPut(first.frame, first.value())]
      return { next: second === undefined ? undefined : first.entry, puts }
    }),
  )
}
const numbered = (number: number) => {
  const entry = new Uint8Array(32)
  new DataView(entry.buffer).setUint32(0, number)
  return entry
}

const names = (records: Iterable<{ readonly entry: Uint8Array }>) =>
  [...records].map(({ entry }) => toHex(entry)).sort()

/** All of a cell as a replica has it, packed. */
const heldBy = ({ dht }: WorldNode, recordKey: Uint8Array) => [...dht.replica.book.entries(recordKey)]
const packedBy = (node: WorldNode, recordKey: Uint8Array) =>
  heldBy(node, recordKey).map((stored) => packPut(stored.frame, stored.value()))

describe('a reader of cells', () => {
  it('asks two of three, believes what it verified, and one alone when that is enough', async () => {
    const { read, recordKey, replicas } = await open()
    for (const replica of replicas) expect(heldBy(replica, recordKey)).toHaveLength(AGENTS)
    const both = await read()
    expect(both).toMatchObject({ asked: 2, quorum: true, complete: true })
    expect(names(both.records)).toEqual(names(heldBy(replicas[0], recordKey)))
    expect(both.tookMs).toBeLessThan(PROMPT_MS)
    expect(await read('one')).toMatchObject({ asked: 1, quorum: false, complete: true })
  })

  it('asks the third when one of two never answers, soon, and no other once it has enough', async () => {
    const { read, replicas } = await open()
    tell(replicas[0], SILENCE)
    const asked = new Set<number>()
    for (let turn = 0; turn < TURNS; turn++) {
      const one = await read()
      expect(one).toMatchObject({ quorum: true, complete: true })
      expect(one.records).toHaveLength(AGENTS)
      expect(one.tookMs).toBeLessThan(HEDGE_MS + PROMPT_MS)
      if (one.asked === 3) expect(one.tookMs).toBeGreaterThanOrEqual(HEDGE_MS)
      asked.add(one.asked)
    }
    expect([...asked].sort()).toEqual([2, 3])
  })

  it('is not held up by one that answers late, and asks it nothing more', async () => {
    const { read, replicas } = await open()
    const [slow] = replicas
    const asked = tell(slow, async () => {
      await new Promise<void>((resolve) => void slow.life.after(1_000, 'is slow', resolve))
      return encodeCellPages([{ next: numbered(1), puts: [] }])
    })
    for (let turn = 0; turn < TURNS; turn++) {
      const before = asked()
      const one = await read()
      expect(one.tookMs).toBeLessThan(HEDGE_MS + PROMPT_MS)
      expect(one).toMatchObject({ quorum: true, complete: true })
      expect(one.records).toHaveLength(AGENTS)
      await world.time.advance(3_000)
      expect(asked() - before).toBeLessThanOrEqual(1)
    }
    expect(asked()).toBeGreaterThan(0)
  })

  it('says that it has no quorum when two never answer, with what the third and two that stand in show', async () => {
    const { read, replicas, sets } = await open()
    tell(replicas[0], SILENCE)
    tell(replicas[1], SILENCE)
    const stoodIn = sets.standIns.map((stakeId) => tell(world.of(stakeId), HONESTY))
    const one = await read()
    expect(one).toMatchObject({ asked: 5, quorum: false, complete: true })
    expect(one.records).toHaveLength(AGENTS)
    expect(stoodIn.map((asked) => asked())).toEqual([1, 1, 0, 0])
    expect(one.tookMs).toBeLessThan(HEDGE_MS + REPLICA_TIMEOUT_MS + PROMPT_MS)
  })

  it('follows pages to their end, however small they are, cell after cell', async () => {
    const { read, recordKey, replicas, writer } = await open()
    for (const replica of replicas) tell(replica, ONE_BY_ONE)
    const one = await read()
    expect(one).toMatchObject({ asked: 2 * AGENTS, quorum: true, complete: true })
    expect(one.records).toHaveLength(AGENTS)
    // A cell with nothing in it, before and behind the one that fills every page.
    const empty = writer.dht.spatial.hashPosition([-500, 5, 5])
    for (const keys of [
      [empty, recordKey],
      [recordKey, empty],
      [recordKey, recordKey],
    ]) {
      const { found } = await read('quorum', keys)
      expect(found.map(({ records }) => records.length)).toEqual(keys.map((key) => (key === empty ? 0 : AGENTS)))
      expect(found.every(({ complete, quorum }) => complete && quorum)).toBe(true)
    }
  })

  it('is led no further than so many pages, and by one liar to no half answer', async () => {
    const { read, replicas } = await open()
    let page = 0
    const asked = tell(replicas[0], () => encodeCellPages([{ next: numbered(++page), puts: [] }]))
    for (const consistency of ['quorum', 'one'] as const) {
      for (let turn = 0; turn < TURNS; turn++) {
        const before = asked()
        const one = await read(consistency)
        expect(one).toMatchObject({ quorum: consistency === 'quorum', complete: true })
        expect(one.records).toHaveLength(AGENTS)
        expect(asked() - before).toBeLessThanOrEqual(CELL_PAGES_MAX)
      }
    }
    expect(asked()).toBeGreaterThan(CELL_PAGES_MAX)
  })

  it('says that a cell is not whole when two of its replicas have more than it takes', async () => {
    const { read, replicas } = await open()
    let page = 0
    for (const replica of replicas) tell(replica, () => encodeCellPages([{ next: numbered(++page), puts: [] }]))
    for (const consistency of ['quorum', 'one'] as const) {
      const before = page
      expect(await read(consistency)).toMatchObject({ complete: false, quorum: consistency === 'quorum' })
      expect(page - before).toBeLessThanOrEqual(3 * CELL_PAGES_MAX)
    }
  })

  it('does not follow one that shows the same page for ever, or turns back', async () => {
    const { read, recordKey, replicas, sets } = await open()
    const circles: Answer[] = [
      (_, node) => encodeCellPages([{ next: numbered(5), puts: packedBy(node, recordKey) }]),
      ([cell]) => encodeCellPages([{ next: numbered(cell?.after === undefined ? 9 : 8), puts: [] }]),
    ]
    for (const circle of circles) {
      const asked = [...replicas, ...sets.standIns.map((stakeId) => world.of(stakeId))].map((node) =>
        tell(node, circle),
      )
      // Nobody is read to an end, so nothing is sure; three replicas and two that stand in say it twice each.
      expect(await read()).toMatchObject({ asked: 10, quorum: false })
      expect(asked.map((count) => count())).toEqual([2, 2, 2, 2, 2, 0, 0])
      for (const replica of replicas.slice(1)) tell(replica, HONESTY)
      for (let turn = 0; turn < TURNS; turn++) {
        const one = await read()
        expect(one).toMatchObject({ quorum: true, complete: true })
        expect(one.records).toHaveLength(AGENTS)
      }
    }
  })

  it('asks others at once for what cannot be read: no answer, a refusal, garbage, too few cells or too many', async () => {
    const { read, recordKey, replicas } = await open()
    const [first] = replicas
    const puts = packedBy(first, recordKey)
    const page = { next: undefined, puts }
    const answers: Answer[] = [
      () => new Uint8Array(),
      () => Uint8Array.of(9, 9, 9),
      () => bytesOf('garbage', 400),
      () => encodeCellPages([]),
      () => encodeCellPages([page, page]),
      () => encodeCellPages([page]).subarray(0, -1),
      () => encodeCellPages([{ next: new Uint8Array(7), puts }]),
      (cells, node) => HONESTY([...cells, ...Array(64).fill(cells[0])], node),
    ]
    for (const answer of answers) {
      const asked = tell(first, answer)
      for (let turn = 0; turn < TURNS; turn++) {
        const one = await read()
        expect(one).toMatchObject({ quorum: true, complete: true })
        expect(one.records).toHaveLength(AGENTS)
        expect(one.tookMs).toBeLessThan(PROMPT_MS)
      }
      expect(asked()).toBeGreaterThan(0)
    }
  })

  it('believes no entry that nobody signed so, or that belongs elsewhere', async () => {
    const { read, recordKey, replicas, writer } = await open()
    const [liar, ...others] = replicas
    await announce(writer, 77, [-900, 5, 5])
    const elsewhere = world.nodes.flatMap((node) =>
      packedBy(node, writer.dht.spatial.hashPosition([-900, 5, 5])),
    )[0] as Uint8Array
    const [said] = heldBy(liar, recordKey)
    if (said === undefined) throw new Error('nothing is held')
    const bytes = packPut(said.frame, said.value())
    const flipped = (at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
    const wanted = names(heldBy(liar, recordKey))
    for (const lie of [
      show(elsewhere),
      show(flipped(10), flipped(bytes.length - 1), flipped(bytes.length >> 1)),
      show(packPut(said.frame, bytesOf('other', 8))),
      show(packPut(new Uint8Array(), new Uint8Array()), packPut(bytesOf('frame', 300), said.value())),
    ]) {
      tell(liar, lie)
      for (const other of others) tell(other, SILENCE)
      expect((await read()).records).toEqual([])
      for (const other of others) tell(other, HONESTY)
      expect(names((await read()).records)).toEqual(wanted)
    }
    tell(liar, show(bytes))
    for (const other of others) tell(other, SILENCE)
    expect(names((await read()).records)).toEqual(names([said]))
  })

  it('takes the newest of what is shown, and nothing that is over', async () => {
    const { read, recordKey, replicas, writer } = await open()
    const past = packedBy(replicas[0], recordKey)
    for (let i = 0; i < AGENTS; i++) await announce(writer, i, [6, 6, i])
    await world.time.advance(1_000)
    tell(replicas[0], show(...past))
    for (let turn = 0; turn < TURNS; turn++) {
      const { records } = await read()
      const xs = records.map(({ put }) => put.keyType === KEY_TYPE.cell && put.cell.position[0])
      expect(xs).toEqual(Array(AGENTS).fill(6n << 20n))
    }
    for (const replica of replicas) tell(replica, show(...past))
    expect((await read()).records).toHaveLength(AGENTS)
    await world.epochs(61)
    expect((await read()).records).toEqual([])
  })

  it('calls nobody slow while it stood still itself', async () => {
    const { modules, recordKey, replicas, tables } = await open()
    const due: (() => void)[] = []
    const answers: ((answer: Uint8Array) => void)[] = []
    const timers = {
      after: (_: number, run: () => void) => {
        due.push(run)
        return () => undefined
      },
    }
    const ask = () => new Promise<Uint8Array>((resolve) => void answers.push(resolve))
    const cells = new CellReader({ ...modules, tables, timers, peers: { isOwn: () => false, ask } } as never)
    const reading = cells.readCells([recordKey], { consistency: 'quorum' })
    // However late a timer is, it is one step: what waits to be read comes before the next.
    for (let step = 1; step <= CELL_HEDGE_STEPS; step++) {
      expect(answers).toHaveLength(2)
      expect(due).toHaveLength(1)
      due.shift()?.()
    }
    expect(answers).toHaveLength(3)
    expect(due).toEqual([])
    for (const answer of answers) answer(encodeCellPages([{ next: undefined, puts: packedBy(replicas[0], recordKey) }]))
    const { asked, cells: found } = await reading
    expect(asked).toBe(3)
    expect(found[0]).toMatchObject({ quorum: true, complete: true })
    expect(found[0]?.records).toHaveLength(AGENTS)
  })
})

describe('what a reader remembers', () => {
  it('is so many entries and bytes, whatever it is shown, and nothing past the epoch', () => {
    let epoch = 7
    let verifications = 0
    const read = () => {
      verifications++
      return { refused: 'invalid', detail: 'as ever' }
    }
    const verified = new VerifiedEntries({ epoch: () => epoch, read } as never)
    const shown = (name: number, bytes: number) => {
      const frame = new Uint8Array(bytes)
      new DataView(frame.buffer).setUint32(0, name)
      return verified.read(packPut(frame, new Uint8Array()))
    }
    for (let i = 0; i < VERIFIED_MAX + 100; i++) shown(i, 8)
    expect(verified.stats()).toEqual({ entries: VERIFIED_MAX, bytes: 12 * VERIFIED_MAX })
    shown(VERIFIED_MAX, 8)
    expect(verifications).toBe(VERIFIED_MAX + 100)
    const large = 60_000
    for (let i = 0; i < VERIFIED_BYTES_MAX / large + 100; i++) shown(i, large)
    expect(verified.stats().bytes).toBeLessThanOrEqual(VERIFIED_BYTES_MAX)
    expect(verified.stats().bytes).toBeGreaterThan(VERIFIED_BYTES_MAX - 2 * large)
    epoch++
    shown(1, 8)
    expect(verified.stats()).toEqual({ entries: 1, bytes: 12 })
  })
})
