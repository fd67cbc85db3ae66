import { randomBytes } from 'node:crypto'
import {
  type Address,
  type Domain,
  type KeyTenure,
  KIND,
  type Logger,
  type Metrics,
  type Offence,
  type ProtocolParams,
  type Random,
  type RequestTransport,
  type Signer,
  type SigningGuard,
  type Slot,
  type SlotEntry,
  type SlotIndex,
  type StakeRow,
  type StakeView,
  type Timers,
  toHex,
} from '../../../node/core/index.ts'
import {
  createNetwork,
  type GossipMessage,
  type Network,
  type NetworkOptions,
  type SignaturePool,
} from '../../../node/net/index.ts'
import { Admission, createSigner, StatementSigner, slotHash } from '../../../node/statements/index.ts'

export const DOMAIN: Domain = {
  chainId: 31_337n,
  verifyingContract: `0x${'11'.repeat(20)}`,
  salt: toHex(randomBytes(32)),
}

export const PARAMS: ProtocolParams = {
  epochSeconds: 10,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 600,
  responseSeconds: 30,
  responseBlocks: 10,
  evidenceWindowSeconds: 600,
  skewSeconds: 10,
  unbondingSeconds: 1500,
  rewardWindowSeconds: 30,
  jailSeconds: 60,
  correlationSeconds: 1200,
  drawDelayBlocks: 2,
}

/** The registry, as tests say it is. */
export class FakeStakeView implements StakeView {
  readonly #keys = new Map<Address, KeyTenure>()
  readonly #stakes = new Map<number, StakeRow>()
  readonly #listeners = new Set<(stakeIds: readonly number[]) => void>()

