import type { Consistency, Dht } from '../../dht/index.ts'
import {
  type Bench,
  type BenchAim,
  type BenchOptions,
  type BenchProfile,
  type BenchReport,
  quantileOf,
  thisMachine,
} from './bench.ts'
import { Crowd, type CrowdOptions, openNodes } from './query/crowd.ts'
import { type LoadOptions, type LoadResult, measureLoad } from './records/load.ts'
import { type ProfileSummary, Profiling } from './records/profile.ts'
import { NODES } from './records/record-network.ts'

/** Where one reader asks: the places around which a program lives. */
const PLACES = 200
/** Moves a second that go on beside queries. */
const PACE = 1_000
/** Moves under way at once. */
const MOVING = 64
const CHECKS = 40
const WORLDS: readonly CrowdOptions[] = [
  { dimension: 2, agents: 10_000, cells: 32 },
  { dimension: 3, agents: 10_000, cells: 10 },
]
const REQUESTS_AIM = { 2: 4, 3: 8 } as const
const P50_AIM_MS = 3

/** A row of the table. */
export interface QueryRow {
  readonly dimension: 2 | 3
  readonly what: string
  readonly consistency: Consistency | '-'
  readonly concurrency: number
  readonly load: LoadResult
  /** Of each query. */
  readonly requests: readonly number[]
  readonly found: readonly number[]
}

type Length = Pick<LoadOptions, 'seconds' | 'count'>

/** The aims, by what was measured. */
export function queryAims(rows: readonly QueryRow[]): BenchAim[] {
  const row = (dimension: 2 | 3, what: string, consistency: QueryRow['consistency']) =>
    rows.find((one) => one.dimension === dimension && one.what === what && one.consistency === consistency)
  return ([2, 3] as const).flatMap((dimension) => {
    const moves = row(dimension, 'moves, node after node', '-')?.load.perSecond ?? 0
    const queries = (['quorum', 'one'] as const).flatMap((consistency): BenchAim[] => {
      const warm = row(dimension, 'warm', consistency)
      const most = Math.max(...(warm?.requests ?? [Number.NaN]))
      const p50 = warm?.load.p50Ms ?? Number.NaN
      const about = `${dimension}-D, ${consistency}, warm`
      return [
        {
          aim: `${about}: at most ${REQUESTS_AIM[dimension]} requests`,
          measured: `${most} at most, ${quantileOf(warm?.requests ?? [], 0.5)} in the middle`,
          met: most <= REQUESTS_AIM[dimension],
        },
        { aim: `${about}: p50 under ${P50_AIM_MS} ms`, measured: `${p50.toFixed(2)} ms`, met: p50 < P50_AIM_MS },
      ]
    })
    return [
      ...queries,
      { aim: `${dimension}-D: 1,000 moves a second`, measured: moves.toFixed(0), met: moves >= 1_000 },
    ]
  })
}

