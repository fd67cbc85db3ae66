import { EXIT, SuprnovaError } from '../../core/index.ts'
import type { Bench, BenchOptions, BenchReport } from './bench.ts'

const benches: Record<string, () => Promise<{ bench: Bench }>> = {
  statements: () => import('./statements.ts'),
  gossip: () => import('./gossip.ts'),
  slash: () => import('./slash.ts'),
  store: () => import('./store.ts'),
  retrieve: () => import('./retrieve.ts'),
  batched: () => import('./batched.ts'),
  footprint: () => import('./footprint.ts'),
  scale: () => import('./scale.ts'),
  query: () => import('./query.ts'),
}

/** The benchmarks there are, in the order in which they are told. */
export const benchNames: readonly string[] = Object.keys(benches)

/**
 * Runs one benchmark.
 * @throws SuprnovaError `UNKNOWN_BENCH` when there is none of that name
 */
export async function runBench(name: string, options: BenchOptions): Promise<BenchReport> {
  const load = Object.hasOwn(benches, name) ? benches[name] : undefined
  if (load === undefined) {
    throw new SuprnovaError('UNKNOWN_BENCH', `there is no benchmark called ${JSON.stringify(name)}`, {
      exitCode: EXIT.usage,
      hint: `choose one of ${benchNames.join(', ')}`,
      values: { name, known: benchNames },
    })
  }
  const { bench } = await load()
  return bench.run(options)
}
