export { PART_BYTES, STATE_MAX_BYTES } from './client/constants.ts'
export { decodeManifest, encodeManifest, isManifest, type Manifest } from './client/manifest.ts'
export { type KeptReceipt, ReceiptBook, type ReceiptFile, receiptId } from './client/receipt-book.ts'
export {
  type Draft,
  type QuorumOptions,
  type ReadResult,
  RecordClient,
  type StoreResult,
} from './client/record-client.ts'
export * from './client/states.ts'
export * from './constants.ts'
export * from './dht.ts'
export * from './errors.ts'
export * from './interface.ts'
export { SortedReplicaTable } from './placement/replica-table.ts'
export { LaggingReplicaTables, type RegistryHistory, type ReplicaTablesOptions } from './placement/replica-tables.ts'
