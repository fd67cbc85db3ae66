import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../node/core/index.ts'
import { ANSWER_MAX_BYTES, CELL_VALUE_MAX_BYTES, FETCH_LOOKS_MAX } from '../../../node/dht/constants.ts'
import { DhtError } from '../../../node/dht/errors.ts'
import type { DhtRecord } from '../../../node/dht/interface.ts'
import { RecordBook } from '../../../node/dht/records/record-book.ts'
import { CellChoice } from '../../../node/dht/spatial/cell-choice.ts'
import { CellShelf } from '../../../node/dht/spatial/cell-shelf.ts'
import { cellOf, cellsTouched, childrenOf, distanceSquared, nameOfCell } from '../../../node/dht/spatial/cells.ts'
import { childBit } from '../../../node/dht/spatial/hint.ts'
import {
  decodeCellPages,
  decodeCells,
  encodeCellPages,
  encodeCells,
  packPut,
  unpackPut,
} from '../../../node/dht/spatial/messages.ts'
import { encodePresence, readPresence } from '../../../node/dht/spatial/presence.ts'
import { SpatialHashIndex } from '../../../node/dht/spatial/spatial-index.ts'
import { CHESS_WORLD, DEFAULT_WORLD, WORLDS, World, worldOf } from '../../../node/dht/spatial/world.ts'
import { SeededRandom } from '../../../node/lab/simulation/seeded-random.ts'
import { noLogger, noMetrics } from '../../../node/lab/simulation/silence.ts'
import { KEY_TYPE, positionOf } from '../../../node/statements/index.ts'
import { openSimulatedTable, SimulatedDisk } from '../../../node/store/index.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const coordinate = fc.bigInt({ min: -(2n ** 20n), max: 2n ** 20n })
const points = fc.integer({ min: 1, max: 3 }).chain((d) => fc.array(coordinate, { minLength: d, maxLength: d }))

describe('cells', () => {
  it('that a ball touches are those with a point of it, corners, edges and negative ones too', () => {
    fc.assert(
      fc.property(
        points,
        fc.bigInt({ min: 0n, max: 3_000n }),
        fc.integer({ min: 11, max: 14 }),
        points,
        (q, r, level, away) => {
          const touched = new Set(cellsTouched(q, r, level).map(nameOfCell))
          const point = q.map((x, axis) => x + ((away[axis] ?? 0n) % (r + 1n)))
          const inside = point.reduce((sum, x, axis) => sum + (x - (q[axis] as bigint)) ** 2n, 0n) <= r * r
          if (inside) expect(touched).toContain(nameOfCell(cellOf(point, level)))
          for (const cell of cellsTouched(q, r, level)) expect(distanceSquared(q, cell) <= r * r).toBe(true)
          expect(touched.size).toBeLessThanOrEqual((2n * r >= 2n ** BigInt(level) ? 4 : 2) ** q.length)
        },
      ),
    )
  })

  it('are made up of their children, each with a bit of its own', () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 20 }), (q, level) => {
        const children = childrenOf(cellOf(q, level))
        expect(children.map(nameOfCell)).toContain(nameOfCell(cellOf(q, level - 1)))
        expect(new Set(children.map(childBit))).toEqual(new Set(Array(2 ** q.length).keys()))
        const bit = childBit(cellOf(q, level - 1))
        const named = children.filter((child) => childBit(child) === bit).map(nameOfCell)
        expect(named).toEqual([nameOfCell(cellOf(q, level - 1))])
      }),
    )
  })

  it('of -0 are those of 0, and of a tenth below it the next', () => {
    const keyOf = (x: number) => toHex(index.hashPosition([x, 0, 0]))
    const index = new SpatialHashIndex({ store: async () => {}, readCells: async () => ({ cells: [], asked: 0 }) })
    expect(keyOf(-0)).toBe(keyOf(0))
    expect(keyOf(-0.1)).not.toBe(keyOf(0))
  })

  it('around a place are named by a position, by a cell of an answer, or by a key that was hashed here', () => {
    const index = new SpatialHashIndex({ store: async () => {}, readCells: async () => ({ cells: [], asked: 0 }) })
    const around = index.cellsIn([-1, 5, 5], 2)
    expect(around.map(({ cell }) => cell).sort()).toEqual(['26:-1,0,0', '26:0,0,0'])
    const key = toHex(index.hashPosition([-1, 5, 5]))
    expect(around.map(({ recordKey }) => toHex(recordKey))).toContain(key)
    expect(index.cellsIn(key, 0)).toEqual(index.cellsIn('26:-1,0,0', 0))
    expect(index.cellsIn('26:-1,0,0', 0)).toHaveLength(1)
    expect(index.cellsIn('26:-1,0,0', 1)).toHaveLength(27)
    const board = toHex(index.hashPosition([4, 4], 'chess'))
    expect(index.cellsIn(board, 0).map(({ cell }) => cell)).toEqual(['24:0,0'])
    for (const place of ['26:0,0', '26:0,0,0,0', 'here', `0x${'11'.repeat(32)}`]) {
      expect(() => index.cellsIn(place, 1)).toThrow(/names no cell/)
    }
  })
})

