import type { PeerId, PeerInfo, PeerRouting, RoutingOptions } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Timers } from '../../core/index.ts'
import { ADDRESSES_PER_PEER_MAX, WITNESS_WAIT_MS, WITNESSES_ENOUGH } from '../constants.ts'
import { NetworkError } from '../errors.ts'

/**
 * Finds a peer's addresses by asking several: kad-dht itself takes the first answer, so that one peer on the way could send
 * every caller to a place of its choice. All that is said is tried, and the handshake tells who is there.
 */
export function addressRouter(
  dht: KadDHT,
  sieve: (peer: PeerInfo) => PeerInfo | undefined,
  timers: Timers,
): PeerRouting {
  return {
    async findPeer(id: PeerId, options: RoutingOptions = {}): Promise<PeerInfo> {
      const enough = new AbortController()
      const signal = options.signal == null ? enough.signal : AbortSignal.any([options.signal, enough.signal])
      const found = new Map<string, Multiaddr>()
      let witnesses = 0
      let cancel: (() => void) | undefined
      try {
        for await (const event of dht.findPeer(id, { ...options, signal })) {
          const told = event.name === 'FINAL_PEER' ? sieve(event.peer) : undefined
          if (told === undefined) continue
          for (const address of told.multiaddrs) {
            if (found.size < ADDRESSES_PER_PEER_MAX) found.set(address.toString(), address)
          }
          witnesses++
          if (witnesses >= WITNESSES_ENOUGH) break
          cancel ??= timers.after(WITNESS_WAIT_MS, () => enough.abort())
        }
      } catch (error) {
        // What was said until then is an answer.
        if (found.size === 0) throw error
      } finally {
        cancel?.()
      }
      if (found.size === 0) throw nowhere(id)
      return { id, multiaddrs: [...found.values()] }
    },
    async *getClosestPeers(key: Uint8Array, options: RoutingOptions = {}): AsyncIterable<PeerInfo> {
      for await (const event of dht.getClosestPeers(key, options)) {
        const told = event.name === 'FINAL_PEER' ? sieve(event.peer) : undefined
        if (told !== undefined) yield told
      }
    },
  }
}

function nowhere(id: PeerId): NetworkError {
  return new NetworkError('NET_PEER_NOWHERE', `no peer asked knows where ${id.toString()} is`, {
    values: { peerId: id.toString() },
    hint: 'it may be away; it is looked for again when it is needed',
  })
}
