export { NodeClient, type RetrievedValue, type StateFacts, type StateQuery } from './client.ts'
export { type KeystoreAccess, type NodeConfig, type NodeConfigInput, parseNodeConfig } from './config.ts'
export { PAYLOAD_LIMIT_BYTES, SOCKET_NAME, SOFTWARE_VERSION, TOPIC_LIMIT_BYTES } from './constants.ts'
export { createNode, type NodeModules } from './createNode.ts'
export { ConfigError, NodeNotRunningError, NodeSilentError, RequestError } from './errors.ts'
export { declareFreshKey } from './fresh-key.ts'
export type {
  AgentLine,
  ClosestLine,
  KeptLine,
  NearbyLine,
  ReceiptLine,
  RenewedLine,
  StoredLine,
} from './http/dht-routes.ts'
export { HealthServer } from './http/health-server.ts'
export { LocalServer } from './http/local-server.ts'
export type { GossipLine, HealthApi, NodeApi } from './http/node-api.ts'
export {
  LightClient,
  type LightClientModules,
  type LightClientOptions,
  type LightRead,
  openLightClient,
  type VerifiedReceipt,
} from './light/light-client.ts'
export { createLogger, LOG_LEVELS } from './logger.ts'
export { MetricsRegistry } from './metrics.ts'
export { SuprnovaNode } from './node.ts'
export { settingsOf } from './settings.ts'
export type { FaultStatus, NodePhase, NodeStatus, PeerStatus, SlashStatus, StakeStatusRow } from './status.ts'
export * from './suprnova-dht.ts'
export { systemClock, systemRandom, systemTimers } from './system.ts'
export { wholeValue } from './whole-value.ts'
