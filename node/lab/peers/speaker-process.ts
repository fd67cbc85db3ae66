import { SuprnovaError } from '../../core/index.ts'
import type { Processes, Running } from '../network/processes.ts'
import { until } from '../network/until.ts'
import { programPath } from '../program.ts'
import type { BarePeerOptions } from './bare-peer.ts'

const PROGRAM = programPath('lab/programs/speaker')
const READY_WITHIN_MS = 60_000
const ANSWER_WITHIN_MS = 20_000

export interface SpeakerOptions extends BarePeerOptions {
  readonly topic: string
  /** It is ready once so many peers listen to the topic. */
  readonly minPeers: number
}

/** A line on the speaker's standard input, after the first. */
export interface SpeakerOrder {
  readonly id: number
  readonly order: 'say' | 'twice' | 'beyond'
  readonly texts: readonly string[]
}

/** What came of an order. */
export interface Spoken {
  /** To how many peers it went. */
  readonly sent: number
  /** Unix milliseconds. */
  readonly atMs: number
}

/** A speaker in a process of its own: a liar, or a key that may not speak. */
export class SpeakerProcess {
  readonly running: Running
  readonly #answers = new Map<number, Spoken | { readonly error: string }>()
  #ready = false
  #nextId = 1

  constructor(name: string, options: SpeakerOptions, processes: Processes) {
    const onLine = (line: string) => {
      const { id, ready, ...answer } = JSON.parse(line)
      if (ready === true) this.#ready = true
      else this.#answers.set(id, answer)
    }
    this.running = processes.start({ name, args: [PROGRAM], onLine })
    this.running.tell(JSON.stringify(options))
  }

  /** Resolves once it is connected. */
  ready(): Promise<true> {
    return until(`${this.running.name} is connected`, READY_WITHIN_MS, () => {
      this.#mustLive()
      return this.#ready
    })
  }

  async order(order: SpeakerOrder['order'], ...texts: string[]): Promise<Spoken> {
    const id = this.#nextId++
    this.running.tell(JSON.stringify({ id, order, texts } satisfies SpeakerOrder))
    const answer = await until(`${this.running.name} answers ${order}`, ANSWER_WITHIN_MS, () => {
      this.#mustLive()
      return this.#answers.get(id)
    })
    this.#answers.delete(id)
    if ('error' in answer)
      throw new SuprnovaError('LAB_SPEAKER', `${this.running.name} cannot ${order}: ${answer.error}`)
    return answer
  }

  stop(): Promise<void> {
    return this.running.stop()
  }

  #mustLive(): void {
    if (this.running.alive()) return
    const words = this.running.lastWords().join('\n')
    throw new SuprnovaError('LAB_SPEAKER', `${this.running.name} ended:\n${words}`)
  }
}
