import { join } from 'node:path'
import { createPublicClient, createWalletClient, http, numberToHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { hardhat } from 'viem/chains'
import { systemRandom } from '../../api/index.ts'
import {
  type ActionModules,
  activateStake,
  type ChainClient,
  type ChainWallet,
  type DeploymentRecord,
  deploy,
  faucet,
  personKey,
  readParams,
  registerStake,
  setBootstrap,
  writeDeployment,
} from '../../chain/index.ts'
import { fromHex, type Hex, type ProtocolParams, toHex } from '../../core/index.ts'
import { peerIdOfPrivateKey } from '../../net/index.ts'
import type { LocalChain } from '../local-chain.ts'
import { startLocalChain } from '../local-chain.ts'
import type { BarePeerOptions } from '../peers/bare-peer.ts'
import { freePort } from './free-port.ts'
import { configureMember, type Member, type MemberSettings, makeMember } from './member.ts'
import { Processes } from './processes.ts'
import { Workspace } from './workspace.ts'

/** The name every private network has; each has its own ENS. */
const ENS_NAME = 'current-reality.eth'
/** Where the background talk of private networks is. */
export const CHATTER = 'chatter'
const EGI = 10n ** 18n
/** What each member bonds, and what it has left for a top-up. */
export const BOND_WEI = 1_000n * EGI
const SPARE_WEI = 1_000n * EGI
const ETHER_WEI = 1_000n * EGI
/** A person key is derived at half a second of a core; in a larger crowd it is drawn, which the registry cannot tell. */
const DERIVED_PERSONS_MOST = 16

export interface PrivateNetworkOptions {
  /** Names of members to make at once. The first one's address stands in the ENS name. */
  readonly members: readonly string[]
  readonly blockTimeMs?: number
  /** The deployment's numbers; those for private networks by default. */
  readonly params?: ProtocolParams
  /** Which challenges nodes answer. */
  readonly answers?: 'own' | 'all'
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/** A member and what the registry knows of it. */
export interface StakedMember extends Member {
  readonly stakeId: number
  readonly settings: MemberSettings
}

/**
 * A whole network of its own: chain, contracts, ENS name and members with keys and stakes, all in one temporary folder.
 * It begins no nodes by itself.
 */
export class PrivateNetwork {
  readonly chain: LocalChain
  readonly deployment: DeploymentRecord
  readonly params: ProtocolParams
  readonly client: ChainClient
  readonly workspace: Workspace
  readonly processes: Processes
  readonly members: StakedMember[] = []
  readonly #answers: 'own' | 'all'
  readonly #derivesPersons: boolean

  private constructor(parts: {
    chain: LocalChain
    deployment: DeploymentRecord
    params: ProtocolParams
    client: ChainClient
    workspace: Workspace
    processes: Processes
    answers: 'own' | 'all'
    derivesPersons: boolean
  }) {
    this.#answers = parts.answers
    this.#derivesPersons = parts.derivesPersons
    this.chain = parts.chain
    this.deployment = parts.deployment
    this.params = parts.params
    this.client = parts.client
    this.workspace = parts.workspace
    this.processes = parts.processes
  }

  /**
   * Builds the network up; the chain mines at once until then, and a block a second afterwards. Whatever was begun is
   * ended again when a step fails or `signal` aborts.
   */
  static async open(options: PrivateNetworkOptions): Promise<PrivateNetwork> {
    const { signal, log } = options
    // In this order, since an exit ends processes before it takes their files away.
    const processes = new Processes()
    const workspace = await Workspace.open()
    let chain: LocalChain | undefined
    try {
      signal.throwIfAborted()
      chain = await startLocalChain(options.blockTimeMs === undefined ? {} : { blockTimeMs: options.blockTimeMs })
      log(`chain ${chain.rpcUrl}`)
      signal.throwIfAborted()
      const drafts = await Promise.all(options.members.map((name) => makeMember(name, workspace, systemRandom)))
      const first = drafts[0]
      const bootstrapPort = await freePort()
      const bootstrap =
        first === undefined
          ? []
          : [`/ip4/127.0.0.1/tcp/${bootstrapPort}/p2p/${peerIdOfPrivateKey(fromHex(first.node.privateKey))}`]
      const deployer = chain.accounts[0]?.privateKey as Hex
      const { rpcUrl } = chain
      const deployment = await deploy({
        ...{ rpcUrl, privateKey: deployer, ensName: ENS_NAME },
        ...(options.params === undefined ? {} : { params: options.params }),
      })
      await setBootstrap(deployment, { rpcUrl, privateKey: deployer, multiaddrs: bootstrap })
      await writeDeployment(join(workspace.path, 'deployment.json'), deployment)
      const client = createPublicClient({
        chain: hardhat,
        transport: http(chain.rpcUrl),
        pollingInterval: 50,
      }) as ChainClient
      const params = await readParams({ client, deployment })
      log(`${ENS_NAME} -> ${deployment.coordinator}`)
      const { answers = 'all' } = options
      const derivesPersons = drafts.length <= DERIVED_PERSONS_MOST
      const network = new PrivateNetwork({
        chain,
        deployment,
        params,
        client,
        workspace,
        processes,
        answers,
        derivesPersons,
      })
      signal.throwIfAborted()
      const persons = await Promise.all(drafts.map((draft) => network.#personOf(draft)))
      for (const [i, draft] of drafts.entries()) {
        await network.#register(draft, persons[i] as Hex, i === 0 ? bootstrapPort : 0)
      }
      await network.#mine(params.drawDelayBlocks + 1)
      for (const member of network.members) await network.activate(member)
      log(`${network.members.length} stakes bonded and active`)
      signal.throwIfAborted()
      await chain.goLive()
      return network
    } catch (error) {
      await processes.stop()
      await chain?.close()
      workspace.remove()
      throw error
    }
  }

  /** What a transaction of `privateKey` needs. */
  actions(privateKey: Hex): ActionModules {
    const transport = http(this.chain.rpcUrl)
    const wallet = createWalletClient({ account: privateKeyToAccount(privateKey), chain: hardhat, transport })
    return { client: this.client, deployment: this.deployment, wallet: wallet as ChainWallet }
  }

  /** Makes and registers one more member; it is not active. */
  async add(name: string): Promise<StakedMember> {
    const draft = await makeMember(name, this.workspace, systemRandom)
    return this.#register(draft, await this.#personOf(draft), 0)
  }

  /** Draws a member's placement, after its draw block. */
  async activate(member: StakedMember): Promise<void> {
    await activateStake(this.actions(member.gas.privateKey), { stakeId: member.stakeId })
  }

  /** What a peer without a guard needs to enter with `privateKey`. */
  barePeer(name: string, privateKey: Hex): BarePeerOptions {
    const { ensRegistry } = this.deployment
    const directory = join(this.workspace.path, `${name}-peer`)
    return { rpcUrl: this.chain.rpcUrl, coordinator: ENS_NAME, ensRegistry, privateKey, directory }
  }

  /** Ends every process, then the chain, then takes the folder away. */
  async close(): Promise<void> {
    await this.processes.stop()
    await this.chain.close()
    this.workspace.remove()
  }

  async #register(draft: Member, personPrivateKey: Hex, port: number): Promise<StakedMember> {
    const { rpcUrl } = this.chain
    const settings: MemberSettings = {
      rpcUrl,
      coordinator: ENS_NAME,
      ensRegistry: this.deployment.ensRegistry,
      listen: `/ip4/127.0.0.1/tcp/${port}`,
      topics: [CHATTER],
      logLevel: 'info',
      answers: this.#answers,
    }
    await configureMember(draft, this.workspace, settings)
    await this.#fund(draft)
    const { consequences } = await registerStake(this.actions(draft.operator.privateKey), {
      amountWei: BOND_WEI,
      nodePrivateKey: draft.node.privateKey,
      personPrivateKey,
    })
    const member = { ...draft, stakeId: consequences.stakeId, settings }
    this.members.push(member)
    return member
  }

  async #personOf({ biometricHash }: Member): Promise<Hex> {
    if (!this.#derivesPersons) return toHex(systemRandom.bytes(32))
    const { chainId, coordinatorNode } = this.deployment
    return (await personKey(biometricHash, chainId, coordinatorNode)).privateKey
  }

  async #fund({ operator, gas }: Member): Promise<void> {
    const balance = numberToHex(ETHER_WEI)
    await Promise.all(
      [operator, gas].map(({ address }) => this.chain.request('hardhat_setBalance', [address, balance])),
    )
    const amountWei = BOND_WEI + SPARE_WEI
    const { faucet: from } = this.deployment
    if (from === null) throw new TypeError('a private network has a faucet')
    await faucet(this.actions(operator.privateKey), { faucet: from, to: operator.address, amountWei })
  }

  async #mine(blocks: number): Promise<void> {
    await this.chain.request('hardhat_mine', [numberToHex(blocks)])
  }
}
