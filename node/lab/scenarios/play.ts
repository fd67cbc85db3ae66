import { systemRandom } from '../../api/index.ts'
import { faultCourtAbi, PRESETS, readStake, stakeRegistryAbi } from '../../chain/index.ts'
import { type Address, EXIT, type Hex, SuprnovaError, toHex } from '../../core/index.ts'
import { decodeBundle, readEvidence } from '../../statements/index.ts'
import { ChainLog } from '../network/chain-log.ts'
import { askStatus, nodeReady, runNode } from '../network/node-process.ts'
import { CHATTER, PrivateNetwork, type StakedMember } from '../network/private-network.ts'
import type { Processes, Running } from '../network/processes.ts'
import { until } from '../network/until.ts'
import { Observer } from '../peers/observer.ts'
import { SpeakerProcess } from '../peers/speaker-process.ts'
import { eventsOf, type Role } from '../transcript.ts'
import type { Stage } from './scenario.ts'

/** Stories need not wait as long for a reward as people do. */
const REWARD_WINDOW_SECONDS = 10
const HEARD_WITHIN_MS = 30_000
const LOGGED_WITHIN_MS = 60_000

export interface PlayOptions {
  /** Names of those who run the real node. */
  readonly honest: readonly string[]
  /** Names of others with an active stake. */
  readonly staked?: readonly string[]
  readonly blockTimeMs?: number
}

/** A network on stage: honest nodes in processes of their own, an observer who writes everything down, and extras. */
export class Play {
  readonly network: PrivateNetwork
  readonly stage: Stage
  readonly #running = new Map<string, Running>()
  readonly #ears = new AbortController()
  readonly #listening: Promise<void>[] = []
  readonly #chainLog: ChainLog
  #observer: Observer | undefined

  private constructor(stage: Stage, network: PrivateNetwork) {
    this.stage = stage
    this.network = network
    this.#chainLog = new ChainLog(network.client, network.deployment, network.deployment.deployBlock)
  }

