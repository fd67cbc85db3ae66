import { expect, test } from 'vitest'
import { MetricsRegistry } from '../../../node/api/index.ts'

test('counters, gauges and histograms in Prometheus text', () => {
  const metrics = new MetricsRegistry()
  const rejects = metrics.counter('suprnova_net_rejects_total', 'messages rejected')
  rejects.inc({ reason: 'signature' })
  rejects.inc({ reason: 'signature' }, 2)
  metrics.gauge('suprnova_net_peers', 'peers').set(4)
  const delay = metrics.histogram('suprnova_net_delay_ms', 'delay', [1, 10])
  delay.observe(0.5)
  delay.observe(5)
  delay.observe(50)
  expect(metrics.render().split('\n')).toEqual([
    '# HELP suprnova_net_rejects_total messages rejected',
    '# TYPE suprnova_net_rejects_total counter',
    'suprnova_net_rejects_total{reason="signature"} 3',
    '# HELP suprnova_net_peers peers',
    '# TYPE suprnova_net_peers gauge',
    'suprnova_net_peers 4',
    '# HELP suprnova_net_delay_ms delay',
    '# TYPE suprnova_net_delay_ms histogram',
    'suprnova_net_delay_ms_bucket{le="1"} 1',
    'suprnova_net_delay_ms_bucket{le="10"} 2',
    'suprnova_net_delay_ms_bucket{le="+Inf"} 3',
    'suprnova_net_delay_ms_sum 55.5',
    'suprnova_net_delay_ms_count 3',
    '',
  ])
})

test('label order makes no new series, and values are escaped', () => {
  const metrics = new MetricsRegistry()
  const counter = metrics.counter('c', 'h')
  counter.inc({ a: '1', b: '"\n\\' })
  counter.inc({ b: '"\n\\', a: '1' })
  expect(metrics.render()).toContain('c{a="1",b="\\"\\n\\\\"} 2')
})

// Catches an unbounded map of series: without the limit 1,000 of them stand there.
test('label sets are bounded', () => {
  const metrics = new MetricsRegistry()
  const counter = metrics.counter('c', 'h')
  for (let i = 0; i < 1000; i++) counter.inc({ peer: String(i) })
  expect(metrics.read('c')).toHaveLength(129)
  expect(metrics.read('c').at(-1)).toEqual({ labels: { overflow: 'true' }, value: 872 })
})

test('the same name twice is the same metric, with another type an error', () => {
  const metrics = new MetricsRegistry()
  metrics.counter('c', 'h').inc()
  metrics.counter('c', 'h').inc()
  expect(metrics.read('c')).toEqual([{ labels: {}, value: 2 }])
  expect(() => metrics.gauge('c', 'h')).toThrow(/counter and cannot become a gauge/)
})
