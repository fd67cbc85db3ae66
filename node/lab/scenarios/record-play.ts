import { createHash } from 'node:crypto'
import type { StateQuery } from '../../api/index.ts'
import { faultCourtAbi, PRESETS } from '../../chain/index.ts'
import { type ProtocolParams, SuprnovaError } from '../../core/index.ts'
import { ChainLog } from '../network/chain-log.ts'
import { askStatus, nodeReady, runNode } from '../network/node-process.ts'
import { PrivateNetwork, type StakedMember } from '../network/private-network.ts'
import type { Processes, Running } from '../network/processes.ts'
import { until } from '../network/until.ts'
import { eventsOf, type Role } from '../transcript.ts'
import type { Stage } from './scenario.ts'

/** An epoch of ten seconds, its lag, and a busy machine. */
const PLACED_WITHIN_MS = 90_000
const LOGGED_WITHIN_MS = 90_000
/** Stores and reads of one crowd at a time. */
const AT_ONCE = 16

export interface RecordPlayOptions {
  readonly members: readonly string[]
  readonly params?: Partial<ProtocolParams>
  /** Which challenges nodes answer; those to others' receipts too by default. */
  readonly answers?: 'own' | 'all'
}

/** How a member's program is begun; the real node unless told otherwise. */
export type Begin = (member: StakedMember, processes: Processes) => Running

/** A network on stage whose nodes store and read records for whoever tells the story. */
export class RecordPlay {
  readonly network: PrivateNetwork
  readonly stage: Stage
  readonly #running = new Map<string, Running>()
  readonly #chainLog: ChainLog

  private constructor(stage: Stage, network: PrivateNetwork) {
    this.stage = stage
    this.network = network
    this.#chainLog = new ChainLog(network.client, network.deployment, network.deployment.deployBlock)
  }