describe('worlds', () => {
  it('are one by all that fixes them, and read as far as their id says', () => {
    const { options } = DEFAULT_WORLD
    expect(worldOf(JSON.stringify(options)).id).toEqual(DEFAULT_WORLD.id)
    expect(worldOf(options).slack).toBe(20n << 20n)
    for (const [field, value] of Object.entries({
      name: 'x',
      dimension: 2,
      baseLevel: 27,
      radius: 9,
      maxSpeed: 1,
      stalenessSeconds: 9,
    })) {
      expect(new World({ ...options, [field]: value }).id).not.toEqual(DEFAULT_WORLD.id)
    }
    expect(new Set(Object.values(WORLDS).map(({ id }) => toHex(id))).size).toBe(4)
  })

  it('that cannot be are refused by field', () => {
    const { options } = DEFAULT_WORLD
    const wrong = {
      dimension: 4,
      baseLevel: 25,
      radius: 13,
      maxSpeed: Number.NaN,
      stalenessSeconds: -1,
      name: 'x'.repeat(257),
    }
    for (const [field, value] of Object.entries(wrong)) {
      expect(() => new World({ ...options, [field]: value }), field).toThrow(DhtError)
    }
    for (const world of ['4d', '[]', '{}', '{"dimension":1', 'null', '__proto__', 'constructor']) {
      expect(() => worldOf(world), world).toThrow(DhtError)
    }
  })

  it('hold a chess board in one cell, and show it whole from any square', () => {
    for (let file = 0; file < 8; file++) {
      for (let rank = 0; rank < 8; rank++) {
        const q = CHESS_WORLD.toFixed([file, rank])
        expect(nameOfCell(cellOf(q, CHESS_WORLD.options.baseLevel))).toBe('24:0,0')
        const { wide } = CHESS_WORLD.radiusToFixed(8)
        const cells = cellsTouched(q, wide, 24).map(nameOfCell)
        expect(cells).toContain('24:0,0')
        expect(cells.length).toBeLessThanOrEqual(4)
      }
    }
  })
})

