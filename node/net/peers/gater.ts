import type { ConnectionGater, PeerId } from '@libp2p/interface'
import { CONNECTIONS_PER_PEER_MAX, READERS_MAX } from '../constants.ts'
import type { NetMetrics } from '../metrics.ts'
import type { Standing } from './standing.ts'

export interface GaterModules {
  readonly standing: Standing
  /** PeerIds of the open connections, one entry a connection. */
  readonly connected: () => Iterable<PeerId>
  readonly metrics: NetMetrics
}

/**
 * Anyone may connect, as a reader unless stake stands behind the key. Readers share a small number of places, and no
 * key holds many connections. Dials of this node's own are its own business.
 */
export function connectionGater(
  limits: { readonly readersMax?: number; readonly connectionsPerPeerMax?: number },
  modules: GaterModules,
): ConnectionGater {
  const readersMax = limits.readersMax ?? READERS_MAX
  const perPeerMax = limits.connectionsPerPeerMax ?? CONNECTIONS_PER_PEER_MAX
  const { standing, metrics } = modules

  const refusal = (peerId: PeerId): string | undefined => {
    const open = [...modules.connected()]
    if (open.filter((other) => other.equals(peerId)).length >= perPeerMax) return 'connections-per-peer'
    if (standing.of(peerId) !== undefined) return undefined
    return open.filter((other) => standing.of(other) === undefined).length >= readersMax ? 'readers' : undefined
  }

  return {
    denyInboundEncryptedConnection(peerId) {
      const reason = refusal(peerId)
      if (reason !== undefined) metrics.gated.inc({ reason })
      return reason !== undefined
    },
  }
}
