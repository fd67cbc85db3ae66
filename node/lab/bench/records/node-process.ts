import { randomBytes } from 'node:crypto'
import { toHex } from '../../../core/index.ts'
import type { Processes } from '../../network/processes.ts'
import { programPath } from '../../program.ts'
import type { BenchNodeOptions } from '../gossip-registry.ts'
import type { LoadOptions, LoadResult } from './load.ts'
import type { MemoryParts } from './memory.ts'
import { OrderProcess } from './network-process.ts'
import type { ProfileSummary } from './profile.ts'
import type { BenchStake } from './record-node.ts'

const PROGRAM = programPath('lab/programs/record-node')

/** The first line on the program's standard input. */
export interface NodeProcessOptions extends BenchNodeOptions {
  readonly stakes: readonly BenchStake[]
  /** Which of them it is. */
  readonly index: number
}

export interface NodeLoad extends LoadOptions {
  readonly op: 'store' | 'retrieve'
  readonly replicas: number
  readonly quorum: number
}

/** A further line. */
export type NodeOrder =
  | { readonly order: 'connect'; readonly addresses: readonly string[] }
  | ({ readonly order: 'load' } & NodeLoad)
  | { readonly order: 'profile'; readonly on: boolean }
  | { readonly order: 'memory' | 'cpu' }

/** The line it answers with: what the order asked for. */
export interface NodeAnswer {
  readonly load?: LoadResult
  readonly profile?: ProfileSummary
  readonly memory?: MemoryParts
  /** Entries in the index of repair. */
  readonly indexed?: number
  readonly cpuMicros?: number
}

/** What it says once it serves. */
interface Opened {
  readonly address: string
  /** Milliseconds from the first line of the program to serving. */
  readonly openedMs: number
  /** Records it found in its directory. */
  readonly records: number
}

/** One node in a process of its own. */
export class NodeProcess {
  readonly opened: Opened
  readonly #process: OrderProcess

  private constructor(process: OrderProcess, opened: Opened) {
    this.#process = process
    this.opened = opened
  }

  static async open(options: NodeProcessOptions, processes: Processes): Promise<NodeProcess> {
    const process = new OrderProcess(`node ${options.index}`, [PROGRAM], processes)
    process.running.tell(JSON.stringify(options))
    return new NodeProcess(process, await process.line())
  }

  async connect(nodes: readonly NodeProcess[]): Promise<void> {
    const order: NodeOrder = { order: 'connect', addresses: nodes.map(({ opened }) => opened.address) }
    await this.#process.ask(order)
  }

  async load(load: NodeLoad): Promise<LoadResult> {
    const { load: result } = await this.#process.ask<NodeAnswer>({ order: 'load', ...load })
    return result as LoadResult
  }

  async profile(on: boolean): Promise<ProfileSummary | undefined> {
    return (await this.#process.ask<NodeAnswer>({ order: 'profile', on })).profile
  }

  async memory(): Promise<MemoryParts & { readonly indexed: number }> {
    const { indexed, memory } = await this.#process.ask<NodeAnswer>({ order: 'memory' })
    return { ...(memory as MemoryParts), indexed: indexed ?? 0 }
  }

  /** Microseconds of CPU it took so far. */
  async cpuMicros(): Promise<number> {
    return (await this.#process.ask<NodeAnswer>({ order: 'cpu' })).cpuMicros ?? 0
  }

  stop(): Promise<void> {
    return this.#process.running.stop()
  }
}

/** New stakes, all placed. */
export function benchStakes(count: number): BenchStake[] {
  return Array.from({ length: count }, () => ({
    privateKey: toHex(new Uint8Array(randomBytes(32))),
    isPlaced: true,
  }))
}
