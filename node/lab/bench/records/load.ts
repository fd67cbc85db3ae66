import { SuprnovaError } from '../../../core/index.ts'
import { quantileOf } from '../bench.ts'
import type { Done } from './record-network.ts'

/** How long operations are run, and how many at a time. */
export interface LoadOptions {
  readonly concurrency: number
  /** None is begun after it. */
  readonly seconds: number
  /** None more are begun. */
  readonly count: number
}

/** What a load of operations took. */
export interface LoadResult {
  readonly done: number
  readonly failed: number
  /** From the first begun to the last done, what stores left behind included. */
  readonly seconds: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU of this process a second of the run, in seconds: 1 is one core. */
  readonly cores: number
  /** The first failure, in words. */
  readonly failure?: string
}

/**
 * Runs operations 0, 1, 2 and on, `concurrency` of them at a time. A failed one is counted apart.
 *
 * @throws SuprnovaError LAB_BENCH_IDLE when not one was done: its rate would be 0, and any ratio with it a lie
 */
export async function measureLoad(
  { concurrency, count, seconds }: LoadOptions,
  operation: (index: number) => Promise<Done>,
): Promise<LoadResult> {
  const latencies: number[] = []
  const behind = new Set<Promise<unknown>>()
  let next = 0
  let failed = 0
  let failure: string | undefined
  const startedAt = performance.now()
  const worker = async () => {
    while (next < count && performance.now() - startedAt < seconds * 1000) {
      const index = next++
      const begunAt = performance.now()
      try {
        const { rest } = await operation(index)
        latencies.push(performance.now() - begunAt)
        if (rest === undefined) continue
        behind.add(rest)
        void rest.then(() => behind.delete(rest))
      } catch (error) {
        failed++
        failure ??= error instanceof Error ? error.message : String(error)
      }
    }
  }
  const cpuBefore = process.cpuUsage()
  await Promise.all(Array.from({ length: concurrency }, worker))
  await Promise.all(behind)
  const took = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  if (latencies.length === 0) {
    const why = failure === undefined ? '' : `, the first because: ${failure}`
    throw new SuprnovaError('LAB_BENCH_IDLE', `a load did nothing: ${next} of ${count} begun, ${failed} failed${why}`, {
      values: { begun: next, count, failed, seconds },
    })
  }
  return {
    done: latencies.length,
    failed,
    seconds: took,
    perSecond: latencies.length / took,
    p50Ms: quantileOf(latencies, 0.5),
    p99Ms: quantileOf(latencies, 0.99),
    cores: (user + system) / 1e6 / took,
    ...(failure === undefined ? {} : { failure }),
  }
}
