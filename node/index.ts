/**
 * What the package gives: the DHT as one object, the client of a running node, and the shapes they speak in.
 * @example
 *   import { SuprnovaDHT } from 'suprnova'
 */
export {
  type AgentLine,
  type ClosestLine,
  ConfigError,
  createNode,
  type DhtPeer,
  type HeardMessage,
  LightClient,
  type LightClientOptions,
  type LightRead,
  MESSAGE_TOPIC,
  type Message,
  type NearbyLine,
  NodeClient,
  type NodeConfig,
  type NodeConfigInput,
  NodeNotRunningError,
  type NodeStatus,
  openLightClient,
  parseNodeConfig,
  type ReadState,
  type ReceiptLine,
  type StoredLine,
  SuprnovaDHT,
  type SuprnovaDHTOptions,
  SuprnovaNode,
  type VerifiedReceipt,
} from './api/index.ts'
export { type Address, EXIT, fromHex, type Hex, SuprnovaError, toHex } from './core/index.ts'
export {
  AgentDiscoveryProtocol,
  type Announcement,
  agentIdOf,
  CHESS_WORLD,
  DEFAULT_WORLD,
  DhtError,
  type KeptReceipt,
  MeshDHTAdapter,
  type NearbyOptions,
  type Presence,
  type QueryOptions,
  type QueryResult,
  type ReceiptFile,
  type SpatialAgent,
  SpatialHashIndex,
  type StateKey,
  type StoredState,
  World,
  type WorldOptions,
} from './dht/index.ts'
export type { FoundPeer, PeerWalk } from './net/index.ts'
