import { type Address, type Domain, FAULT, type Offence, type ProtocolParams } from '../../core/index.ts'
import { createSigner, DomainSeparator, judge } from '../../statements/index.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedChain } from './simulated-chain.ts'
import { SimulatedCourt } from './simulated-court.ts'
import { CALM_NETWORK, type NetworkModel, SimulatedNetwork } from './simulated-network.ts'
import { type Lie, SimulatedNode, type SimulatedNodeModules } from './simulated-node.ts'
import { StatementWitness } from './statement-witness.ts'
import { VirtualTime } from './virtual-time.ts'

export const SIMULATED_DOMAIN: Domain = {
  chainId: 31_337n,
  verifyingContract: `0x${'11'.repeat(20)}`,
  salt: `0x${'22'.repeat(32)}`,
}

/** Begins with an epoch, so that all epochs of a run are whole. */
const START_MS = 1_800_000_000_000
/** Every node hears of a liar within so long. */
const TOLD_MS = 3_000

export interface SimulatedWorldOptions {
  readonly seed: string
  readonly params: ProtocolParams
  readonly lagSeconds: number
  readonly nodes: number
  readonly network?: NetworkModel
  /** Which of the first nodes lie, by index. */
  readonly lieOf?: (index: number, world: SimulatedWorld) => Lie | undefined
}

/** A network of nodes of real logic, on one time, one chain and one court. */
export class SimulatedWorld {
  readonly params: ProtocolParams
  readonly time = new VirtualTime(START_MS)
  readonly random: SeededRandom
  readonly separator = new DomainSeparator(SIMULATED_DOMAIN)
  readonly network: SimulatedNetwork
  readonly chain: SimulatedChain
  readonly witness: StatementWitness
  readonly court: SimulatedCourt
  /** By stake id. */
  readonly nodes = new Map<number, SimulatedNode>()
  /** What no node throws on purpose. */
  readonly surprises: unknown[] = []
  /** Evidence that nodes reported and the court would take. */
  readonly convicted = new Set<number>()
  readonly #keys = new Map<Address, number>()
  readonly #modules: SimulatedNodeModules
  #keysMade = 0

  constructor(options: SimulatedWorldOptions) {
    const { lagSeconds, nodes, params, seed } = options
    const { time } = this
    this.params = params
    this.random = new SeededRandom(seed)
    this.network = new SimulatedNetwork(options.network ?? CALM_NETWORK, { time, random: this.random.fork('network') })
    this.chain = new SimulatedChain(params, time)
    const { chain } = this
    this.witness = new StatementWitness({
      ...{ separator: this.separator, params },
      key: (address) => chain.newestKey(address),
      chainSeconds: () => chain.timestamp,
    })
    this.court = new SimulatedCourt(params, { chain, time, witness: this.witness })
    this.#modules = {
      ...{ params, domain: SIMULATED_DOMAIN, separator: this.separator, lagSeconds, time },
      deployBlock: START_MS / 1_000,
      ...{ random: this.random.fork('nodes'), network: this.network, chain, court: this.court, witness: this.witness },
      peerSeconds: (node) => this.#peerSeconds(node),
      onOffence: (offence, node) => this.#onOffence(offence, node),
      surprises: this.surprises,
    }
    const keys = Array.from({ length: nodes }, () => this.newKey())
    chain.genesis(keys.map((key) => ({ key: createSigner(key), placement: this.random.bytes(32) })))
    for (const [index, key] of keys.entries()) this.#add(index + 1, key, options.lieOf?.(index, this))
  }

  /** Keys of all nodes there are. */
  addresses(): readonly Address[] {
    return [...this.nodes.values()].map(({ signer }) => signer.address)
  }

  newKey(): Uint8Array {
    return this.random.fork(`key ${++this.#keysMade}`).bytes(32)
  }

  /** Starts all nodes, each with a key that has signed nothing. */
  startAll(): void {
    for (const node of this.nodes.values()) node.start({ fresh: true })
  }

  /** A new stake with its node, started at once. */
  register(): SimulatedNode {
    const key = this.newKey()
    const stakeId = this.chain.register(createSigner(key), this.random.fork(`place ${this.#keysMade}`).bytes(32))
    const node = this.#add(stakeId, key)
    node.start({ fresh: true })
    return node
  }

  /** Whose key this is, or was. */
  nodeBehind(address: Address): SimulatedNode | undefined {
    const stakeId = this.#keys.get(address)
    return stakeId === undefined ? undefined : this.nodes.get(stakeId)
  }

  /** A new key for a node, in force two epochs from now; its process goes on with the old one until it is restarted. */
  rotate(node: SimulatedNode): { readonly key: Uint8Array; readonly address: Address } {
    const key = this.newKey()
    const signer = createSigner(key)
    this.chain.rotate(node.stakeId, signer)
    this.#keys.set(signer.address, node.stakeId)
    return { key, address: signer.address }
  }

  #add(stakeId: number, privateKey: Uint8Array, lie?: Lie): SimulatedNode {
    const node = new SimulatedNode({ stakeId, privateKey, ...(lie && { lie }) }, this.#modules)
    this.nodes.set(stakeId, node)
    this.#keys.set(node.signer.address, stakeId)
    return node
  }

  #peerSeconds(node: SimulatedNode): readonly number[] {
    const seconds: number[] = []
    for (const other of this.nodes.values()) {
      const { process } = other
      if (other === node || process === undefined) continue
      if (this.network.isReachable(node.signer.address, other.signer.address)) {
        seconds.push(process.life.clock.nowMs() / 1_000)
      }
    }
    return seconds
  }

  /** A node saw a fault: the court judges it, the liar is slashed, everybody hears of it. */
  #onOffence(offence: Offence, reporter: SimulatedNode): void {
    const { chain, params, separator, time } = this
    const accused = this.nodeBehind(offence.signer)
    if (accused?.isHonest !== false) {
      this.surprises.push(new Error(`${reporter.name} has evidence against ${accused?.name ?? offence.signer}`))
      return
    }
    if (offence.faultType !== FAULT.equivocation || this.convicted.has(accused.stakeId)) return
    const context = { domain: separator, params, key: chain.newestKey.bind(chain), at: chain.timestamp }
    if (!judge(FAULT.equivocation, offence.evidence, context).proven) return
    this.convicted.add(accused.stakeId)
    chain.tombstone(accused.stakeId)
    time.after(TOLD_MS, `all hear of ${accused.name}`, () => {
      for (const { process } of this.nodes.values()) process?.slotIndex.quarantine(offence.signer, offence.faultId)
    })
  }
}
