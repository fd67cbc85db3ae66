import { type Bench, type BenchOptions, type BenchReport, thisMachine } from './bench.ts'
import { type Cell, CONCURRENCIES, compare, judge, type RatioAim, rowOf } from './records/comparison.ts'
import { NODES } from './records/record-network.ts'

const OURS_3 = 'suprnova R=3 W=2'
const OURS_19 = 'suprnova R=19 W=10'
const WANTED = ['kad-dht k=3', 'kad-dht k=20', 'hyperdht', 'hyperdht, first answer', OURS_3, OURS_19]
const PROFILED = ['kad-dht k=3', 'hyperdht', OURS_3, OURS_19]

const AIMS: readonly RatioAim[] = [OURS_19, OURS_3].flatMap((ours) =>
  CONCURRENCIES.map((concurrency) => ({
    aim: `${ours}: at least 1.5 times the throughput of hyperdht mutableGet at ${concurrency}`,
    ...{ ours, theirs: 'hyperdht', concurrency, measure: 'perSecond' as const, bound: 1.5 },
  })),
)

/** The aims of reading, by what was measured. */
export const retrieveAims = (cells: readonly Cell[]) => AIMS.map((aim) => judge(cells, aim))

/** With a record for each read: of all rounds and concurrencies, the warm-up and the profile. */
function planOf(plan: { readonly rounds: number; readonly seconds: number; readonly count: number }) {
  return { ...plan, fill: (plan.rounds * CONCURRENCIES.length + 2) * plan.count }
}

async function run({ quick, log }: BenchOptions): Promise<BenchReport> {
  const length = quick ? planOf({ rounds: 1, seconds: 0.3, count: 40 }) : planOf({ rounds: 3, seconds: 2, count: 200 })
  const { cells, profiles } = await compare(
    {
      op: 'retrieve',
      ...length,
      isWanted: ({ name }) => WANTED.includes(name),
      isProfiled: ({ name }) => PROFILED.includes(name),
    },
    log,
  )
  return {
    name: bench.name,
    machine: thisMachine(),
    command: `suprnova bench retrieve${quick ? ' --quick' : ''}`,
    rows: cells.map((cell) => ({ ...rowOf(cell), answers: cell.way.answers, records: cell.filled })),
    aims: retrieveAims(cells),
    profiles,
  }
}

export const bench: Bench = {
  name: 'retrieve',
  summary: `Verified reads among ${NODES} nodes, against kad-dht and hyperdht`,
  run,
}
