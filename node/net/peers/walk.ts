import { createHash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { Address, StakeView } from '../../core/index.ts'
import { WALK_PEERS_DEFAULT, WALK_TIMEOUT_MS } from '../constants.ts'
import type { FoundPeer, PeerWalk } from '../interface.ts'
import type { Host } from './host.ts'
import { peerIdOfPublicKey } from './identity.ts'
import type { Standing } from './standing.ts'

/**
 * Walks kad-dht's tables towards `key`, counting the steps. What one peer answers or fails to answer ends no walk, and
 * when the time is over, whoever has answered by then is the result.
 */
export async function findPeers(
  key: Uint8Array,
  options: { readonly count?: number; readonly timeoutMs?: number },
  { host, standing }: { readonly host: Host; readonly standing: Standing },
): Promise<PeerWalk> {
  const { count = WALK_PEERS_DEFAULT, timeoutMs = WALK_TIMEOUT_MS } = options
  const signal = AbortSignal.timeout(timeoutMs)
  /** Steps to each peer: 1 to those of the own table, to others one more than to the peer that named them first. */
  const steps = new Map<string, number>()
  const answered = new Map<string, PeerId>()
  let hops = 0
  try {
    for await (const event of host.services.routing.getClosestPeers(key, { signal })) {
      // Those asked before anybody named them are of the own table.
      if (event.name === 'DIAL_PEER' && !steps.has(event.peer.toString())) steps.set(event.peer.toString(), 1)
      if (event.name !== 'PEER_RESPONSE') continue
      const step = steps.get(event.from.toString()) ?? 1
      answered.set(event.from.toString(), event.from)
      hops = Math.max(hops, step)
      for (const { id } of event.closer) {
        if (!steps.has(id.toString())) steps.set(id.toString(), step + 1)
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  const closest = byDistance([...answered.values()], key).slice(0, count)
  const peers = await Promise.all(closest.map((id) => foundPeer(id, { host, standing })))
  return { peers, hops, asked: answered.size }
}

/** Kademlia's distance: of hashes, so that nobody lies beside a key by choosing its bytes. */
function byDistance(peers: readonly PeerId[], key: Uint8Array): PeerId[] {
  const target = sha256(key)
  const measured = peers.map((peer) => ({
    peer,
    distance: sha256(peer.toMultihash().bytes).map((byte, index) => byte ^ (target[index] as number)),
  }))
  return measured.sort((a, b) => Buffer.compare(a.distance, b.distance)).map(({ peer }) => peer)
}

const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest())

async function foundPeer(
  id: PeerId,
  { host, standing }: { readonly host: Host; readonly standing: Standing },
): Promise<FoundPeer> {
  const known = (await host.peerStore.has(id)) ? (await host.peerStore.get(id)).addresses : []
  return {
    peerId: id.toString(),
    address: standing.addressOf(id),
    stakeId: standing.of(id)?.stakeId,
    multiaddrs: known.map(({ multiaddr }) => multiaddr.toString()),
  }
}

/** The addresses of the node with that key: those known here, else what the routing table tells. */
export async function locate(
  address: Address,
  { host, stakeView }: { readonly host: Host; readonly stakeView: Pick<StakeView, 'key'> },
): Promise<readonly string[]> {
  const key = stakeView.key(address)
  if (key === undefined) return []
  const peer = peerIdOfPublicKey(key.publicKey)
  const open = host.getConnections(peer).map(({ remoteAddr }) => remoteAddr.toString())
  if (open.length > 0) return open
  try {
    const { multiaddrs } = await host.peerRouting.findPeer(peer, { signal: AbortSignal.timeout(WALK_TIMEOUT_MS) })
    return multiaddrs.map((found) => found.toString())
  } catch (error) {
    // Nobody knows it: that is the answer.
    host.logger.forComponent('suprnova:walk')('%p is nowhere - %e', peer, error)
    return []
  }
}
