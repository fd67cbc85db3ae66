import type {
  Address,
  Clock,
  Domain,
  Logger,
  Metrics,
  Offence,
  ProtocolParams,
  Random,
  RequestTransport,
  StakeView,
  Timers,
} from '../core/index.ts'
import type { Admission, StatementSigner } from '../statements/index.ts'
import type { SignaturePool } from './gossip/signature-pool.ts'
import type { Rate } from './gossip/token-bucket.ts'
import type { PeerClock } from './peers/clock-exchange.ts'

/** Plain data: what a network is and where this node stands in it. */
export interface NetworkOptions {
  readonly domain: Domain
  readonly params: ProtocolParams
  /** Multiaddrs to listen on; `/ip4/127.0.0.1/tcp/0` and `.../tcp/0/ws` take free ports. */
  readonly listen: readonly string[]
  /** Multiaddrs to tell others of in place of those listened on. */
  readonly announce?: readonly string[]
  /** Multiaddrs to dial first. */
  readonly bootstrap?: readonly string[]
  /** Mesh degree, 3 to 12; 4 by default. */
  readonly fanout?: number
  /** Staked peers to stay connected to; twice the fanout by default. */
  readonly peersTarget?: number
  /** The stake, in wei, that is worth one unit of score; 1000 EGI by default. */
  readonly stakeUnitWei?: bigint
  /** Whether private addresses are handed on: true on one machine or LAN. Public networks leave it off. */
  readonly privateAddresses?: boolean
  /** What one staked peer may send; see `STAKED_PEER_RATE`. */
  readonly stakedPeerRate?: Rate
}

export interface NetworkModules {
  /** The node key: raw secp256k1, 32 bytes. libp2p's handshakes use it; statements are signed by `statementSigner`. */
  readonly privateKey: Uint8Array
  readonly stakeView: StakeView
  /** The checks on what came by gossip. */
  readonly admission: Pick<Admission, 'admit' | 'judging'>
  /** Checks signatures off this thread; without it they are checked here. Its owner closes it. */
  readonly signaturePool?: SignaturePool
  readonly statementSigner: Pick<StatementSigner, 'sign'>
  /** Another way to the addresses of a node that the routing table does not lead to. Its answers are not believed, only tried. */
  readonly findAddresses?: (address: Address) => Promise<readonly string[]>
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly metrics: Metrics
  readonly logger: Logger
}

/** One body as it came by gossip, after every check. */
export interface GossipMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly signer: Address
  readonly position: bigint
  readonly leaf: number
}

export type GossipHandler = (message: GossipMessage) => void

export interface PeerStatus {
  readonly peerId: string
  readonly address: Address | undefined
  /** `undefined` for a reader. */
  readonly stakeId: number | undefined
  readonly score: number
  readonly direction: 'inbound' | 'outbound'
  readonly remoteAddress: string
}

export interface NetworkStats {
  /** Stakes in the routing table. */
  readonly routingTable: number
  readonly peers: { readonly staked: number; readonly readers: number }
  readonly received: Readonly<Record<'accept' | 'reject' | 'ignore', number>>
  /** Messages not accepted, by reason. */
  readonly refusals: Readonly<Record<string, number>>
  readonly published: number
  readonly delivered: number
  readonly evidenceMeshPeers: number
  readonly topics: readonly { readonly topic: string; readonly meshPeers: number; readonly subscribers: number }[]
}

/** A peer that a walk of the routing table found. */
export interface FoundPeer {
  readonly peerId: string
  readonly address: Address | undefined
  /** `undefined` for a peer that may not speak now. */
  readonly stakeId: number | undefined
  readonly multiaddrs: readonly string[]
}

/** What a walk found, closest first, and what it took. */
export interface PeerWalk {
  readonly peers: readonly FoundPeer[]
  /** The longest chain of peers of which each named the next. */
  readonly hops: number
  /** Peers that answered. */
  readonly asked: number
}

export interface Network {
  start(): Promise<void>
  /** Ends everything in order; nothing stays open. */
  stop(): Promise<void>
  readonly peerId: string
  peers(): PeerStatus[]
  /** Addresses others may dial, ending in this node's PeerId. */
  multiaddrs(): string[]
  /** Those of them that others are told: on a public network no private ones. */
  toldAddresses(): string[]
  dial(multiaddr: string): Promise<void>
  /**
   * Subscribes to a topic.
   * @returns the function that ends it
   * @throws TopicError `NET_BAD_TOPIC`, `NET_TOO_MANY_TOPICS`
   */
  subscribe(topic: string, handler: GossipHandler, options?: { readonly messagesPerSecond?: number }): () => void
  /** Signs and sends one body. @returns to how many peers it went at once */
  publish(topic: string, payload: Uint8Array): Promise<number>
  /** Signs up to 64 bodies under one statement and sends them as one frame. */
  publishBatch(topic: string, payloads: readonly Uint8Array[]): Promise<number>
  /** Sends on a frame that was signed before. */
  publishFrame(topic: string, frame: Uint8Array): Promise<number>
  /** Sends evidence on its own topic, once per (stake, fault type). @returns 0 when it was carried before */
  publishEvidence(offence: Pick<Offence, 'faultType' | 'stakeId' | 'evidence'>): Promise<number>
  /** Calls `handler` with every new offence that came by gossip. @returns the function that ends it */
  onEvidence(handler: (offence: Offence) => void): () => void
  /**
   * Requests with one answer each, on a protocol of that name. Called before {@link Network.start}, once a name.
   * @throws NetworkError `NET_BAD_OPTION` afterwards
   */
  requests(name: string): RequestTransport
  /**
   * Walks the routing table towards `key`: the peers closest to it by the hash of their PeerIds, in O(log N) steps.
   * Peers that lie or are away are passed over.
   */
  findPeers(key: Uint8Array, options?: { readonly count?: number; readonly timeoutMs?: number }): Promise<PeerWalk>
  /** Where the node with that key can be dialled, as far as this node knows or its routing table tells. */
  locate(address: Address): Promise<readonly string[]>
  /** Clocks of connected stakes, one voice a stake. */
  peerClocks(): PeerClock[]
  /** The time each connected stake has now, in unix milliseconds: what the signing guard takes the median of. */
  peerTimes(): number[]
  stats(): NetworkStats
}