  /** Opens a network, runs `story` on it, and takes it down whatever happens. */
  static async run(stage: Stage, options: PlayOptions, story: (play: Play) => Promise<void>): Promise<void> {
    const { log, signal } = stage
    const members = [...options.honest, ...(options.staked ?? []), 'observer']
    const params = { ...PRESETS.dev, rewardWindowSeconds: REWARD_WINDOW_SECONDS }
    const blockTime = options.blockTimeMs === undefined ? {} : { blockTimeMs: options.blockTimeMs }
    const network = await PrivateNetwork.open({ members, log, signal, params, ...blockTime })
    const play = new Play(stage, network)
    const onAbort = () => void network.processes.stop()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      await play.#begin()
      await story(play)
      await play.takeLogs()
    } finally {
      signal.removeEventListener('abort', onAbort)
      await play.#end()
    }
  }

  member(name: string): StakedMember {
    const found = this.network.members.find((member) => member.name === name)
    if (found === undefined) throw new TypeError(`nobody is called ${name}`)
    return found
  }

  /** Introduces an actor. */
  introduce(name: string, role: Role, key: Address, stakeId: number | null, accounts: readonly Address[]): void {
    this.stage.write({ type: 'actor', name, role, key, stakeId, accounts })
  }

  introduceMember(name: string, role: Role): void {
    const { node, stakeId, operator, gas } = this.member(name)
    this.introduce(name, role, node.address, stakeId, [operator.address, gas.address])
  }

  /** Begins a node and writes down what its subscriber hears. */
  async start(
    name: string,
    phase: string,
    begin: (member: StakedMember, processes: Processes) => Running = runNode,
  ): Promise<Running> {
    const member = this.member(name)
    const running = begin(member, this.network.processes)
    this.#running.set(name, running)
    this.stage.write({ type: 'process', actor: name, event: 'started', phase })
    await nodeReady(member, running, 'runs', ({ phase: now, stake }) => now === 'running' && stake?.maySpeak === true)
    this.#listening.push(this.#listen(member))
    return running
  }

  /** kill -9. */
  async kill(name: string, phase: string): Promise<void> {
    await this.#running.get(name)?.kill()
    this.stage.write({ type: 'process', actor: name, event: 'killed', phase })
  }

  /** Ends a node in order. */
  async stop(name: string, phase: string): Promise<void> {
    await this.#running.get(name)?.stop()
    this.stage.write({ type: 'process', actor: name, event: 'ended', phase })
  }

  /** Waits until each of `names` has `peers` peers. */
  async connected(names: readonly string[], peers: number): Promise<void> {
    for (const name of names) {
      const running = this.#running.get(name) as Running
      await nodeReady(this.member(name), running, `has ${peers} peers`, (status) => status.peers.length >= peers)
    }
  }

  /** Lets a real node say something. @returns whether it did; a refusal of its guard is written down */
  async say(name: string, text: string, phase: string): Promise<boolean> {
    const { client } = this.member(name)
    try {
      const { recipients } = await client.publish(CHATTER, new Uint8Array(Buffer.from(text)))
      this.stage.write({ type: 'said', actor: name, text, sent: recipients, phase })
      return true
    } catch (error) {
      if (!(error instanceof SuprnovaError) || error.exitCode !== EXIT.unsafe) throw error
      this.stage.write({ type: 'refused', actor: name, reason: String(error.values.reason ?? error.code), phase })
      return false
    }
  }

  /** Waits until `name` is connected to the observer. */
  async observed(name: string): Promise<void> {
    const running = this.#running.get(name) as Running
    const { address } = this.member('observer').node
    await nodeReady(this.member(name), running, 'is observed', ({ peers }) =>
      peers.some((peer) => peer.address === address),
    )
  }

  /** Lets a node speak until the observer has seen `count` more of its statements. */
  async saySeen(name: string, text: string, phase: string, count: number): Promise<void> {
    const { address } = this.member(name).node
    const seen = () => eventsOf(this.stage.transcript, 'statement').filter(({ signer }) => signer === address).length
    const wanted = seen() + count
    let number = 0
    await until(`the observer sees ${name} speak`, HEARD_WITHIN_MS, async () => {
      if (seen() < wanted && number < 4 * count + 100) await this.say(name, `${text} ${++number}`, phase)
      return seen() >= wanted
    })
  }

  /** Says something new until all of `names` hear one of it: meshes take a moment to form. */
  async saidToAll(speaker: string, names: readonly string[], text: string, phase: string): Promise<void> {
    const others = names.filter((name) => name !== speaker)
    let number = 0
    await until(`${others.join(', ')} hear ${speaker}`, HEARD_WITHIN_MS, async () => {
      const lines = eventsOf(this.stage.transcript, 'heard')
      const reached = (said: string) =>
        others.every((name) => lines.some(({ actor, text: at }) => actor === name && at === said))
      const any = Array.from({ length: number }, (_, i) => `${text} ${i + 1}`).some(reached)
      if (!any && number < lines.length + 20) await this.say(speaker, `${text} ${++number}`, phase)
      return any
    })
  }

  /** A program without a guard that speaks with `privateKey`. */
  async speaker(name: string, privateKey: Hex, minPeers: number): Promise<SpeakerProcess> {
    const options = { ...this.network.barePeer(name, privateKey), topic: CHATTER, minPeers }
    const speaker = new SpeakerProcess(name, options, this.network.processes)
    await speaker.ready()
    return speaker
  }

  /** Lets a speaker say something, and writes it down. */
  async order(
    name: string,
    speaker: SpeakerProcess,
    phase: string,
    order: 'say' | 'twice' | 'beyond',
    ...texts: string[]
  ): Promise<void> {
    const { sent } = await speaker.order(order, ...texts)
    for (const text of texts) this.stage.write({ type: 'said', actor: name, text, sent, phase })
  }

  /** Writes down the chain events since the last call. */
  async takeLogs(): Promise<void> {
    for (const { name, blockNumber, args } of await this.#chainLog.next()) {
      this.stage.write({ type: 'log', name, blockNumber, args })
    }
  }

  /** Waits for a chain event. */
  logged(name: string): Promise<true> {
    return until(`the chain tells ${name}`, LOGGED_WITHIN_MS, async () => {
      await this.takeLogs()
      return eventsOf(this.stage.transcript, 'log').some((log) => log.name === name)
    })
  }

  /** Writes down what each actor has. */
  async count(when: 'before' | 'after'): Promise<void> {
    const { client, deployment } = this.network
    const registry = { address: deployment.registry, abi: stakeRegistryAbi } as const
    for (const { name, stakeId, accounts } of eventsOf(this.stage.transcript, 'actor')) {
      const stake = stakeId === null ? undefined : await readStake({ client, deployment }, { stakeId })
      const credits = await Promise.all(
        accounts.map((account) => client.readContract({ ...registry, functionName: 'creditsOf', args: [account] })),
      )
      const creditsWei = String(credits.reduce((sum, credit) => sum + credit, 0n))
      this.stage.write({ type: 'money', actor: name, when, bondWei: String(stake?.amountWei ?? 0n), creditsWei })
    }
  }

  /** Writes down what each of `names` says of itself. */
  async ask(names: readonly string[], phase: string): Promise<void> {
    for (const name of names) {
      const status = await askStatus(this.member(name))
      if (status !== undefined) this.stage.write({ type: 'status', actor: name, phase, status })
    }
  }

  /** Waits until each of `names` knows the proven fault and has seen its slash on the chain. */
  async knowFault(names: readonly string[]): Promise<void> {
    const proven = eventsOf(this.stage.transcript, 'log').find(({ name }) => name === 'FaultProven')
    for (const name of names) {
      const running = this.#running.get(name) as Running
      await nodeReady(this.member(name), running, 'knows the fault and the slash', ({ faults, slashes }) =>
        [faults, slashes].every((list) => list.some(({ faultId }) => faultId === proven?.args.faultId)),
      )
    }
  }

  /** Writes down what the evidence of a node shows that the liar signed: the observer may have stood elsewhere. */
  async readEvidence(name: string): Promise<void> {
    const { client } = this.member(name)
    const [fault] = await client.evidence()
    if (fault === undefined) return
    const bundle = decodeBundle(JSON.stringify(await client.bundle(fault.faultId)))
    const { slot, said } = readEvidence(bundle.faultType, bundle.evidence)
    const { signer, kind, scope, position } = slot
    for (const { content } of said) {
      const at = { scope: toHex(scope), position: String(position) }
      this.stage.write({ type: 'statement', signer, kind, ...at, content: toHex(content) })
    }
  }

  async #begin(): Promise<void> {
    const { client, deployment, params } = this.network
    const court = { address: deployment.court, abi: faultCourtAbi } as const
    const [[equivocation], [overrun], [unavailability], rewardBps] = await Promise.all([
      client.readContract({ ...court, functionName: 'penaltyOf', args: [1] }),
      client.readContract({ ...court, functionName: 'penaltyOf', args: [2] }),
      client.readContract({ ...court, functionName: 'penaltyOf', args: [3] }),
      client.readContract({ ...court, functionName: 'rewardBps' }),
    ])
    this.stage.write({
      type: 'network',
      chainId: Number(deployment.chainId),
      registry: deployment.registry,
      court: deployment.court,
      gossipLimit: params.gossipLimit,
      penaltyBps: { equivocation, overrun, unavailability },
      rewardBps,
    })
    const options = this.network.barePeer('observer', this.member('observer').node.privateKey)
    this.#observer = await Observer.open(options, [CHATTER], this.stage.write)
  }

  async #listen({ name, client }: StakedMember): Promise<void> {
    try {
      for await (const line of client.subscribe(CHATTER, this.#ears.signal)) {
        if ('dropped' in line) continue
        const text = Buffer.from(line.payload, 'base64').toString('utf8')
        this.stage.write({ type: 'heard', actor: name, signer: line.signer, text })
      }
    } catch (error) {
      // A node that is killed breaks its streams off.
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== 'ECONNRESET' && code !== 'NODE_NOT_RUNNING' && code !== 'ABORT_ERR') throw error
    }
  }

  async #end(): Promise<void> {
    this.#ears.abort()
    await this.#observer?.close()
    await this.network.close()
    await Promise.all(this.#listening)
  }
}

/** `node-1` to `node-N`. */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `node-${i + 1}`)
}

/** A key that nobody registered. */
export function strangerKey(): Hex {
  return toHex(systemRandom.bytes(32))
}
