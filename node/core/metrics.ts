/** Counts up. Labels are few and bounded: never a peer id, never a key. */
export interface Counter {
  inc(labels?: Record<string, string>, by?: number): void
}

/** Holds a current value. */
export interface Gauge {
  set(value: number, labels?: Record<string, string>): void
}

/** Observes durations or sizes in fixed buckets. */
export interface Histogram {
  observe(value: number, labels?: Record<string, string>): void
}

/** Where rooms register what they count. Names are `suprnova_<room>_<noun>_<unit>`. */
export interface Metrics {
  counter(name: string, help: string): Counter
  gauge(name: string, help: string): Gauge
  histogram(name: string, help: string, buckets: readonly number[]): Histogram
}
