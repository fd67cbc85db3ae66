import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { createSigner } from '../../statements/index.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'

/** What walks through the routing tables of `nodes` nodes took. */
export interface WalkFacts {
  readonly nodes: number
  /** The longest chain of peers of which each named the next, by walk. */
  readonly hops: readonly number[]
  /** Peers that answered, by walk. */
  readonly asked: readonly number[]
  /** Walks that found the peer that is closest of all. */
  readonly exact: number
  /** Peers in a routing table, by node. */
  readonly tableSizes: readonly number[]
}

interface WalkEvent {
  readonly name: string
  readonly peer: PeerId
  readonly from: PeerId
  readonly closer: readonly { readonly id: PeerId }[]
}
interface PbMessage {
  readonly type: unknown
  readonly closer: readonly { readonly id: Uint8Array }[]
}
/** The parts of kad-dht that decide: its buckets, its query, its answers. */
interface KadParts {
  readonly network: {
    running: boolean
    sendRequest(to: PeerId, message: PbMessage, options: { readonly path: unknown }): AsyncGenerator<unknown>
  }
  readonly routingTable: { running: boolean; readonly size: number; add(peer: PeerId): Promise<void> }
  readonly queryManager: { start(): Promise<void>; stop(): Promise<void> }
  readonly rpc: { handleMessage(from: PeerId, message: PbMessage): Promise<PbMessage> }
  getClosestPeers(key: Uint8Array): AsyncIterable<WalkEvent>
}

interface KadNode {
  readonly peerId: PeerId
  readonly kad: KadParts
  /** Peers that it tried to take into its table. */
  readonly met: Set<string>
}

const ADDRESS = multiaddr('/ip4/127.0.0.1/tcp/1')
/** Peers a node knows when it joins. */
const BOOTSTRAP_PEERS = 3
const silent = Object.assign(() => undefined, { error: () => undefined, trace: () => undefined, enabled: false })
const logger = { forComponent: () => Object.assign(silent, { newScope: () => silent }) }

/**
 * Nodes whose routing tables, queries and answers are kad-dht's own code, with the settings of this project. Only what lies
 * between them is a stand-in: a request is a call, a dial always succeeds, a ping is always answered. Each joins through
 * three others and walks to its own key, and meets whoever it asks or is told of, as over sockets.
 */
export class KadNetwork {
  readonly #nodes: KadNode[] = []
  readonly #byId = new Map<string, KadNode>()
  readonly #byHash = new Map<string, PeerId>()
  readonly #random: SeededRandom
  #isLearning = true

  constructor(seed: string) {
    this.#random = new SeededRandom(seed)
  }

