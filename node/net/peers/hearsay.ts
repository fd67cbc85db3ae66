import type { PeerId, PeerInfo } from '@libp2p/interface'
import { removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { CODE_P2P, type Multiaddr } from '@multiformats/multiaddr'
import { ADDRESSES_TOLD_MAX } from '../constants.ts'
import type { Host } from './host.ts'
import type { Standing } from './standing.ts'

export interface HearsayOptions {
  /** Whether addresses of this machine or LAN are taken: true on networks that have no others. */
  readonly privateAddresses: boolean
}

/**
 * What one peer says of another's addresses, as far as it is worth keeping: of stakes alone, a few addresses a time, none
 * that names somebody else, and on a public network none that leads into a private one.
 * @returns `undefined` when nothing of it is
 */
export function hearsayOf(peer: PeerInfo, options: HearsayOptions, standing: Standing): PeerInfo | undefined {
  if (standing.of(peer.id) === undefined) return undefined
  const { multiaddrs } = options.privateAddresses ? peer : removePrivateAddressesMapper(peer)
  const kept = multiaddrs.filter((address) => namesOnly(address, peer.id)).slice(0, ADDRESSES_TOLD_MAX)
  return kept.length === 0 ? undefined : { ...peer, multiaddrs: kept }
}

/** Forgets what others said of a peer that could not be reached. What it signed itself stays: it may be back there soon. */
export async function forgetHearsay(host: Pick<Host, 'peerStore'>, peer: PeerId): Promise<void> {
  if (!(await host.peerStore.has(peer))) return
  const { addresses } = await host.peerStore.get(peer)
  await host.peerStore.patch(peer, { addresses: addresses.filter(({ isCertified }) => isCertified) })
}

function namesOnly(address: Multiaddr, peer: PeerId): boolean {
  const named = address.getComponents().filter(({ code }) => code === CODE_P2P)
  return named.every(({ value }) => value === peer.toString())
}