describe('what an agent says of itself', () => {
  it('is read back, capabilities sorted and each once', () => {
    const bytes = encodePresence({
      capabilities: ['b', 'a', 'b'],
      timestamp: 7,
      data: { x: [1] },
      at: [-1n, 2n ** 52n],
    })
    expect(readPresence(bytes)).toEqual({
      capabilities: ['a', 'b'],
      timestamp: 7,
      data: { x: [1] },
      at: [-1n, 2n ** 52n],
    })
  })

  it('always leaves room to say where it went', () => {
    const full = { capabilities: [], timestamp: 0, data: 'x'.repeat(1_024 - 43) }
    expect(encodePresence(full).length).toBe(1_024)
    const moved = encodePresence({ ...full, at: [-(2n ** 53n - 1n), -(2n ** 53n - 1n), -(2n ** 53n - 1n)] })
    expect(moved.length).toBeLessThanOrEqual(CELL_VALUE_MAX_BYTES)
    expect(() => encodePresence({ ...full, data: `${full.data}x` })).toThrow(DhtError)
  })

  it('never throws and brings no prototype along, whatever it is', () => {
    const json = (text: string) => readPresence(new Uint8Array(Buffer.from(text)))
    const said = (data: string) => json(`{"capabilities":[],"timestamp":1,"data":${data}}`)
    expect(said('{"__proto__":{"isAdmin":true}}')).toBeUndefined()
    expect(said(`${'['.repeat(480)}${']'.repeat(480)}`)).toBeDefined()
    expect(said('1e999')?.data).toBe(Number.POSITIVE_INFINITY)
    for (const text of [
      ...['', 'null', '[]', '7', '{"capabilities":{},"timestamp":1}', '{"capabilities":[1],"timestamp":1}'],
      ...[
        '{"capabilities":[],"timestamp":-1}',
        '{"capabilities":[],"timestamp":1e300}',
        '{"capabilities":[],"timestamp":"1"}',
      ],
      ...['{"capabilities":[],"timestamp":1,"at":[1.5]}', '{"capabilities":[],"timestamp":1,"at":[1,2,3,4]}'],
      `{"capabilities":${JSON.stringify(Array(33).fill('x'))},"timestamp":1}`,
      `{"capabilities":["${'x'.repeat(65)}"],"timestamp":1}`,
    ]) {
      expect(json(text), text).toBeUndefined()
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1_200 }), (bytes) => void readPresence(bytes)))
    fc.assert(fc.property(fc.json(), (text) => void json(text)))
  })
})

describe('messages about cells', () => {
  const puts = fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 })), { maxLength: 4 })

  it('are read back as they were said', () => {
    const asked = fc.array(fc.record({ recordKey: bytes32, after: fc.option(bytes32, { nil: undefined }) }), {
      minLength: 1,
      maxLength: 64,
    })
    const plain = (bytes: Uint8Array | undefined) => bytes && toHex(bytes)
    fc.assert(
      fc.property(asked, (cells) => {
        const read = decodeCells(encodeCells({ cells })).cells
        expect(read.map(({ after, recordKey }) => [plain(recordKey), plain(after)])).toEqual(
          cells.map(({ after, recordKey }) => [plain(recordKey), plain(after)]),
        )
      }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.record({ next: fc.option(bytes32, { nil: undefined }), puts }), { maxLength: 5 }),
        (pages) => {
          const answer = decodeCellPages(
            encodeCellPages(pages.map(({ next, puts: of }) => ({ next, puts: of.map(([a, b]) => packPut(a, b)) }))),
          )
          if (answer.status !== 'found') throw new Error(answer.status)
          const said = answer.cells.map(({ next, puts: of }) => [
            plain(next),
            of.map((one) => Object.values(unpackPut(one)).map(plain)),
          ])
          expect(said).toEqual(pages.map(({ next, puts: of }) => [plain(next), of.map((one) => one.map(plain))]))
        },
      ),
    )
  })

  it('are refused by name whatever else they are', () => {
    for (const decode of [decodeCells, decodeCellPages]) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0, 1, 5), (rest, first) => {
          try {
            decode(Uint8Array.of(first, ...rest))
          } catch (error) {
            expect(error).toMatchObject({ code: 'DHT_BAD_MESSAGE' })
          }
        }),
      )
    }
  })
})

const DRAWS = 500
const OWN = 19

/** The fewest nodes, besides the own, of which so many of each set can be taken: by trying all. */
function fewest(sets: readonly (readonly number[])[], answers: number): number {
  let best = Number.POSITIVE_INFINITY
  const chosen = new Set<number>()
  const go = (at: number, count: number) => {
    const set = sets[at]
    if (count >= best) return
    if (set === undefined) {
      best = count
      return
    }
    for (const left of set) {
      const taken = answers === 1 ? [left] : set.filter((stakeId) => stakeId !== left)
      const fresh = taken.filter((stakeId) => !chosen.has(stakeId))
      for (const stakeId of fresh) chosen.add(stakeId)
      go(at + 1, count + fresh.filter((stakeId) => stakeId !== OWN).length)
      for (const stakeId of fresh) chosen.delete(stakeId)
    }
  }
  go(0, 0)
  return best
}

