import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { GossipSubComponents } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import type { Clock, Timers } from '../../core/index.ts'
import {
  CONNECTIONS_MAX,
  DIAL_TIMEOUT_MS,
  INBOUND_PENDING_MAX,
  INBOUND_PER_SECOND_MAX,
  PING_STREAMS_MAX,
} from '../constants.ts'
import { type GossipService, gossipService } from '../gossip/service.ts'
import type { NetMetrics } from '../metrics.ts'
import { mergingEncrypter } from '../transport/merge-writes.ts'
import { noiseCrypto } from '../transport/noise-crypto.ts'
import { connectionGater } from './gater.ts'
import { libp2pKey } from './identity.ts'
import { routingTable } from './routing.ts'
import type { Standing } from './standing.ts'

export interface HostOptions {
  /** Raw secp256k1 key, 32 bytes. */
  readonly privateKey: Uint8Array
  readonly networkId: string
  /** Multiaddrs, `/tcp/0` or `/tcp/0/ws` for any free port. */
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  readonly privateAddresses: boolean
  readonly fanout: number
  readonly stakeUnitWei: bigint
}

export type Host = Libp2p<{ identify: Identify; ping: Ping; routing: KadDHT; gossip: GossipService }>

/** The libp2p node, not started. */
export async function createHost(
  options: HostOptions,
  modules: {
    readonly standing: Standing
    readonly clock: Clock
    readonly timers: Timers
    readonly metrics: NetMetrics
  },
): Promise<Host> {
  const connections = () => host?.getConnections().map((connection) => connection.remotePeer) ?? []
  const gossip = gossipService(options, modules.standing)
  const host: Host = await createLibp2p({
    start: false,
    privateKey: libp2pKey(options.privateKey),
    addresses: { listen: [...options.listen], announce: [...options.announce] },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [mergingEncrypter(noise({ crypto: noiseCrypto }))],
    streamMuxers: [yamux()],
    connectionGater: connectionGater({}, { ...modules, connected: connections }),
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND_MAX,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      dialTimeout: DIAL_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    // a busy node answers pings late, and closing its connections makes it busier: a dead peer's socket closes itself
    connectionMonitor: { pingInterval: 30_000, abortConnectionOnPingFailure: false },
    services: {
      identify: identify(),
      ping: ping({ maxInboundStreams: PING_STREAMS_MAX, maxOutboundStreams: PING_STREAMS_MAX }),
      routing: routingTable(options, modules),
      gossip: (components: GossipSubComponents) => gossip(components) as GossipService,
    },
  })
  return host
}

/** The peers of the open connections, each once. libp2p's own `getPeers` takes every key apart again, at 0.3 ms each. */
export function connectedPeers(host: Host): PeerId[] {
  const peers = new Map(host.getConnections().map(({ remotePeer }) => [remotePeer.toString(), remotePeer]))
  return [...peers.values()]
}
