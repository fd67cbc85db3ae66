import type { Clock, Logger, Metrics, Random, Table, Timers } from '../../../node/core/index.ts'

/** A clock and timers that stand still until told to go on. */
export class ManualTime implements Clock, Timers {
  #nowMs: number
  #due: { atMs: number; run: () => void }[] = []

  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, run }
    this.#due.push(entry)
    return () => {
      this.#due = this.#due.filter((other) => other !== entry)
    }
  }

  get waiting(): number {
    return this.#due.length
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const next = this.#due.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#due = this.#due.filter((other) => other !== next)
      this.#nowMs = next.atMs
      next.run()
    }
    this.#nowMs = untilMs
  }
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: Record<string, unknown> | undefined
}

/** Keeps every line. */
export function recordingLogger(): Logger & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: string) => (message: string, fields?: Record<string, unknown>) => {
    lines.push({ level, message, fields })
  }
  const logger = {
    lines,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: () => logger,
  }
  return logger
}

/** Counts by name and labels. */
export function recordingMetrics(): Metrics & { readonly values: Map<string, number> } {
  const values = new Map<string, number>()
  const name = (of: string, labels: Record<string, string> = {}) => [of, ...Object.values(labels)].join(' ')
  const add = (key: string, by: number) => values.set(key, (values.get(key) ?? 0) + by)
  return {
    values,
    counter: (of) => ({ inc: (labels, by = 1) => add(name(of, labels), by) }),
    gauge: (of) => ({ set: (value, labels) => values.set(name(of, labels), value) }),
    histogram: (of) => ({ observe: (_, labels) => add(name(of, labels), 1) }),
  }
}

/** Random bytes that are the same in every run. */
export function countingRandom(): Random {
  let next = 0
  return { bytes: (length) => new Uint8Array(length).fill(++next) }
}

/** A table that has on "disk" what was written; reopening it is keeping it. */
export class MemoryTable implements Table {
  readonly rows = new Map<string, Uint8Array>()

  get(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(Buffer.from(key).toString('hex'))
  }

  async write(writes: readonly (readonly [Uint8Array, Uint8Array | undefined])[]): Promise<void> {
    for (const [key, value] of writes) {
      const at = Buffer.from(key).toString('hex')
      if (value === undefined) this.rows.delete(at)
      else this.rows.set(at, value)
    }
  }

  *range(start: Uint8Array, end: Uint8Array): Iterable<readonly [Uint8Array, Uint8Array]> {
    const [from, to] = [Buffer.from(start).toString('hex'), Buffer.from(end).toString('hex')]
    for (const at of [...this.rows.keys()].sort()) {
      if (at >= from && at < to) yield [Buffer.from(at, 'hex'), this.rows.get(at) as Uint8Array]
    }
  }
}
