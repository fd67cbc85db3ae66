import { arch, cpus, release, totalmem } from 'node:os'

/** What a benchmark may be told. */
export interface BenchOptions {
  /** Fewer rounds: shows that the benchmark runs, its numbers are rough. */
  readonly quick: boolean
  /** Takes progress, one line at a time. */
  log(line: string): void
}

/** The machine and versions a benchmark ran on: without them its numbers say nothing. */
export interface BenchMachine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
}

/** One number the project aims at. */
export interface BenchAim {
  readonly aim: string
  readonly measured: string
  readonly met: boolean
}

/** Where the CPU of one load went: lines of self time, largest first. */
export interface BenchProfile {
  readonly of: string
  readonly rows: readonly Record<string, string>[]
}

export interface BenchReport {
  readonly name: string
  readonly machine: BenchMachine
  /** The command that runs it again. */
  readonly command: string
  readonly rows: Record<string, string | number>[]
  readonly aims: BenchAim[]
  /** Taken beside the numbers, not while they were measured. */
  readonly profiles?: readonly BenchProfile[]
}

/** Each `node/lab/bench/<name>.ts` exports one as `bench`. */
export interface Bench {
  readonly name: string
  readonly summary: string
  run(options: BenchOptions): Promise<BenchReport>
}

/** Describes this machine. */
export function thisMachine(): BenchMachine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${arch()}`,
    node: process.version,
  }
}

/** The middle of `values`, the mean of the two middle ones when their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which the share `quantile` (0 to 1) of `values` lies; NaN of none. */
export function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN
}
