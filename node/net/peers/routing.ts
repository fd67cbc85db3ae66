import { type PeerId, type PeerInfo, peerRoutingSymbol } from '@libp2p/interface'
import { type KadDHT, type KadDHTInit, kadDHT, type QueryEvent } from '@libp2p/kad-dht'
import type { Clock, Timers } from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  NAMED_MAX,
  ROUTING_ANSWER_MAX_BYTES,
  ROUTING_PEERS_MAX,
  ROUTING_READER_RATE,
  ROUTING_STAKED_RATE,
  ROUTING_STREAMS_MAX,
} from '../constants.ts'
import { NetworkError } from '../errors.ts'
import { TokenBucket } from '../gossip/token-bucket.ts'
import { addressRouter } from './address-router.ts'
import { hearsayOf } from './hearsay.ts'
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
 * How often the closest peers are marked as those to keep. kad-dht does so every 5 s, and takes the key of each apart
 * three times for it: that was four tenths of what a node at rest with twenty peers did, see `docs/network.md`.
 */
const TAGGING_INTERVAL_MS = 60_000

/** What a peer may ask: where others are, and whether this node is there. */
const ANSWERED: ReadonlySet<unknown> = new Set(['FIND_NODE', 'PING'])

/** The parts of kad-dht's inside through which every question of a peer comes, and every answer. */
interface KadInside {
  readonly routingTable: { readonly size: number; readonly closestPeerTagger: { refreshInterval: number } }
  readonly rpc: { handleMessage(peer: PeerId, message: { readonly type: unknown }): Promise<unknown> }
  readonly network: {
    sendRequest(...args: unknown[]): AsyncGenerator<QueryEvent>
    safeDispatchEvent(type: string, detail: unknown): boolean
  }
  onPeerConnect(peer: PeerInfo): Promise<void>
}

export interface RoutingOptions {
  readonly networkId: string
  /** Hand private addresses on too, and take them: a network on one machine or LAN has no others. */
  readonly privateAddresses: boolean
}

export interface RoutingModules {
  readonly standing: Standing
  readonly clock: Clock
  readonly timers: Timers
}

/**
 * kad-dht as an address book and no more: staked peers only, on a protocol of this network, storing nothing, answering at
 * a bounded rate, and believing of others' addresses no more than it must.
 */
export function routingTable(options: RoutingOptions, { clock, standing, timers }: RoutingModules) {
  const sieve = (peer: PeerInfo) => hearsayOf(peer, options, standing)
  const init: KadDHTInit = {
    protocol: `/suprnova/${options.networkId}/kad/1.0.0`,
    clientMode: false,
    allowQueryWithZeroPeers: true,
    peerInfoMapper: (peer) => sieve(peer) ?? { ...peer, multiaddrs: [] },
    maxInboundStreams: ROUTING_STREAMS_MAX,
    maxOutboundStreams: ROUTING_STREAMS_MAX,
    validators: {},
    selectors: {},
  }
  return (components: Components) => {
    const connectionManager = carefulConnections(components)
    const dht = kadDHT(init)(
      new Proxy(components, {
        get: (target, name, receiver) => {
          if (name === 'datastore') return refusingDatastore(target.datastore)
          return name === 'connectionManager' ? connectionManager : Reflect.get(target, name, receiver)
        },
      }),
    ) as KadDHT
    const inside = dht as unknown as KadInside
    inside.routingTable.closestPeerTagger.refreshInterval = TAGGING_INTERVAL_MS
    guardQuestions(inside, standing, clock)
    sieveAnswers(inside, components.peerStore, sieve)
    Object.defineProperty(dht, peerRoutingSymbol, { value: addressRouter(dht, sieve, timers) })
    return dht
  }
}

/** How many peers stand in the table. */
export function routingTableSize(dht: KadDHT): number {
  return (dht as unknown as KadInside).routingTable.size
}

