import type { Counter, Gauge, Metrics } from '../../core/index.ts'

export interface RepairMetrics {
  /** By outcome: same, different, refused, failed. */
  readonly comparisons: Counter
  /** By outcome: stored, superseded, refused, failed. */
  readonly handedRecords: Counter
  readonly handedBytes: Counter
  readonly indexedEntries: Gauge
  readonly silentPeers: Gauge
  /** By reason: rate, window, stranger. */
  readonly refusals: Counter
}

export function repairMetrics(metrics: Metrics): RepairMetrics {
  return {
    comparisons: metrics.counter('suprnova_dht_repair_comparisons_total', 'Comparisons with co-replicas, by outcome'),
    handedRecords: metrics.counter('suprnova_dht_repair_records_total', 'Records handed to others, by outcome'),
    handedBytes: metrics.counter('suprnova_dht_repair_bytes_total', 'Bytes of records handed to others'),
    indexedEntries: metrics.gauge('suprnova_dht_repair_indexed_entries', 'Entries in the index of shared records'),
    silentPeers: metrics.gauge('suprnova_dht_repair_silent_peers', 'Replicas that did not answer of late'),
    refusals: metrics.counter('suprnova_dht_repair_refusals_total', 'Questions of others not answered, by reason'),
  }
}
