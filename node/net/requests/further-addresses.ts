import type { PeerId } from '@libp2p/interface'
import { removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Address } from '../../core/index.ts'

/** Addresses of one peer that are tried: each costs a dial. */
export const FURTHER_ADDRESSES_MAX = 8

/**
 * Turns what `find` tells into addresses of exactly that peer. What is no address, names another peer, or on a public
 * network leads into a private one, is left out: whoever wrote it must not make others knock at any door.
 */
export function furtherAddresses(
  find: ((address: Address) => Promise<readonly string[]>) | undefined,
  privateAddresses: boolean,
): (address: Address, peer: PeerId) => Promise<Multiaddr[]> {
  return async (address, peer) => {
    const told = (await find?.(address)) ?? []
    const multiaddrs = told.slice(0, FURTHER_ADDRESSES_MAX).flatMap((text) => addressOf(text, peer))
    return privateAddresses ? multiaddrs : removePrivateAddressesMapper({ id: peer, multiaddrs }).multiaddrs
  }
}

function addressOf(text: string, peer: PeerId): Multiaddr[] {
  try {
    const address = multiaddr(text)
    const components = address.getComponents()
    if (components.length < 2) return []
    const named = components.filter(({ code }) => code === CODE_P2P)
    if (named.length === 0) return [address.encapsulate(`/p2p/${peer.toString()}`)]
    // One name, at the end: a relay's address names two, and relays are not dialled here.
    const isPeer = named.length === 1 && address.toString().endsWith(`/p2p/${peer.toString()}`)
    return isPeer ? [address] : []
  } catch {
    // No multiaddr: nothing to be tried.
    return []
  }
}
