import { SuprnovaError } from '../../../core/index.ts'
import type { Processes, Running } from '../../network/processes.ts'
import { programPath } from '../../program.ts'
import type { LoadOptions, LoadResult } from './load.ts'
import type { ProfileSummary } from './profile.ts'
import type { WayFacts } from './record-network.ts'

const PROGRAM = programPath('lab/programs/record-network')

/** Twenty nodes in one process flush their own files each: with libuv's four threads they would wait for each other. */
const THREADS = '64'

/** A line on the program's standard input. */
export interface LoadOrder extends LoadOptions {
  /** New records; or records in the order they were stored, see `Stock`. */
  readonly op: 'store' | 'retrieve'
  readonly way: string
  readonly isProfiled: boolean
}

/** The line it answers with. */
export interface LoadAnswer {
  readonly result: LoadResult
  readonly profile: ProfileSummary | undefined
}

/** A process that answers each line of its input with one line of JSON. */
export class OrderProcess {
  readonly running: Running
  readonly #waiting: ((line: string) => void)[] = []
  readonly #unclaimed: string[] = []
  readonly #ended: Promise<never>

  constructor(name: string, args: readonly string[], processes: Processes) {
    const onLine = (line: string) => {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#unclaimed.push(line)
      else waiting(line)
    }
    this.running = processes.start({ name, args, onLine, env: { UV_THREADPOOL_SIZE: THREADS } })
    this.#ended = this.running.ended.then(() => {
      throw new SuprnovaError('LAB_PROGRAM', `${name} ended:\n${this.running.lastWords().join('\n')}`)
    })
    this.#ended.catch(() => undefined)
  }

  /** The next line it says. */
  async line<T>(): Promise<T> {
    const known = this.#unclaimed.shift()
    if (known !== undefined) return JSON.parse(known)
    const next = new Promise<string>((resolve) => this.#waiting.push(resolve))
    return JSON.parse(await Promise.race([next, this.#ended]))
  }

  ask<T>(order: unknown): Promise<T> {
    this.running.tell(JSON.stringify(order))
    return this.line<T>()
  }
}

/** A network of twenty nodes in a process of its own. */
export class NetworkProcess {
  readonly ways: readonly WayFacts[]
  readonly #process: OrderProcess

  private constructor(process: OrderProcess, ways: readonly WayFacts[]) {
    this.#process = process
    this.ways = ways
  }

  /** Resolves once its nodes know each other. */
  static async open(system: string, processes: Processes): Promise<NetworkProcess> {
    const process = new OrderProcess(system, [PROGRAM, system], processes)
    return new NetworkProcess(process, await process.line())
  }

  load(order: LoadOrder): Promise<LoadAnswer> {
    return this.#process.ask(order)
  }
}
