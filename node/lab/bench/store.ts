import { type Bench, type BenchOptions, type BenchReport, thisMachine } from './bench.ts'
import { type Cell, compare, judge, type RatioAim, rowOf } from './records/comparison.ts'
import { NODES } from './records/record-network.ts'

const OURS_3 = 'suprnova R=3 W=2'
const OURS_19 = 'suprnova R=19 W=10'
/** Of each round: names of so many are made before the clock starts. */
const STORES_MAX = 20_000
const PROFILED = ['kad-dht k=3', 'hyperdht', OURS_3, OURS_19]

const AIMS: readonly RatioAim[] = [
  {
    aim: 'R=3: at least 10 times the throughput of kad-dht put k=3 at 16',
    ...{ ours: OURS_3, theirs: 'kad-dht k=3', concurrency: 16, measure: 'perSecond', bound: 10 },
  },
  {
    aim: 'R=3: an eighth of the p50 of kad-dht put k=3 at 1',
    ...{ ours: OURS_3, theirs: 'kad-dht k=3', concurrency: 1, measure: 'p50Ms', bound: 1 / 8 },
  },
  {
    aim: 'R=19: done at 10 of 19 within 2 times the p50 of hyperdht mutablePut at 1',
    ...{ ours: OURS_19, theirs: 'hyperdht', concurrency: 1, measure: 'p50Ms', bound: 2 },
  },
  {
    aim: 'R=19: at least 2 times the throughput of hyperdht mutablePut at 16',
    ...{ ours: OURS_19, theirs: 'hyperdht', concurrency: 16, measure: 'perSecond', bound: 2 },
  },
  {
    aim: 'R=19: a tenth of the p99 of hyperdht mutablePut at 16',
    ...{ ours: OURS_19, theirs: 'hyperdht', concurrency: 16, measure: 'p99Ms', bound: 1 / 10 },
  },
]

/** The aims of storing, by what was measured. */
export const storeAims = (cells: readonly Cell[]) => AIMS.map((aim) => judge(cells, aim))

async function run({ quick, log }: BenchOptions): Promise<BenchReport> {
  const length = quick ? { rounds: 1, seconds: 0.3 } : { rounds: 3, seconds: 2 }
  const { cells, profiles } = await compare(
    {
      op: 'store',
      ...length,
      count: quick ? 1_000 : STORES_MAX,
      fill: 0,
      isWanted: ({ name }) => name !== 'hyperdht, first answer',
      isProfiled: ({ name }) => PROFILED.includes(name),
    },
    log,
  )
  return {
    name: bench.name,
    machine: thisMachine(),
    command: `suprnova bench store${quick ? ' --quick' : ''}`,
    rows: cells.map(rowOf),
    aims: storeAims(cells),
    profiles,
  }
}

export const bench: Bench = {
  name: 'store',
  summary: `Stores among ${NODES} nodes, against kad-dht and hyperdht`,
  run,
}
