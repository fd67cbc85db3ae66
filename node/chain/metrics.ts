import type { Counter, Gauge, Metrics } from '../core/index.ts'

/** What the stake view counts. */
export interface StakeViewMetrics {
  readonly headBlock: Gauge
  readonly stakes: Gauge
  readonly reorgs: Counter
  readonly blocksUndone: Counter
  readonly pollFailures: Counter
}

export function stakeViewMetrics(metrics: Metrics): StakeViewMetrics {
  return {
    headBlock: metrics.gauge('suprnova_chain_head_block', 'Newest block the stake view went through'),
    stakes: metrics.gauge('suprnova_chain_stakes_count', 'Stakes ever registered'),
    reorgs: metrics.counter('suprnova_chain_reorgs_total', 'Times the stake view went back to a fork point'),
    blocksUndone: metrics.counter('suprnova_chain_undone_blocks_total', 'Blocks the stake view took back'),
    pollFailures: metrics.counter('suprnova_chain_poll_failures_total', 'Polls of the chain that failed'),
  }
}

/** What the reporter counts. */
export interface ReporterMetrics {
  readonly open: Gauge
  readonly outcomes: Counter
  readonly dropped: Counter
  readonly transactions: Counter
}

export function reporterMetrics(metrics: Metrics): ReporterMetrics {
  return {
    open: metrics.gauge('suprnova_chain_outbox_records', 'Offences the reporter is working on'),
    outcomes: metrics.counter('suprnova_chain_reports_total', 'Offences finished, by outcome'),
    dropped: metrics.counter('suprnova_chain_offences_dropped_total', 'Offences not taken into the outbox, by reason'),
    transactions: metrics.counter('suprnova_chain_report_transactions_total', 'Transactions sent, by purpose'),
  }
}

/** What the RPC pool counts. */
export interface RpcMetrics {
  readonly failures: Counter
  readonly healthy: Gauge
}

export function rpcMetrics(metrics: Metrics): RpcMetrics {
  return {
    failures: metrics.counter('suprnova_chain_rpc_failures_total', 'Requests an RPC did not answer, by rank'),
    healthy: metrics.gauge('suprnova_chain_rpc_healthy_count', 'RPCs that answer and agree'),
  }
}
