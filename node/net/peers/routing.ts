import type { PeerInfo } from '@libp2p/interface'
import { type KadDHTInit, kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { ROUTING_STREAMS_MAX } from '../constants.ts'
import { NetworkError } from '../errors.ts'
import type { Standing } from './standing.ts'

type Components = Parameters<ReturnType<typeof kadDHT>>[0]
type Datastore = Components['datastore']

const refuse = async (): Promise<never> => {
  throw new NetworkError('NET_NOTHING_STORED', 'the routing table stores no records', {
    hint: 'records live with their replicas; kad-dht only finds addresses here',
  })
}

/** The datastore given to kad-dht: it holds nothing and takes nothing, so neither values nor providers can be stored. */
export function refusingDatastore(own: Datastore): Datastore {
  return new Proxy(own, {
    get(target, name, receiver) {
      if (name === 'put' || name === 'putMany' || name === 'batch' || name === 'get') return refuse
      if (name === 'has') return async () => false
      return Reflect.get(target, name, receiver)
    },
  })
}

/**
 * kad-dht as an address book and no more: staked peers only, on a protocol of this network, storing nothing.
 * @param options `privateAddresses`: hand private addresses on too; a network on one machine or LAN has no others
 */
export function routingTable(
  options: { readonly networkId: string; readonly privateAddresses: boolean },
  standing: Standing,
) {
  const mapper = options.privateAddresses ? passthroughMapper : removePrivateAddressesMapper
  const stakedOnly = (peer: PeerInfo): PeerInfo =>
    standing.of(peer.id) === undefined ? { ...peer, multiaddrs: [] } : mapper(peer)
  const init: KadDHTInit = {
    protocol: `/suprnova/${options.networkId}/kad/1.0.0`,
    clientMode: false,
    allowQueryWithZeroPeers: true,
    peerInfoMapper: stakedOnly,
    maxInboundStreams: ROUTING_STREAMS_MAX,
    maxOutboundStreams: ROUTING_STREAMS_MAX,
    validators: {},
    selectors: {},
  }
  return (components: Components) =>
    kadDHT(init)(
      new Proxy(components, {
        get: (target, name, receiver) =>
          name === 'datastore' ? refusingDatastore(target.datastore) : Reflect.get(target, name, receiver),
      }),
    )
}