  async join(): Promise<void> {
    const { publicKey } = createSigner(this.#random.bytes(32))
    const peerId = peerIdFromPublicKey(publicKeyFromRaw(publicKey))
    const node: KadNode = { peerId, kad: this.#kadOf(peerId), met: new Set() }
    node.kad.network.running = true
    node.kad.routingTable.running = true
    await node.kad.queryManager.start()
    const known = this.#random.shuffle(this.#nodes).slice(0, BOOTSTRAP_PEERS)
    this.#nodes.push(node)
    this.#byId.set(peerId.toString(), node)
    this.#byHash.set(hexOf(peerId), peerId)
    for (const other of known) await this.#meet(node, other.peerId)
    if (known.length > 0) for await (const _ of node.kad.getClosestPeers(peerId.toMultihash().bytes));
  }

  /** Walks from random nodes to random keys. Nobody learns anything by it. */
  async walk(walks: number): Promise<WalkFacts> {
    this.#isLearning = false
    const hops: number[] = []
    const asked: number[] = []
    let exact = 0
    for (let i = 0; i < walks; i++) {
      const from = this.#random.pick(this.#nodes) as KadNode
      const target = this.#random.pick(this.#nodes) as KadNode
      const facts = await walkFrom(from.kad, target.peerId)
      hops.push(facts.hops)
      asked.push(facts.asked)
      if (facts.found || from === target) exact++
    }
    this.#isLearning = true
    const tableSizes = this.#nodes.map(({ kad }) => kad.routingTable.size)
    return { nodes: this.#nodes.length, hops, asked, exact, tableSizes }
  }

  async stop(): Promise<void> {
    for (const { kad } of this.#nodes) await kad.queryManager.stop()
  }

  #kadOf(peerId: PeerId): KadParts {
    const peers = new Map<string, PeerId>()
    const peerOf = (id: PeerId) => ({
      ...{ id, addresses: [{ multiaddr: ADDRESS, isCertified: false }], multiaddrs: [ADDRESS] },
      ...{ protocols: [], tags: new Map(), metadata: new Map() },
    })
    const components = {
      ...{ peerId, logger, events: new EventTarget() },
      peerStore: {
        merge: async (id: PeerId) => peers.set(id.toString(), id),
        get: async (id: PeerId) => peerOf(id),
        getInfo: async (id: PeerId) => peerOf(id),
        has: async (id: PeerId) => peers.has(id.toString()),
        all: async () => [...peers.values()].map(peerOf),
      },
      connectionManager: { isDialable: async () => true, getConnections: () => [] },
      registrar: { register: async () => 'topology', handle: async () => undefined },
      addressManager: { getAddresses: () => [ADDRESS] },
      ping: { ping: async () => 1 },
      datastore: {},
    }
    const init = {
      ...{ protocol: '/suprnova/scale/kad/1.0.0', clientMode: false, allowQueryWithZeroPeers: true },
      ...{ peerInfoMapper: passthroughMapper, validators: {}, selectors: {} },
    }
    const kad = kadDHT(init)(components as never) as unknown as KadParts
    kad.network.sendRequest = (to, message, { path }) => this.#request(peerId, to, message, path)
    return kad
  }

  async *#request(from: PeerId, to: PeerId, message: PbMessage, path: unknown): AsyncGenerator<unknown> {
    yield { type: 7, name: 'DIAL_PEER', peer: to, path }
    const asker = this.#byId.get(from.toString()) as KadNode
    const asked = this.#byId.get(to.toString()) as KadNode
    await this.#meet(asked, from)
    await this.#meet(asker, to)
    const answer = await asked.kad.rpc.handleMessage(from, message)
    const closer = answer.closer.map(({ id }) => ({
      id: this.#byHash.get(Buffer.from(id).toString('hex')) as PeerId,
      multiaddrs: [ADDRESS],
    }))
    for (const { id } of closer) await this.#meet(asker, id)
    yield { type: 1, name: 'PEER_RESPONSE', from: to, messageType: message.type, closer, providers: [], path }
  }

  /** A peer that was connected or named is taken into the table, as far as its bucket has room. */
  async #meet(node: KadNode, peer: PeerId): Promise<void> {
    const name = peer.toString()
    if (!this.#isLearning || peer.equals(node.peerId) || node.met.has(name)) return
    node.met.add(name)
    await node.kad.routingTable.add(peer)
  }
}

/** Counts as `discoverPeers` does: 1 to the peers of the own table, to others one more than to whoever named them. */
async function walkFrom(kad: KadParts, target: PeerId) {
  const steps = new Map<string, number>()
  let hops = 0
  const answered = new Set<string>()
  let found = false
  for await (const event of kad.getClosestPeers(target.toMultihash().bytes)) {
    if (event.name === 'DIAL_PEER' && !steps.has(event.peer.toString())) steps.set(event.peer.toString(), 1)
    if (event.name !== 'PEER_RESPONSE') continue
    const step = steps.get(event.from.toString()) ?? 1
    answered.add(event.from.toString())
    hops = Math.max(hops, step)
    found ||= event.from.equals(target)
    for (const { id } of event.closer) if (!steps.has(id.toString())) steps.set(id.toString(), step + 1)
  }
  return { hops, asked: answered.size, found }
}

function hexOf(peerId: PeerId): string {
  return Buffer.from(peerId.toMultihash().bytes).toString('hex')
}