/** Nothing but FIND_NODE and PING is answered, and no peer is answered more often than it may ask. */
function guardQuestions(inside: KadInside, standing: Standing, clock: Clock): void {
  const buckets = new BoundedMap<string, TokenBucket>(ROUTING_PEERS_MAX)
  const handle = inside.rpc.handleMessage.bind(inside.rpc)
  inside.rpc.handleMessage = async (peer, message) => {
    if (!ANSWERED.has(message.type)) return refuse()
    const nowMs = clock.nowMs()
    const name = `${standing.of(peer) === undefined ? 'reader' : 'stake'} ${peer.toString()}`
    const rate = name.startsWith('stake') ? ROUTING_STAKED_RATE : ROUTING_READER_RATE
    const bucket = buckets.get(name) ?? new TokenBucket(rate, nowMs)
    buckets.set(name, bucket)
    if (bucket.take(1, 0, nowMs)) return handle(peer, message)
    throw new NetworkError('NET_ASKED_TOO_OFTEN', 'a peer asks for addresses faster than it may', {
      values: { peerId: peer.toString() },
    })
  }
}

/**
 * What an answer says of other peers is sieved before anything is done with it: an honest one names twenty, all with stake.
 * What is left goes to the peer store within bounds, and is there before the walk goes on.
 */
function sieveAnswers(
  inside: KadInside,
  peerStore: Components['peerStore'],
  sieve: (peer: PeerInfo) => PeerInfo | undefined,
): void {
  const send = inside.network.sendRequest.bind(inside.network)
  inside.network.sendRequest = async function* (...args) {
    for await (const event of send(...args)) {
      if (event.name !== 'PEER_RESPONSE') yield event
      else {
        const closer = event.closer.slice(0, NAMED_MAX).flatMap((peer) => sieve(peer) ?? [])
        for (const peer of closer) {
          await learn(peer, peerStore)
          // Into the table once it has answered a ping; kad-dht does not wait for that either.
          inside.onPeerConnect(peer).catch(() => undefined)
        }
        yield { ...event, closer, providers: [] }
      }
    }
  }
  // kad-dht would take and hand on every peer that an answer names, as it stands there.
  inside.network.safeDispatchEvent = () => true
}

/** Notes addresses of a peer that it did not tell itself; where it did, nobody else is believed. */
async function learn(peer: PeerInfo, peerStore: Components['peerStore']): Promise<void> {
  const known = (await peerStore.has(peer.id)) ? (await peerStore.get(peer.id)).addresses : []
  if (known.some(({ isCertified }) => isCertified)) return
  const multiaddrs = peer.multiaddrs.slice(0, Math.max(0, ADDRESSES_PER_PEER_MAX - known.length))
  if (multiaddrs.length > 0) await peerStore.merge(peer.id, { multiaddrs })
}

/**
 * Connections as walks use them: to peers whose addresses are known, since looking for one would be a walk within the walk,
 * and with answers of a bounded size, since each peer that one names costs its parsing.
 */
function carefulConnections({ connectionManager, peerStore }: Components): Components['connectionManager'] {
  const openStream: Components['connectionManager']['openStream'] = async (peer, ...rest) => {
    const id = peer as PeerId
    const isReachable = connectionManager.getConnections(id).length > 0 || (await isKnown(id, peerStore))
    if (!isReachable) throw new NetworkError('NET_PEER_NOWHERE', `no address of ${id.toString()} is known`)
    const stream = await connectionManager.openStream(peer, ...rest)
    let bytes = 0
    stream.addEventListener('message', ({ data }) => {
      bytes += data.byteLength
      if (bytes > ROUTING_ANSWER_MAX_BYTES)
        stream.abort(new Error(`an answer of more than ${ROUTING_ANSWER_MAX_BYTES} bytes`))
    })
    return stream
  }
  return new Proxy(connectionManager, {
    get(target, name) {
      if (name === 'openStream') return openStream
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function isKnown(peer: PeerId, peerStore: Components['peerStore']): Promise<boolean> {
  return (await peerStore.has(peer)) && (await peerStore.get(peer)).addresses.length > 0
}
