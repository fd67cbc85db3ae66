export { PART_BYTES, STATE_MAX_BYTES } from './client/constants.ts'
export { decodeManifest, encodeManifest, isManifest, type Manifest } from './client/manifest.ts'
export type { QuorumOptions } from './client/quorum.ts'
export { type KeptReceipt, ReceiptBook, type ReceiptFile, receiptId } from './client/receipt-book.ts'
export { type Draft, type HeldValue, RecordClient, type StoreResult } from './client/record-client.ts'
export type { ReadResult, SetReadOptions, SetResult } from './client/record-reads.ts'
export * from './client/states.ts'
export * from './constants.ts'
export * from './dht.ts'
export * from './errors.ts'
export * from './interface.ts'
export * from './light-dht.ts'
export { SortedReplicaTable } from './placement/replica-table.ts'
export { LaggingReplicaTables, type RegistryHistory, type ReplicaTablesOptions } from './placement/replica-tables.ts'
export { encodeFetch, encodeStore } from './protocol/messages.ts'
export { type IndexedEntry, ShareIndex } from './repair/share-index.ts'
export * from './spatial/agent-discovery.ts'
export * from './spatial/agent-finder.ts'
export { agentIdOf } from './spatial/agent-id.ts'
export { type Cell, cellOf, cellsTouched, childrenOf, keyOfCell } from './spatial/cells.ts'
export { MeshDHTAdapter } from './spatial/mesh-adapter.ts'
export { encodePresence, type Presence, readPresence } from './spatial/presence.ts'
export * from './spatial/spatial-index.ts'
export {
  CHESS_WORLD,
  DEFAULT_WORLD,
  WORLDS,
  World,
  type WorldLike,
  type WorldOptions,
  worldOf,
} from './spatial/world.ts'
