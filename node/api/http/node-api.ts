import type { Address, Hex } from '../../core/index.ts'
import type { Dht } from '../../dht/index.ts'
import type { Network } from '../../net/index.ts'
import type { FaultStatus, NodeStatus } from '../status.ts'

/** A gossip message as a subscriber gets it: one line of NDJSON, its payload in base64. */
export interface GossipLine {
  readonly topic: string
  readonly signer: Address
  readonly stakeId: number
  /** Decimal: epoch << 32 | index. */
  readonly position: string
  readonly payload: string
  /** Unix milliseconds. */
  readonly receivedAtMs: number
}

/** What the local socket can ask of a node. */
export interface NodeApi {
  readonly dht: Dht
  readonly network: Pick<Network, 'findPeers' | 'locate'>
  /** Of the deployment. */
  readonly epochSeconds: number
  status(): Promise<NodeStatus>
  /** @returns how many peers it was handed to at once */
  publish(topic: string, payload: Uint8Array): Promise<{ readonly recipients: number }>
  /** @returns the function that ends the subscription */
  subscribe(topic: string, handler: (line: GossipLine) => void): () => void
  evidence(): readonly FaultStatus[]
  /** The bundle, as JSON, or `undefined` for a fault this node does not know. */
  bundle(faultId: Hex): unknown
  /** Puts a fault before the court now, also when it was given up or left to others. */
  submit(faultId: Hex): Promise<FaultStatus | undefined>
  /** The guard's marks as an interchange document. */
  exportGuard(): Promise<unknown>
  /** What it knows of the registry, for readers that follow no chain. */
  registrySnapshot(): unknown
  /** Begins an orderly end and returns at once. */
  shutdown(): void
}

/** What is open to monitoring on loopback. */
export interface HealthApi {
  /** In words what is wrong; empty when the node works. */
  problems(): readonly string[]
  /** In words why it does not take part yet; empty when it does. */
  unready(): readonly string[]
  /** Prometheus text. */
  metricsText(): string
}
