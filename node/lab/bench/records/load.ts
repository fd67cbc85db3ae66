import { quantileOf } from '../bench.ts'

/** What a load of operations took. */
export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU of this process a second of the run, in seconds: 1 is one core. */
  readonly cores: number
  readonly failed: number
}

/** Runs operations 0 to `count` - 1, `concurrency` of them at a time. A failed one counts as done, and is counted. */
export async function measureLoad(
  { count, concurrency }: { readonly count: number; readonly concurrency: number },
  operation: (index: number) => Promise<void>,
  onFailure: (error: unknown) => void,
): Promise<LoadResult> {
  const latencies: number[] = []
  let next = 0
  let failed = 0
  const worker = async () => {
    while (next < count) {
      const index = next++
      const startedAt = performance.now()
      try {
        await operation(index)
        latencies.push(performance.now() - startedAt)
      } catch (error) {
        failed++
        onFailure(error)
      }
    }
  }
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: concurrency }, worker))
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  return {
    perSecond: (count - failed) / seconds,
    p50Ms: quantileOf(latencies, 0.5),
    p99Ms: quantileOf(latencies, 0.99),
    cores: (cpu.user + cpu.system) / 1e6 / seconds,
    failed,
  }
}
