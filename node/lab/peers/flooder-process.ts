import type { Address } from '../../core/index.ts'
import { SuprnovaError } from '../../core/index.ts'
import type { Processes, Running } from '../network/processes.ts'
import { until } from '../network/until.ts'
import { programPath } from '../program.ts'
import type { BarePeerOptions } from './bare-peer.ts'

const PROGRAM = programPath('lab/programs/flooder')
const READY_WITHIN_MS = 60_000
/** Beyond the seconds it was told. */
const ANSWER_WITHIN_MS = 30_000

export interface FlooderOptions extends BarePeerOptions {
  /** It takes what others send, and drops it. */
  readonly drops: boolean
}

/** `fetch`: for records that are not there. `forged`: stores of well-formed records with a wrong signature. */
export type FloodKind = 'fetch' | 'forged'

/** A line on the flooder's standard input, after the first. */
export interface FloodOrder {
  readonly id: number
  readonly to: Address
  readonly kind: FloodKind
  /** In whose name records are forged. */
  readonly as: Address
  /** Whichever comes first ends it. */
  readonly requests: number
  readonly seconds: number
}

/** What came of a flood. */
export interface Flooded {
  readonly sent: number
  readonly answered: number
  readonly refused: number
  /** No answer, or a stream that was ended. */
  readonly lost: number
  /** Processor time of the flooder. */
  readonly cpuMs: number
  readonly tookMs: number
}

/** A flooder, or one that drops floods, in a process of its own. */
export class FlooderProcess {
  readonly running: Running
  readonly #answers = new Map<number, Flooded | { readonly error: string }>()
  #ready = false
  #nextId = 1

  constructor(name: string, options: FlooderOptions, processes: Processes) {
    const onLine = (line: string) => {
      const { id, ready, ...answer } = JSON.parse(line)
      if (ready === true) this.#ready = true
      else this.#answers.set(id, answer)
    }
    this.running = processes.start({ name, args: [PROGRAM], onLine })
    this.running.tell(JSON.stringify(options))
  }

  ready(): Promise<true> {
    return until(`${this.running.name} runs`, READY_WITHIN_MS, () => {
      this.#mustLive()
      return this.#ready
    })
  }

  async flood(order: Omit<FloodOrder, 'id'>): Promise<Flooded> {
    const id = this.#nextId++
    this.running.tell(JSON.stringify({ id, ...order } satisfies FloodOrder))
    const answer = await until(`${this.running.name} has flooded`, order.seconds * 1_000 + ANSWER_WITHIN_MS, () => {
      this.#mustLive()
      return this.#answers.get(id)
    })
    this.#answers.delete(id)
    if ('error' in answer) throw new SuprnovaError('LAB_FLOODER', `${this.running.name} cannot: ${answer.error}`)
    return answer
  }

  #mustLive(): void {
    if (this.running.alive()) return
    throw new SuprnovaError('LAB_FLOODER', `${this.running.name} ended:\n${this.running.lastWords().join('\n')}`)
  }
}
