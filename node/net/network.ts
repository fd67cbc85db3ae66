import type { PeerId } from '@libp2p/interface'
import { removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import type { Address, Offence, RequestTransport } from '../core/index.ts'
import { DIAL_TIMEOUT_MS, FANOUT_DEFAULT, FANOUT_MAX, FANOUT_MIN, STAKED_PEER_RATE } from './constants.ts'
import { badOption, notRunning } from './errors.ts'
import { EvidenceGossip } from './gossip/evidence.ts'
import { Gossip } from './gossip/gossip.ts'
import { GossipRouter } from './gossip/router.ts'
import { networkId, TopicNames } from './gossip/topics.ts'
import type {
  GossipHandler,
  Network,
  NetworkModules,
  NetworkOptions,
  NetworkStats,
  PeerStatus,
  PeerWalk,
} from './interface.ts'
import { type NetMetrics, netMetrics } from './metrics.ts'
import { ClockLocal, ClockRemote, type PeerClock } from './peers/clock-exchange.ts'
import { connectedPeers, createHost, type Host } from './peers/host.ts'
import { routingTableSize } from './peers/routing.ts'
import { Standing } from './peers/standing.ts'
import { Upkeep } from './peers/upkeep.ts'
import { findPeers, locate } from './peers/walk.ts'
import { furtherAddresses } from './requests/further-addresses.ts'
import { Requests } from './requests/requests.ts'

/** 1000 EGI. */
const STAKE_UNIT_WEI = 10n ** 21n
/** Evidence expected a second: a lie is rare. */
const EVIDENCE_PER_SECOND = 0.01

/**
 * A node of the network, not started.
 * @throws NetworkError `NET_BAD_OPTION`
 */
export async function createNetwork(options: NetworkOptions, modules: NetworkModules): Promise<Network> {
  const fanout = options.fanout ?? FANOUT_DEFAULT
  if (!Number.isInteger(fanout) || fanout < FANOUT_MIN || fanout > FANOUT_MAX) {
    throw badOption('fanout', fanout, `a whole number from ${FANOUT_MIN} to ${FANOUT_MAX}`)
  }
  for (const [field, addresses] of Object.entries({ listen: options.listen, bootstrap: options.bootstrap ?? [] })) {
    for (const address of addresses) checkAddress(field, address)
  }
  const standing = new Standing(options.params, modules)
  const metrics = netMetrics(modules.metrics)
  const host = await createHost(
    {
      privateKey: modules.privateKey,
      networkId: networkId(options.domain),
      listen: options.listen,
      announce: options.announce ?? [],
      privateAddresses: options.privateAddresses ?? false,
      fanout,
      stakeUnitWei: options.stakeUnitWei ?? STAKE_UNIT_WEI,
    },
    { standing, metrics, clock: modules.clock, timers: modules.timers },
  )
  return new Libp2pNetwork({ ...options, fanout }, modules, { host, standing, metrics })
}

function checkAddress(field: string, address: string): void {
  try {
    multiaddr(address)
  } catch {
    throw badOption(field, address, 'a multiaddr such as /ip4/127.0.0.1/tcp/4001')
  }
}

class Libp2pNetwork implements Network {
  readonly #host: Host
  readonly #standing: Standing
  readonly #metrics: NetMetrics
  readonly #modules: NetworkModules
  readonly #names: TopicNames
  readonly #networkId: string
  readonly #privateAddresses: boolean
  readonly #router: GossipRouter
  readonly #gossip: Gossip
  readonly #evidence: EvidenceGossip
  readonly #clocks: ClockRemote
  readonly #clockProtocol: string
  readonly #upkeep: Upkeep
  readonly #requests = new Map<string, Requests>()
  #running = false

  constructor(
    options: NetworkOptions & { readonly fanout: number },
    modules: NetworkModules,
    parts: { readonly host: Host; readonly standing: Standing; readonly metrics: NetMetrics },
  ) {
    const { host, standing, metrics } = parts
    this.#host = host
    this.#standing = standing
    this.#metrics = metrics
    this.#modules = modules
    this.#names = new TopicNames(options.domain)
    this.#networkId = networkId(options.domain)
    this.#privateAddresses = options.privateAddresses ?? false
    const { domain, params } = options
    this.#evidence = new EvidenceGossip({ wireTopic: this.#names.evidence, domain, params }, { ...modules, metrics })
    this.#router = new GossipRouter(
      {
        evidenceTopic: this.#names.evidence,
        fanout: options.fanout,
        stakedRate: options.stakedPeerRate ?? STAKED_PEER_RATE,
      },
      { service: host.services.gossip, standing, clock: modules.clock, metrics, logger: modules.logger },
      ({ wireTopic, data }) =>
        wireTopic === this.#names.evidence ? this.#evidence.check(data) : this.#gossip.check(wireTopic, data),
    )
    this.#gossip = new Gossip({
      router: this.#router,
      names: this.#names,
      ...modules,
      signer: modules.statementSigner,
      metrics,
    })
    this.#clockProtocol = `/suprnova/${networkId(options.domain)}/clock/1.0.0`
    this.#clocks = new ClockRemote(this.#clockProtocol, { ...modules, host, standing, metrics })
    this.#upkeep = new Upkeep(
      {
        bootstrap: options.bootstrap ?? [],
        peersTarget: options.peersTarget ?? 2 * options.fanout,
        epochSeconds: params.epochSeconds,
      },
      {
        ...modules,
        host,
        standing,
        metrics,
        afterRound: async (connected) => {
          this.#measure()
          await this.#clocks.askAll(connected)
        },
      },
    )
  }

  async start(): Promise<void> {
    if (this.#running) return
    const clock = new ClockLocal(this.#modules.clock)
    await this.#host.handle(this.#clockProtocol, (stream) => clock.serve(stream), {
      maxInboundStreams: 1,
      maxOutboundStreams: 1,
    })
    for (const requests of this.#requests.values()) await requests.start()
    this.#host.addEventListener('peer:disconnect', this.#onDisconnect)
    await this.#host.start()
    this.#running = true
    this.#router.open(this.#names.evidence, EVIDENCE_PER_SECOND)
    this.#upkeep.start()
  }

  async stop(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    await this.#upkeep.stop()
    await this.#clocks.stop()
    for (const requests of this.#requests.values()) await requests.stop()
    await this.#host.unhandle(this.#clockProtocol)
    await this.#host.stop()
    this.#host.removeEventListener('peer:disconnect', this.#onDisconnect)
    this.#router.stop()
    this.#gossip.measure()
  }

  get peerId(): string {
    return this.#host.peerId.toString()
  }

  peers(): PeerStatus[] {
    return this.#host.getConnections().map(({ remotePeer, remoteAddr, direction }) => {
      const stake = this.#standing.of(remotePeer)
      const peerId = remotePeer.toString()
      return {
        peerId,
        address: this.#standing.addressOf(remotePeer),
        stakeId: stake?.stakeId,
        score: this.#router.score(peerId),
        direction,
        remoteAddress: remoteAddr.toString(),
      }
    })
  }

  multiaddrs(): string[] {
    return this.#host.getMultiaddrs().map((address) => address.toString())
  }

  toldAddresses(): string[] {
    const own = { id: this.#host.peerId, multiaddrs: this.#host.getMultiaddrs() }
    const { multiaddrs } = this.#privateAddresses ? own : removePrivateAddressesMapper(own)
    return multiaddrs.map((address) => address.toString())
  }

  async dial(address: string): Promise<void> {
    this.#mustRun()
    checkAddress('multiaddr', address)
    const dial = () => this.#host.dial(multiaddr(address), { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
    try {
      await dial()
    } catch (error) {
      // libp2p joins a dial of the same peer that is under way, and that one may know no address.
      if (!(error instanceof Error) || error.name !== 'NoValidAddressesError') throw error
      await dial()
    }
  }

  subscribe(topic: string, handler: GossipHandler, options?: { readonly messagesPerSecond?: number }): () => void {
    this.#mustRun()
    return this.#gossip.subscribe(topic, handler, options?.messagesPerSecond)
  }

  async publish(topic: string, payload: Uint8Array): Promise<number> {
    return this.publishBatch(topic, [payload])
  }

  async publishBatch(topic: string, payloads: readonly Uint8Array[]): Promise<number> {
    this.#mustRun()
    return this.#gossip.publish(topic, payloads)
  }

  async publishFrame(topic: string, frame: Uint8Array): Promise<number> {
    this.#mustRun()
    return this.#gossip.publishFrame(topic, frame)
  }

  async publishEvidence(offence: Pick<Offence, 'faultType' | 'stakeId' | 'evidence'>): Promise<number> {
    this.#mustRun()
    return this.#evidence.publish(this.#router, offence)
  }

  onEvidence(handler: (offence: Offence) => void): () => void {
    return this.#evidence.onEvidence(handler)
  }

  requests(name: string): RequestTransport {
    if (this.#running || this.#requests.has(name)) throw badOption('requests', name, 'a new name, before the start')
    const modules = {
      ...{ ...this.#modules, host: this.#host, standing: this.#standing, metrics: this.#metrics },
      findAddresses: furtherAddresses(this.#modules.findAddresses, this.#privateAddresses),
    }
    const requests = new Requests(`/suprnova/${this.#networkId}/${name}/1.0.0`, modules)
    this.#requests.set(name, requests)
    return requests
  }

  async findPeers(
    key: Uint8Array,
    options: { readonly count?: number; readonly timeoutMs?: number } = {},
  ): Promise<PeerWalk> {
    this.#mustRun()
    return findPeers(key, options, { host: this.#host, standing: this.#standing })
  }

  async locate(address: Address): Promise<readonly string[]> {
    this.#mustRun()
    return locate(address, { host: this.#host, stakeView: this.#modules.stakeView })
  }

  peerClocks(): PeerClock[] {
    return this.#clocks.offsets()
  }

  peerTimes(): number[] {
    const nowMs = this.#modules.clock.nowMs()
    return this.peerClocks().map(({ offsetMs }) => nowMs + offsetMs)
  }

  stats(): NetworkStats {
    const { gossip } = this.#host.services
    return {
      routingTable: routingTableSize(this.#host.services.routing),
      peers: this.#census(),
      ...this.#gossip.counts(),
      evidenceMeshPeers: this.#router.meshPeers(this.#names.evidence).length,
      topics: this.#gossip.topics().map(({ topic, wireName }) => ({
        topic,
        meshPeers: this.#router.meshPeers(wireName).length,
        subscribers: gossip.getSubscribers(wireName).length,
      })),
    }
  }

  #census(): { staked: number; readers: number } {
    const peers = connectedPeers(this.#host)
    const staked = peers.filter((peer) => this.#standing.of(peer) !== undefined).length
    return { staked, readers: peers.length - staked }
  }

  #measure(): void {
    this.#gossip.measure()
    const { staked, readers } = this.#census()
    this.#metrics.peers.set(staked, { standing: 'staked' })
    this.#metrics.peers.set(readers, { standing: 'reader' })
    this.#metrics.entries.set(this.#standing.size, { name: 'identities' })
    for (const [name, size] of Object.entries(this.#router.sizes)) this.#metrics.entries.set(size, { name })
    this.#metrics.entries.set(this.#modules.signaturePool?.size ?? 0, { name: 'checks' })
    this.#metrics.entries.set(this.#evidence.size, { name: 'evidence' })
    this.#metrics.entries.set(this.#upkeep.size, { name: 'redial' })
    for (const [protocol, { sizes }] of this.#requests) {
      for (const [name, size] of Object.entries(sizes)) this.#metrics.entries.set(size, { name: `${protocol} ${name}` })
    }
  }

  readonly #onDisconnect = ({ detail: peer }: CustomEvent<PeerId>): void => {
    this.#router.forget(peer)
    this.#clocks.forget(peer)
  }

  #mustRun(): void {
    if (!this.#running) throw notRunning()
  }
}
