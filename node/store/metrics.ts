import type { Counter, Gauge, Metrics } from '../core/index.ts'

/** What the store counts. */
export interface StoreMetrics {
  readonly guardGrants: Counter
  readonly guardRefusals: Counter
  readonly guardFlushes: Counter
  readonly guardLosses: Counter
  readonly slotEntries: Gauge
  readonly slotDrops: Counter
  readonly quarantinedKeys: Gauge
}

/** Registers the store's metrics; counts nothing where there are none. */
export function storeMetrics(metrics: Metrics | undefined): StoreMetrics {
  const counter = (name: string, help: string) => metrics?.counter(`suprnova_store_${name}`, help) ?? { inc() {} }
  const gauge = (name: string, help: string) => metrics?.gauge(`suprnova_store_${name}`, help) ?? { set() {} }
  return {
    guardGrants: counter('guard_grants_total', 'Positions and mesh slots given out for signing, by kind'),
    guardRefusals: counter('guard_refusals_total', 'Statements the signing guard refused, by reason'),
    guardFlushes: counter('guard_flushes_total', 'Durable writes of the signing guard'),
    guardLosses: counter('guard_losses_total', 'Times the signing guard counted itself as lost'),
    slotEntries: gauge('slot_entries', 'Verified slots known, by place'),
    slotDrops: counter('slot_drops_total', 'Verified slots forgotten because a bound was reached, by place'),
    quarantinedKeys: gauge('quarantined_keys', 'Keys that signed two contents in one slot'),
  }
}
