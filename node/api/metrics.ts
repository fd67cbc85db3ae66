import { type Counter, type Gauge, type Histogram, type Metrics, SuprnovaError } from '../core/index.ts'

/** Most label sets one metric may have; later ones are counted together as `overflow="true"`. */
export const SERIES_LIMIT = 128

type Labels = Record<string, string>
type Type = 'counter' | 'gauge' | 'histogram'

interface Series {
  readonly labels: Labels
  value: number
  /** Histograms only: how many observations fell at or below each bound. */
  readonly counts: number[]
  observations: number
}

interface Metric {
  readonly name: string
  readonly help: string
  readonly type: Type
  readonly buckets: readonly number[]
  readonly series: Map<string, Series>
  /** The same by labels as they are given, in whatever order: found without sorting. Bounded as the series are. */
  readonly asGiven: Map<string, Series>
}

/** One reading of a metric. */
export interface Reading {
  readonly labels: Labels
  readonly value: number
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

function written(labels: Labels, extra: Labels = {}): string {
  const pairs = Object.entries({ ...labels, ...extra }).map(([key, value]) => `${key}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Holds every metric of a process and writes them in the Prometheus text format. */
export class MetricsRegistry implements Metrics {
  readonly #metrics = new Map<string, Metric>()

  counter(name: string, help: string): Counter {
    const metric = this.#metric(name, help, 'counter')
    return {
      inc: (labels = {}, by = 1) => {
        this.#series(metric, labels).value += by
      },
    }
  }

  gauge(name: string, help: string): Gauge {
    const metric = this.#metric(name, help, 'gauge')
    return {
      set: (value, labels = {}) => {
        this.#series(metric, labels).value = value
      },
    }
  }

  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    const metric = this.#metric(name, help, 'histogram', buckets)
    return {
      observe: (value, labels = {}) => {
        const series = this.#series(metric, labels)
        series.value += value
        series.observations += 1
        for (const [i, bound] of metric.buckets.entries()) {
          if (value <= bound) series.counts[i] = (series.counts[i] ?? 0) + 1
        }
      },
    }
  }

  /** What a metric shows now: of a histogram, the sums. Empty when nothing was counted yet. */
  read(name: string): Reading[] {
    return [...(this.#metrics.get(name)?.series.values() ?? [])].map(({ labels, value }) => ({ labels, value }))
  }

  /** All metrics in the Prometheus text exposition format, version 0.0.4. */
  render(): string {
    const lines: string[] = []
    for (const { name, help, type, buckets, series } of this.#metrics.values()) {
      lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`)
      for (const { labels, value, counts, observations } of series.values()) {
        if (type !== 'histogram') {
          lines.push(`${name}${written(labels)} ${value}`)
          continue
        }
        for (const [i, bound] of buckets.entries()) {
          lines.push(`${name}_bucket${written(labels, { le: String(bound) })} ${counts[i] ?? 0}`)
        }
        lines.push(`${name}_bucket${written(labels, { le: '+Inf' })} ${observations}`)
        lines.push(`${name}_sum${written(labels)} ${value}`, `${name}_count${written(labels)} ${observations}`)
      }
    }
    return `${lines.join('\n')}\n`
  }

  #metric(name: string, help: string, type: Type, buckets: readonly number[] = []): Metric {
    const known = this.#metrics.get(name)
    if (known !== undefined && known.type !== type) {
      throw new SuprnovaError('METRIC_TYPE', `metric ${name} is a ${known.type} and cannot become a ${type}`, {
        values: { name, type: known.type, wanted: type },
      })
    }
    const metric = known ?? { name, help, type, buckets, series: new Map(), asGiven: new Map() }
    this.#metrics.set(name, metric)
    return metric
  }

  #series(metric: Metric, labels: Labels): Series {
    let given = ''
    for (const name in labels) given += `${name}\0${labels[name]}\0`
    const known = metric.asGiven.get(given)
    if (known !== undefined) return known
    const series = this.#sortedSeries(metric, labels)
    if (metric.asGiven.size < 2 * SERIES_LIMIT) metric.asGiven.set(given, series)
    return series
  }

  #sortedSeries(metric: Metric, labels: Labels): Series {
    const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
    const known = metric.series.get(key)
    if (known !== undefined) return known
    if (metric.series.size >= SERIES_LIMIT && labels.overflow === undefined) {
      return this.#sortedSeries(metric, { overflow: 'true' })
    }
    const series: Series = { labels, value: 0, counts: [], observations: 0 }
    metric.series.set(key, series)
    return series
  }
}
