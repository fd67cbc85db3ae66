import type { Counter, Gauge, Histogram, Metrics } from '../core/index.ts'

/** What this room counts. Labels are few and fixed: never a peer, never a topic. */
export interface NetMetrics {
  /** Messages by outcome: accept, reject, ignore. */
  readonly verdicts: Counter
  /** Why messages were not accepted. */
  readonly refusals: Counter
  /** Messages dropped before gossipsub saw them: unstaked, topic not open, rate, size. */
  readonly dropped: Counter
  /** Bodies given to subscribers. */
  readonly delivered: Counter
  /** Statements published by this node. */
  readonly published: Counter
  /** Pieces of evidence by outcome. */
  readonly evidence: Counter
  /** Connections refused by the gater, by reason. */
  readonly gated: Counter
  /** Dials by outcome. */
  readonly dials: Counter
  /** Connected peers by standing. */
  readonly peers: Gauge
  /** Entries of each bounded map or queue, by name. */
  readonly entries: Gauge
  /** Entries put out of a bounded map because it was full, by name. */
  readonly evicted: Counter
  /** Messages whose check threw. */
  readonly checkErrors: Counter
  /** Errors thrown by what takes messages or evidence. */
  readonly handlerErrors: Counter
  /** Requests of peers by outcome. */
  readonly requests: Counter
  /** Difference between a peer's clock and this one. */
  readonly clockOffset: Histogram
}

export function netMetrics(metrics: Metrics): NetMetrics {
  return {
    verdicts: metrics.counter('suprnova_net_verdicts_total', 'Gossip messages by outcome of their checks'),
    refusals: metrics.counter('suprnova_net_refusals_total', 'Gossip messages not accepted, by reason'),
    dropped: metrics.counter('suprnova_net_dropped_total', 'Messages dropped before any check, by reason'),
    delivered: metrics.counter('suprnova_net_delivered_bodies_total', 'Bodies given to subscribers'),
    published: metrics.counter('suprnova_net_published_total', 'Statements published, by form'),
    evidence: metrics.counter('suprnova_net_evidence_total', 'Pieces of evidence by outcome'),
    gated: metrics.counter('suprnova_net_gated_total', 'Connections refused, by reason'),
    dials: metrics.counter('suprnova_net_dials_total', 'Dials by outcome'),
    peers: metrics.gauge('suprnova_net_peers_count', 'Connected peers by standing'),
    entries: metrics.gauge('suprnova_net_entries_count', 'Entries of bounded maps'),
    evicted: metrics.counter('suprnova_net_evicted_total', 'Entries put out of bounded maps'),
    checkErrors: metrics.counter('suprnova_net_check_errors_total', 'Messages whose check failed by itself'),
    handlerErrors: metrics.counter('suprnova_net_handler_errors_total', 'Errors thrown by subscribers'),
    requests: metrics.counter('suprnova_net_requests_total', 'Requests of peers by outcome'),
    clockOffset: metrics.histogram(
      'suprnova_net_clock_offset_ms',
      'Absolute difference between the clock of a peer and this one',
      [1, 10, 100, 1_000, 10_000, 60_000],
    ),
  }
}
