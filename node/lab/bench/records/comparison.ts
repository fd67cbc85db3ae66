import { Processes } from '../../network/processes.ts'
import { type BenchAim, type BenchOptions, type BenchProfile, median } from '../bench.ts'
import type { LoadResult } from './load.ts'
import { type LoadOrder, NetworkProcess } from './network-process.ts'
import type { ProfileSummary } from './profile.ts'
import type { WayFacts } from './record-network.ts'
import { mustSuffice } from './stock.ts'
import { SYSTEMS } from './systems.ts'

export const CONCURRENCIES = [1, 16, 64] as const
/** At which the CPU profiles are taken. */
const PROFILED_CONCURRENCY = 16
const PROFILED_SECONDS = 3

/** What one way took at one concurrency, round by round. */
export interface Cell {
  readonly way: WayFacts
  readonly concurrency: number
  readonly rounds: readonly LoadResult[]
  /** Records of the way that were there before anything was measured. */
  readonly filled: number
}

export interface ComparisonPlan {
  readonly op: LoadOrder['op']
  readonly rounds: number
  /** Of each cell and round. */
  readonly seconds: number
  /** Operations of each cell and round, at most. */
  readonly count: number
  /** Records of each way that are stored before anything is measured. */
  readonly fill: number
  readonly isWanted: (way: WayFacts) => boolean
  readonly isProfiled: (way: WayFacts) => boolean
}

/**
 * Runs every way at every concurrency, round after round side by side: what disturbs the machine disturbs all of them.
 * Profiles are taken afterwards: they cost time.
 */
export async function compare(
  plan: ComparisonPlan,
  log: BenchOptions['log'],
): Promise<{ readonly cells: readonly Cell[]; readonly profiles: readonly BenchProfile[] }> {
  const processes = new Processes()
  try {
    log(`${Object.keys(SYSTEMS).length} networks meet, each in a process of its own`)
    const networks: NetworkProcess[] = []
    // One after the other: a peer whose dials time out begins with an empty table.
    for (const name of Object.keys(SYSTEMS)) networks.push(await NetworkProcess.open(name, processes))
    const measured = networks.flatMap((network) => network.ways.filter(plan.isWanted).map((way) => ({ network, way })))
    const { op, seconds, count } = plan
    // What comes first pays for streams that are opened and code that is compiled: it is not counted.
    const fill = Math.max(plan.fill, WARM_UP_STORES)
    const filled = new Map<WayFacts, number>()
    for (const { network, way } of measured) {
      const isNeeded = op === 'retrieve' && way.remembers
      const seconds = isNeeded ? NEEDED_FILL_SECONDS : FILL_SECONDS
      const filling = { op: 'store', concurrency: FILL_CONCURRENCY, seconds, count: fill } as const
      const { done } = (await network.load({ ...filling, way: way.name, isProfiled: false })).result
      if (isNeeded) mustSuffice(way.name, done, fill)
      filled.set(way, done)
      log(`${way.name}: ${done} of ${fill} records are stored`)
    }
    if (op === 'retrieve') {
      const warming = { op, concurrency: FILL_CONCURRENCY, seconds, count: Math.ceil(count / 4) } as const
      for (const { network, way } of measured) await network.load({ ...warming, way: way.name, isProfiled: false })
    }
    const cells = measured.flatMap(({ network, way }) =>
      CONCURRENCIES.map((concurrency) => ({
        network,
        way,
        concurrency,
        filled: filled.get(way) ?? 0,
        rounds: [] as LoadResult[],
      })),
    )
    for (let round = 1; round <= plan.rounds; round++) {
      for (const { concurrency, network, rounds, way } of cells) {
        const order = { op, way: way.name, concurrency, seconds, count, isProfiled: false }
        rounds.push((await network.load(order)).result)
      }
      log(`round ${round} of ${plan.rounds}`)
    }
    const profiles: BenchProfile[] = []
    for (const { network, way } of measured.filter(({ way }) => plan.isProfiled(way))) {
      const load = { concurrency: PROFILED_CONCURRENCY, seconds: Math.min(PROFILED_SECONDS, 4 * seconds), count }
      const { profile } = await network.load({ op, way: way.name, ...load, isProfiled: true })
      if (profile !== undefined)
        profiles.push(profileOf(`${op}, ${way.name}, ${PROFILED_CONCURRENCY} at once`, profile))
    }
    return { cells, profiles }
  } finally {
    await processes.stop()
  }
}

/** At which records are stored before: few share a statement, so that reading them checks signatures. */
const FILL_CONCURRENCY = 2
const FILL_SECONDS = 20
/** For ways whose reads need every record: R=19 stores some 30 a second. */
const NEEDED_FILL_SECONDS = 120
const WARM_UP_STORES = 200

export function profileOf(of: string, { functions, places }: ProfileSummary): BenchProfile {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const rows = functions.map(({ share, what }, index) => {
    const place = places[index]
    return {
      self: percent(share),
      function: what,
      'by package': place === undefined ? '' : `${percent(place.share)} ${place.what}`,
    }
  })
  return { of, rows }
}

/** One line of the table: medians over rounds, failures summed. */
export function rowOf({ concurrency, rounds, way }: Cell): Record<string, string | number> {
  const of = (key: 'perSecond' | 'p50Ms' | 'p99Ms' | 'cores') => median(rounds.map((round) => round[key]))
  return {
    system: way.name,
    replicas: way.replicas,
    quorum: way.quorum,
    durable: way.durable,
    bytes: way.valueBytes,
    'at once': concurrency,
    perSecond: Number(of('perSecond').toPrecision(4)),
    p50Ms: Number(of('p50Ms').toFixed(2)),
    p99Ms: Number(of('p99Ms').toFixed(2)),
    cores: Number(of('cores').toFixed(2)),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  }
}

/** What an aim compares, and how much it asks. */
export interface RatioAim {
  readonly aim: string
  readonly ours: string
  readonly theirs: string
  readonly concurrency: number
  readonly measure: 'perSecond' | 'p50Ms' | 'p99Ms'
  /** The least ratio of ours by theirs for a rate, the most for a time. */
  readonly bound: number
}

/** Judges an aim by the median of the rounds' ratios, each of two loads measured side by side. */
export function judge(cells: readonly Cell[], { aim, bound, concurrency, measure, ours, theirs }: RatioAim): BenchAim {
  const roundsOf = (name: string) =>
    cells.find((cell) => cell.way.name === name && cell.concurrency === concurrency)?.rounds ?? []
  const their = roundsOf(theirs)
  const ratio = median(roundsOf(ours).map((round, index) => round[measure] / (their[index]?.[measure] ?? Number.NaN)))
  const isRate = measure === 'perSecond'
  const met = isRate ? ratio >= bound : ratio <= bound
  const measured = isRate || ratio >= 1 ? `${ratio.toFixed(2)} times` : `1/${(1 / ratio).toFixed(1)}`
  return { aim, measured, met }
}