describe('the choice of replicas', () => {
  const sets = fc.array(fc.shuffledSubarray([...Array(12).keys()], { minLength: 5, maxLength: 5 }), {
    minLength: 1,
    maxLength: 8,
  })

  it('asks few, and makes up for those that fail until every cell has its answers or nobody is left', () => {
    fc.assert(
      fc.property(sets, fc.uniqueArray(fc.nat(11), { maxLength: 6 }), (drawn, dead) => {
        const of = drawn.map((stakes) => ({
          sets: [stakes.slice(0, 3)],
          members: stakes.slice(0, 3),
          standIns: stakes.slice(3),
        }))
        const choice = new CellChoice(
          of,
          (size) => size - 1,
          (stakeId) => stakeId,
        )
        const asked: [number, number][] = []
        let requests = 0
        for (let chosen = choice.next(); chosen.size > 0; chosen = choice.next()) {
          for (const [stakeId, cells] of chosen) {
            requests++
            for (const cell of cells) {
              asked.push([stakeId, cell])
              if (dead.includes(stakeId)) choice.failed(stakeId, cell)
              else choice.answered(stakeId, cell)
            }
          }
        }
        // Nobody is asked twice for a cell, and for none that is none of its own.
        expect(new Set(asked.map(String)).size).toBe(asked.length)
        for (const [stakeId, cell] of asked) expect(drawn[cell]).toContain(stakeId)
        for (const [cell, stakes] of drawn.entries()) {
          const alive = stakes.slice(0, 3).filter((stakeId) => !dead.includes(stakeId))
          expect(choice.hasQuorum(cell)).toBe(alive.length >= 2)
          // Without enough members two stand-ins are asked, and help no quorum.
          if (alive.length < 2) expect(asked.filter(([, of_]) => of_ === cell)).toHaveLength(5)
          else expect(asked.filter(([, of_]) => of_ === cell).length).toBeLessThanOrEqual(3)
        }
        if (dead.length === 0) expect(requests).toBeLessThanOrEqual(2 * drawn.length)
      }),
    )
  })

  it('asks the same two for cells that they hold together', () => {
    const of = [1, 2, 3, 4].map((own) => ({ sets: [[own, 8, 9]], members: [own, 8, 9], standIns: [] }))
    const choice = new CellChoice(
      of,
      (size) => size - 1,
      () => 0,
    )
    expect(new Set(choice.next().keys())).toEqual(new Set([8, 9]))
  })

  // Two of three replicas of each cell: no choice makes that few requests when the cells' replicas are others.
  it('needs hardly more requests than the best choice there is', () => {
    const random = new SeededRandom('replicas of cells')
    const stakes = [...Array(20).keys()]
    for (const [cells, answers, most] of [
      [4, 1, 4],
      [4, 2, 8],
      [8, 1, 6],
      [8, 2, 11],
    ] as const) {
      const draws = Array.from({ length: DRAWS }, () =>
        Array.from({ length: cells }, () => random.shuffle(stakes).slice(0, 3)),
      )
      const chosen = draws.map((sets) => {
        const of = sets.map((set) => ({ sets: [set], members: set, standIns: [] }))
        const choice = new CellChoice(
          of,
          () => answers,
          (stakeId) => stakeId,
        )
        // The own copy costs no request.
        return [...choice.next().keys()].filter((stakeId) => stakeId !== OWN).length
      })
      const best = draws.map((sets) => fewest(sets, answers))
      const meanOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0) / DRAWS
      expect(meanOf(chosen)).toBeLessThan(1.05 * meanOf(best))
      expect(Math.max(...chosen)).toBeLessThanOrEqual(most)
    }
  })
})