  add(signer: Signer, row: Partial<StakeRow> = {}): number {
    const stakeId = this.#stakes.size + 1
    this.#keys.set(signer.address, {
      address: signer.address,
      stakeId,
      publicKey: signer.publicKey,
      fromEpoch: 0,
      untilEpoch: Number.POSITIVE_INFINITY,
    })
    this.#stakes.set(stakeId, {
      stakeId,
      operator: signer.address,
      status: 'active',
      amountWei: 10n ** 21n,
      placement: undefined,
      jailedUntil: 0,
      tombstoned: false,
      readyAt: 0,
      ...row,
    })
    return stakeId
  }

  change(stakeId: number, row: Partial<StakeRow>): void {
    this.#stakes.set(stakeId, { ...this.#stakes.get(stakeId)!, ...row })
    for (const listener of this.#listeners) listener([stakeId])
  }

  head = () => undefined
  key = (address: Address) => this.#keys.get(address)
  stake = (stakeId: number) => this.#stakes.get(stakeId)

  maySpeak(stakeId: number): boolean {
    const row = this.#stakes.get(stakeId)
    return row !== undefined && row.status === 'active' && !row.tombstoned && row.jailedUntil === 0
  }

  speakers = () => [...this.#stakes.values()].filter(({ stakeId }) => this.maySpeak(stakeId))
  keyAt = (stakeId: number) => [...this.#keys.values()].find((key) => key.stakeId === stakeId)

  onChange(listener: (stakeIds: readonly number[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export class MemorySlotIndex implements SlotIndex {
  readonly #entries = new Map<string, SlotEntry>()
  readonly #liars = new Set<Address>()

  get = (slot: Slot) => this.#entries.get(slotHash(slot))
  put(slot: Slot, entry: SlotEntry): void {
    const key = slotHash(slot)
    if (!this.#entries.has(key)) this.#entries.set(key, entry)
  }
  quarantine = (signer: Address) => void this.#liars.add(signer)
  isQuarantined = (signer: Address) => this.#liars.has(signer)
}

/** Hands out indices; `at` says one twice, as a liar does. */
export class FakeGuard implements Pick<SigningGuard, 'reserve' | 'remember' | 'signMesh'> {
  #index = 0
  next: bigint | undefined

  async reserve(): Promise<bigint> {
    const position = this.next ?? (BigInt(epochNow()) << 32n) | BigInt(this.#index++)
    this.next = undefined
    return position
  }
  remember(): void {}
  signMesh(): Promise<SlotEntry> {
    throw new Error('no mesh here')
  }
}

export const epochNow = () => Math.floor(Date.now() / 1000 / PARAMS.epochSeconds)

/** Counts by name and labels. */
export class FakeMetrics implements Metrics {
  readonly values = new Map<string, number>()

  #add(name: string, labels: Record<string, string> = {}, by = 1): void {
    const key = [name, ...Object.values(labels)].join(' ')
    this.values.set(key, (this.values.get(key) ?? 0) + by)
  }
  counter = (name: string) => ({
    inc: (labels?: Record<string, string>, by?: number) => this.#add(name, labels, by),
  })
  gauge = (name: string) => ({
    set: (value: number, labels: Record<string, string> = {}) =>
      void this.values.set([name, ...Object.values(labels)].join(' '), value),
  })
  histogram = (name: string) => ({ observe: () => this.#add(name) })
  of = (...key: string[]) => this.values.get(key.join(' ')) ?? 0
}

export const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silent,
}

export const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

export const random: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

export interface TestNode {
  readonly network: Network
  readonly requests: RequestTransport
  readonly signer: Signer
  readonly privateKey: Uint8Array
  readonly guard: FakeGuard
  readonly statements: StatementSigner
  readonly offences: Offence[]
  readonly metrics: FakeMetrics
  readonly slotIndex: MemorySlotIndex
  /** Judges gossip frames as this node would, on a memory of its own. */
  judge(report: (offence: Offence) => void): (frame: Uint8Array) => void
  /** Milliseconds this node's clock is ahead. */
  skewMs: number
}

export interface NodeOptions extends Partial<NetworkOptions> {
  readonly privateKey?: Uint8Array
  readonly signaturePool?: SignaturePool
  /** Register a stake for it; true unless said. */
  readonly staked?: boolean
  /** Another way to addresses, see `NetworkModules`. */
  readonly findAddresses?: (address: Address) => Promise<readonly string[]>
}

/** Started nodes over one registry; `stop` ends them all. */
export class TestNetwork {
  readonly stakeView = new FakeStakeView()
  readonly nodes: TestNode[] = []

  async add(options: NodeOptions = {}): Promise<TestNode> {
    const { privateKey = new Uint8Array(randomBytes(32)), staked = true, ...given } = options
    const { findAddresses, signaturePool, ...networkOptions } = given
    const signer = createSigner(privateKey)
    if (staked) this.stakeView.add(signer)
    const domain = networkOptions.domain ?? DOMAIN
    const guard = new FakeGuard()
    const offences: Offence[] = []
    const metrics = new FakeMetrics()
    const slotIndex = new MemorySlotIndex()
    const node = { skewMs: 0 } as { -readonly [K in keyof TestNode]: TestNode[K] }
    const clock = { nowMs: () => Date.now() + node.skewMs }
    const statements = new StatementSigner({ guard, signer, domain })
    const network = await createNetwork(
      {
        domain,
        params: PARAMS,
        listen: ['/ip4/127.0.0.1/tcp/0'],
        privateAddresses: true,
        ...networkOptions,
      },
      {
        privateKey,
        stakeView: this.stakeView,
        admission: new Admission(
          { domain, params: PARAMS },
          { stakeView: this.stakeView, slotIndex, clock, offences: { report: (one) => offences.push(one) }, metrics },
        ),
        statementSigner: statements,
        ...(signaturePool && { signaturePool }),
        ...(findAddresses && { findAddresses }),
        clock,
        timers,
        random,
        metrics,
        logger: silent,
      },
    )
    const judge: TestNode['judge'] = (report) => {
      const modules = { stakeView: this.stakeView, slotIndex: new MemorySlotIndex(), clock, metrics }
      const admission = new Admission({ domain, params: PARAMS }, { ...modules, offences: { report } })
      return (frame) => void admission.admit(frame, { kinds: [KIND.gossip] })
    }
    const requests = network.requests('test')
    Object.assign(node, {
      judge,
      network,
      requests,
      privateKey,
      signer,
      guard,
      statements,
      offences,
      metrics,
      slotIndex,
    })
    await network.start()
    this.nodes.push(node)
    return node
  }

  /** `count` nodes, each given the first as its bootstrap. */
  async addMany(count: number, options: NodeOptions = {}): Promise<TestNode[]> {
    const nodes: TestNode[] = []
    for (let i = 0; i < count; i++) {
      const bootstrap = this.nodes[0]?.network.multiaddrs() ?? []
      nodes.push(await this.add({ bootstrap, ...options }))
    }
    return nodes
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ network }) => network.stop()))
  }
}

/** Resolves once `condition` holds; fails with what it last saw. */
export async function until(what: string, condition: () => boolean, timeoutMs = 45_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Whether every node has a mesh for the topic. */
export const meshed = (nodes: readonly TestNode[], topic: string, degree = 1) =>
  nodes.every(({ network }) => (network.stats().topics.find((one) => one.topic === topic)?.meshPeers ?? 0) >= degree)

export const text = (payload: Uint8Array) => Buffer.from(payload).toString()
export const bytes = (words: string) => new Uint8Array(Buffer.from(words))

/** What a node hears on a topic, as it comes. */
export function listen(node: TestNode, topic = 'news'): GossipMessage[] {
  const heard: GossipMessage[] = []
  node.network.subscribe(topic, (message) => heard.push(message))
  return heard
}