  /** Opens a network, runs `story` on it, and takes it down whatever happens. */
  static async run(
    stage: Stage,
    { answers = 'all', members, params }: RecordPlayOptions,
    story: (play: RecordPlay) => Promise<void>,
  ): Promise<void> {
    const { log, signal } = stage
    const network = await PrivateNetwork.open({ members, log, signal, answers, params: { ...PRESETS.dev, ...params } })
    const play = new RecordPlay(stage, network)
    const onAbort = () => void network.processes.stop()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      await play.#begin()
      await story(play)
      await play.takeLogs()
    } finally {
      signal.removeEventListener('abort', onAbort)
      await network.close()
    }
  }

  member(name: string): StakedMember {
    const found = this.network.members.find((member) => member.name === name)
    if (found === undefined) throw new TypeError(`nobody is called ${name}`)
    return found
  }

  /** The member with that stake. */
  ofStake(stakeId: number): StakedMember {
    const found = this.network.members.find((member) => member.stakeId === stakeId)
    if (found === undefined) throw new TypeError(`nobody has stake ${stakeId}`)
    return found
  }

  running(name: string): Running {
    const found = this.#running.get(name)
    if (found === undefined) throw new TypeError(`${name} was never started`)
    return found
  }

  introduce(name: string, role: Role): void {
    const { node, stakeId, operator, gas } = this.member(name)
    const accounts = [operator.address, gas.address]
    this.stage.write({ type: 'actor', name, role, key: node.address, stakeId, accounts })
  }

  /** Begins a node and waits until it may speak. */
  async start(name: string, phase: string, begin: Begin = runNode): Promise<Running> {
    const member = this.member(name)
    const running = begin(member, this.network.processes)
    this.#running.set(name, running)
    this.stage.write({ type: 'process', actor: name, event: 'started', phase })
    await nodeReady(member, running, 'runs', ({ phase: now, stake }) => now === 'running' && stake?.maySpeak === true)
    return running
  }

  async startAll(names: readonly string[], phase: string, begin: Begin = runNode): Promise<void> {
    await Promise.all(names.map((name) => this.start(name, phase, begin)))
    this.stage.log(`${names.length} nodes run`)
  }

  /** kill -9. */
  async kill(name: string, phase: string): Promise<void> {
    await this.running(name).kill()
    this.stage.write({ type: 'process', actor: name, event: 'killed', phase })
  }

  async stop(name: string, phase: string): Promise<void> {
    await this.running(name).stop()
    this.stage.write({ type: 'process', actor: name, event: 'ended', phase })
  }

  /** Waits until stores of `name` reach a full set of proper replicas: tables hold all stakes, and all are connected. */
  async placed(name: string, replicas = 3): Promise<void> {
    let number = 0
    await until(`${name} reaches ${replicas} replicas of a record`, PLACED_WITHIN_MS, async () => {
      const stored = await this.#tryStore(name, `probe ${name} ${++number}`, Buffer.from(`probe ${number}`))
      return stored !== undefined && !stored.degraded && stored.stakes.length >= replicas
    })
  }

  /**
   * Stores a record and writes down what came of it.
   * @param options as the client's; by default it waits for every replica and not only for those that make it done
   * @returns whether it was acknowledged
   */
  async store(name: string, key: string, value: Uint8Array, phase: string, options: StateQuery = {}): Promise<boolean> {
    const sum = sumOf(value)
    try {
      const { receipts, degraded } = await this.member(name).client.storeState(key, value, { all: true, ...options })
      const stakes = receipts.map(({ stakeId }) => stakeId)
      this.stage.write({ type: 'stored', actor: name, key, sum, stakes, degraded, phase })
      return true
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      this.stage.write({ type: 'not-stored', actor: name, key, sum, code: error.code, phase })
      return false
    }
  }

  /** Stores `count` records of `bytes` each, a few at a time. */
  async storeMany(
    name: string,
    { prefix, count, bytes }: { readonly prefix: string; readonly count: number; readonly bytes: number },
    phase: string,
    options: StateQuery = {},
  ): Promise<void> {
    await crowd(count, (index) => {
      const key = `${prefix} ${index}`
      return this.store(name, key, sample(key, bytes), phase, options)
    })
  }

  /** Reads a record of `owner` through `name` and writes down what came. */
  async read(name: string, owner: string, key: string, phase: string, options: StateQuery = {}): Promise<boolean> {
    const line = { type: 'read', actor: name, owner, key, phase } as const
    try {
      const { value, quorum } = await this.member(name).client.retrieveState(key, {
        ...options,
        owner: this.member(owner).stakeId,
      })
      this.stage.write({ ...line, sum: value === undefined ? null : sumOf(value), quorum, code: null })
      return value !== undefined
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      this.stage.write({ ...line, sum: null, quorum: false, code: error.code })
      return false
    }
  }

  /** Reads everything that was acknowledged so far, through each of `names`. */
  async readAll(names: readonly string[], phase: string, options: StateQuery = {}): Promise<void> {
    const records = new Map(
      eventsOf(this.stage.transcript, 'stored').map((event) => [`${event.actor} ${event.key}`, event]),
    )
    const jobs = [...records.values()].flatMap(({ actor, key }) => names.map((name) => ({ name, actor, key })))
    await crowd(jobs.length, async (index) => {
      const { name, actor, key } = jobs[index] as (typeof jobs)[number]
      await this.read(name, actor, key, phase, options)
    })
    this.stage.log(`${jobs.length} reads (${phase})`)
  }

  /** Writes down the chain events since the last call. */
  async takeLogs(): Promise<void> {
    for (const { name, blockNumber, args } of await this.#chainLog.next()) {
      this.stage.write({ type: 'log', name, blockNumber, args })
    }
  }

  /** Waits for a number of chain events of one name. */
  logged(name: string, count = 1, withinMs = LOGGED_WITHIN_MS): Promise<true> {
    return until(`the chain tells ${name} ${count} times`, withinMs, async () => {
      await this.takeLogs()
      return eventsOf(this.stage.transcript, 'log').filter((log) => log.name === name).length >= count
    })
  }

  /** Writes down what each of `names` says of itself. */
  async ask(names: readonly string[], phase: string): Promise<void> {
    for (const name of names) {
      const status = await askStatus(this.member(name))
      if (status !== undefined) this.stage.write({ type: 'status', actor: name, phase, status })
    }
  }

  async #tryStore(name: string, key: string, value: Uint8Array) {
    try {
      const { receipts, degraded } = await this.member(name).client.storeState(key, value, { all: true })
      return { stakes: receipts.map(({ stakeId }) => stakeId), degraded }
    } catch (error) {
      if (error instanceof SuprnovaError) return undefined
      throw error
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
  }
}

/** Does job 0 to `count` - 1, a few at a time. */
export async function crowd(count: number, job: (index: number) => Promise<unknown>, atOnce = AT_ONCE): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await job(next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
}

/** A value that anyone can make again from its name. */
export function sample(name: string, bytes: number): Uint8Array {
  const block = createHash('sha256').update(name).digest()
  const value = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += block.length) value.set(block.subarray(0, Math.min(block.length, bytes - at)), at)
  return value
}

/** SHA-256 in hex: transcripts hold sums, not values. */
export function sumOf(value: Uint8Array): string {
  return createHash('sha256').update(value).digest('hex')
}