describe('the shelf of a replica', () => {
  const PARAMS = { epochSeconds: 10, responseSeconds: 20, skewSeconds: 10, receiptLifeSeconds: 600 } as never
  const key = (byte: number) => new Uint8Array(32).fill(byte)
  let said = 0
  const entry = (cell: number, name: number, expiryEpoch: number, value = Uint8Array.of(name & 0xff)): DhtRecord => {
    const id = new Uint8Array(32).fill(1)
    new DataView(id.buffer).setUint32(0, Math.imul(name, 0x9e3779b1))
    const digest = new Uint8Array(32)
    new DataView(digest.buffer).setUint32(0, ++said)
    return {
      ...{
        recordKey: key(cell),
        entry: id,
        signer: `0x${'11'.repeat(20)}`,
        writerStakeId: 7,
        putDigest: digest,
        value,
      },
      version: { rank: 0n, position: positionOf(5, said), leaf: 0 },
      frame: new Uint8Array(120).fill(said),
      put: {
        ...{ keyType: KEY_TYPE.owner, keyPreimage: key(2), valueRoot: key(3), size: value.length },
        expiryEpoch: BigInt(expiryEpoch),
      },
    }
  }
  async function openShelf() {
    const table = await openSimulatedTable(new SimulatedDisk(() => 0).open(), '/d/records')
    const challenges = { isOpen: () => false, readUntilSeconds: () => Number.POSITIVE_INFINITY }
    const book = await RecordBook.open(PARAMS, { table, challenges, metrics: noMetrics, logger: noLogger })
    const clock = { epoch: 10 }
    const shelf = new CellShelf({ book, epoch: () => clock.epoch, metrics: noMetrics })
    const save = (record: DhtRecord) =>
      book.save(record, { untilEpoch: Number(record.put.expiryEpoch), standIn: false })
    const read = (...cells: number[]) => {
      const all = cells.map(() => [] as string[])
      let left = cells.map((cell, index) => ({
        index,
        recordKey: key(cell),
        after: undefined as Uint8Array | undefined,
      }))
      let requests = 0
      while (left.length > 0) {
        requests++
        const answer = decodeCellPages(shelf.handle(encodeCells({ cells: left })))
        if (answer.status !== 'found') throw new Error(answer.status)
        left = left.flatMap((asked, i) => {
          const page = answer.cells[i]
          all[asked.index]?.push(...(page?.puts.map(toHex) ?? []))
          return page?.next === undefined ? [] : [{ ...asked, after: page.next }]
        })
      }
      return { all, requests }
    }
    const wanted = (...records: DhtRecord[]) =>
      [...records].sort((a, b) => Buffer.compare(a.entry, b.entry)).map((one) => toHex(packPut(one.frame, one.value)))
    return { clock, read, save, shelf, wanted }
  }

  it('shows what is live, as it is now, in entry order', async () => {
    const { clock, read, save, wanted } = await openShelf()
    const [a, b, c] = [entry(1, 1, 12), entry(1, 2, 20), entry(2, 3, 20)]
    for (const one of [a, b, c]) await save(one)
    expect(read(1, 2, 3).all).toEqual([wanted(a, b), wanted(c), []])
    const [newer, further] = [entry(1, 2, 21), entry(1, 4, 21)]
    await save(newer)
    await save(further)
    expect(read(1).all).toEqual([wanted(a, newer, further)])
    clock.epoch = 13
    expect(read(1).all).toEqual([wanted(newer, further)])
    clock.epoch = 22
    expect(read(1).all).toEqual([[]])
  })

  it('gives large cells page by page, and looks at so many entries an answer', async () => {
    const { read, save, wanted } = await openShelf()
    const large = Array.from({ length: 160 }, (_, i) => entry(1, i, 20, new Uint8Array(1_000).fill(i)))
    for (const one of large) await save(one)
    const ended = Array.from({ length: FETCH_LOOKS_MAX + 200 }, (_, i) => entry(2, i, 9))
    await Promise.all(ended.map(save))
    const last = entry(2, 5_000, 20)
    await save(last)
    const { all, requests } = read(1, 2)
    expect(all).toEqual([wanted(...large), wanted(last)])
    expect(requests).toBeGreaterThanOrEqual(Math.ceil((160 * 1_124) / ANSWER_MAX_BYTES))
  })

  it('refuses what is no question', async () => {
    const { shelf } = await openShelf()
    expect(decodeCellPages(shelf.handle(Uint8Array.of(5, 0)))).toMatchObject({
      status: 'refused',
      reason: 'undecodable',
    })
  })
})