async function run({ quick, log }: BenchOptions): Promise<BenchReport> {
  const seconds = quick ? 0.5 : 3
  const profiled: Length = { seconds: seconds / 2, count: Number.POSITIVE_INFINITY }
  const rows: QueryRow[] = []
  const profiles: BenchProfile[] = []
  log(`${NODES} nodes start`)
  const { nodes, stop } = await openNodes()
  try {
    const dhts = nodes.map(({ dht }) => dht)
    const reader = dhts[0] as Dht
    for (const options of WORLDS) {
      const { dimension } = options
      const crowd = new Crowd({ ...options, agents: quick ? 500 : options.agents }, dhts)
      log(`${dimension}-D: agents are announced`)
      await crowd.fill()
      const places = Array.from({ length: quick ? 20 : PLACES }, () => crowd.place())
      const ask = async (consistency: Consistency, concurrency: number, length: Length) => {
        const requests: number[] = []
        const found: number[] = []
        const load = await measureLoad({ concurrency, ...length }, async (index) => {
          const { agents, asked } = await crowd.query(reader, places[index % places.length] as number[], consistency)
          requests.push(asked)
          found.push(agents.length)
          return {}
        })
        return { load, requests, found }
      }
      const queries = async (
        what: string,
        consistency: Consistency,
        concurrency: number,
        count = Number.POSITIVE_INFINITY,
      ) => {
        const asked = await ask(consistency, concurrency, { seconds, count })
        rows.push({ dimension, what, consistency, concurrency, ...asked })
        log(`${dimension}-D, ${what}, ${consistency}: p50 ${asked.load.p50Ms.toFixed(2)} ms`)
      }
      const profile = async (of: string, work: () => Promise<unknown>) => {
        const profiling = await Profiling.start()
        await work()
        profiles.push(profileOf(`${dimension}-D, ${of}`, await profiling.stop()))
      }
      await queries('cold', 'quorum', 1, places.length)
      for (const consistency of ['quorum', 'one'] as const) {
        await queries('warming', consistency, 1, places.length)
        await queries('warm', consistency, 1)
        await profile(`${consistency}, warm`, () => ask(consistency, 1, profiled))
        await queries('warm, 8 at a time', consistency, 8)
      }
      for (const order of ['nodes in turn', 'node after node'] as const) {
        const before = crowd.crossings
        const move = async () => {
          await crowd.move(order)
          return {}
        }
        const load = await measureLoad({ concurrency: MOVING, seconds, count: Number.POSITIVE_INFINITY }, move)
        const what = `moves, ${order}`
        rows.push({ dimension, what, consistency: '-', concurrency: MOVING, load, requests: [], found: [] })
        const crossed = `${crowd.crossings - before} of ${load.done} over a border`
        log(`${dimension}-D, ${what}: ${load.perSecond.toFixed(0)} a second, ${crossed}`)
        await profile(what, () => measureLoad({ concurrency: MOVING, ...profiled }, move))
      }
      const stopMoving = keepMoving(crowd)
      await queries('beside moves', 'quorum', 1)
      const moved = await stopMoving()
      log(`${dimension}-D: ${moved.toFixed(0)} moves a second beside them`)
      for (const place of places.slice(0, CHECKS)) await crowd.check(reader, place)
    }
  } finally {
    await stop()
  }
  return {
    name: bench.name,
    machine: thisMachine(),
    command: `suprnova bench query${quick ? ' --quick' : ''}`,
    rows: rows.map(rowOf),
    aims: queryAims(rows),
    profiles,
  }
}

/** Moves at the pace, or as fast as it goes. @returns the function that ends it and says how many a second there were */
function keepMoving(crowd: Crowd): () => Promise<number> {
  const startedAt = performance.now()
  let begun = 0
  let done = 0
  const underWay = new Set<Promise<void>>()
  const tick = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1000) * PACE
    while (begun < due && underWay.size < MOVING) {
      begun++
      // One that failed is in doubt, and none that is counted.
      const moving = crowd.move('node after node').then(
        () => void done++,
        () => undefined,
      )
      underWay.add(moving)
      void moving.then(() => underWay.delete(moving))
    }
  }, 5)
  return async () => {
    clearInterval(tick)
    const rate = done / ((performance.now() - startedAt) / 1000)
    await Promise.all(underWay)
    return rate
  }
}

function rowOf({ concurrency, consistency, dimension, found, load, requests, what }: QueryRow) {
  const digits = (value: number) => Number(value.toFixed(2))
  return {
    ...{ world: `${dimension}-D`, what, consistency, concurrency },
    'a second': Math.round(load.perSecond),
    'p50 ms': digits(load.p50Ms),
    'p99 ms': digits(load.p99Ms),
    'requests p50': requests.length === 0 ? '-' : quantileOf(requests, 0.5),
    'requests max': requests.length === 0 ? '-' : Math.max(...requests),
    'agents found': found.length === 0 ? '-' : digits(found.reduce((sum, count) => sum + count, 0) / found.length),
    failed: load.failed,
    cores: digits(load.cores),
  }
}

function profileOf(of: string, { functions }: ProfileSummary): BenchProfile {
  const rows = functions.map(({ share, what }) => ({ share: `${(share * 100).toFixed(1)} %`, function: what }))
  return { of, rows }
}

export const bench: Bench = {
  name: 'query',
  summary: `Agents by place: 10,000 of them on ${NODES} nodes, queries and moves`,
  run,
}
