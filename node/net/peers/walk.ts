import type { Address, StakeView } from '../../core/index.ts'
import { WALK_PEERS_DEFAULT, WALK_TIMEOUT_MS } from '../constants.ts'
import type { FoundPeer, PeerWalk } from '../interface.ts'
import type { Host } from './host.ts'
import { peerIdOfPublicKey } from './identity.ts'
import type { Standing } from './standing.ts'

/** Walks kad-dht's tables towards `key`, counting the steps. What one peer answers or fails to answer ends no walk. */
export async function findPeers(
  key: Uint8Array,
  options: { readonly count?: number; readonly timeoutMs?: number },
  { host, standing }: { readonly host: Host; readonly standing: Standing },
): Promise<PeerWalk> {
  const { count = WALK_PEERS_DEFAULT, timeoutMs = WALK_TIMEOUT_MS } = options
  const signal = AbortSignal.timeout(timeoutMs)
  /** Steps to each peer: one more than to the peer that named it first. */
  const steps = new Map<string, number>()
  const found: FoundPeer[] = []
  let asked = 0
  let hops = 0
  try {
    for await (const event of host.services.routing.getClosestPeers(key, { signal })) {
      if (event.name === 'PEER_RESPONSE') {
        asked++
        const step = steps.get(event.from.toString()) ?? 1
        hops = Math.max(hops, step)
        for (const { id } of event.closer) {
          if (!steps.has(id.toString())) steps.set(id.toString(), step + 1)
        }
      }
      if (event.name !== 'FINAL_PEER') continue
      const { id, multiaddrs } = event.peer
      found.push({
        peerId: id.toString(),
        address: standing.addressOf(id),
        stakeId: standing.of(id)?.stakeId,
        multiaddrs: multiaddrs.map((address) => address.toString()),
      })
    }
  } catch (error) {
    // What was found until the time was over is an answer too.
    if (!signal.aborted) throw error
  }
  return { peers: found.slice(0, count), hops, asked }
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
