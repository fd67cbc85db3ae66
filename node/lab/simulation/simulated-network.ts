import {
  type Address,
  type RequestHandler,
  type RequestOptions,
  type RequestTransport,
  SuprnovaError,
} from '../../core/index.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Life, VirtualTime } from './virtual-time.ts'

/** How messages fare. Rates are chances per message. */
export interface NetworkModel {
  /** One way, at least. */
  readonly latencyMs: number
  /** Mean of what comes on top, exponentially distributed. */
  readonly jitterMs: number
  /** The request is lost: a time-out. */
  readonly lossRate: number
  /** The request is done, its answer lost: a time-out as well, to the asker. */
  readonly answerLossRate: number
  /** The connection ends at once. */
  readonly resetRate: number
  /** The request is done twice, as after a reconnection that sends again. */
  readonly duplicateRate: number
}

export const CALM_NETWORK: NetworkModel = {
  latencyMs: 2,
  jitterMs: 3,
  lossRate: 0,
  answerLossRate: 0,
  resetRate: 0,
  duplicateRate: 0,
}

/** Requests under way from one node to another, as the real transport bounds them. */
const PENDING_MAX = 512
const TIMEOUT_MS = 3_000

interface Host {
  readonly life: Life
  readonly identify: (address: Address) => number | undefined
  handler: RequestHandler | undefined
  isBusy: boolean
  pending: Map<Address, number>
}

/** What was sent, by the first byte of the request. */
export interface Traffic {
  readonly requests: number
  /** Requests and answers. */
  readonly bytes: number
}

/** Requests between simulated nodes, with everything that can befall them. */
export class SimulatedNetwork {
  readonly #time: VirtualTime
  readonly #random: SeededRandom
  readonly #hosts = new Map<Address, Host>()
  readonly #traffic = new Map<number, { requests: number; bytes: number }>()
  /** What handlers threw that is no `SuprnovaError`: faults of the code under test, or of its disk. */
  readonly surprises: unknown[] = []
  #model: NetworkModel
  #sides: ReadonlyMap<Address, number> | undefined

  constructor(model: NetworkModel, modules: { readonly time: VirtualTime; readonly random: SeededRandom }) {
    this.#model = model
    this.#time = modules.time
    this.#random = modules.random
  }

  /** Connects a process; a later one of the same address takes its place. */
  join(address: Address, modules: Pick<Host, 'life' | 'identify'>): RequestTransport {
    const host: Host = { ...modules, handler: undefined, isBusy: false, pending: new Map() }
    this.#hosts.set(address, host)
    return {
      request: (to, request, options) => this.#request(address, host, to, request.slice(), options ?? {}),
      serve: (handler) => {
        host.handler = handler
        return () => {
          host.handler = undefined
        }
      },
      isConnected: (to) => this.isReachable(address, to),
    }
  }

  /** Changes how messages fare from now on. */
  set model(model: NetworkModel) {
    this.#model = model
  }

  get model(): NetworkModel {
    return this.#model
  }

  /** Lets only nodes of one group hear each other; a node in no group hears nobody. */
  partition(groups: readonly (readonly Address[])[]): void {
    this.#sides = new Map(groups.flatMap((group, side) => group.map((address) => [address, side] as const)))
  }

  heal(): void {
    this.#sides = undefined
  }

  /** A busy node refuses what it is asked. */
  setBusy(address: Address, isBusy: boolean): void {
    const host = this.#hosts.get(address)
    if (host !== undefined) host.isBusy = isBusy
  }

  /** What was sent so far, by operation. */
  traffic(operation?: number): Traffic {
    if (operation !== undefined) return { ...(this.#traffic.get(operation) ?? { requests: 0, bytes: 0 }) }
    const sum = { requests: 0, bytes: 0 }
    for (const { requests, bytes } of this.#traffic.values()) {
      sum.requests += requests
      sum.bytes += bytes
    }
    return sum
  }

  /** Whether a request could arrive now. */
  isReachable(from: Address, to: Address): boolean {
    const host = this.#hosts.get(to)
    if (host === undefined || host.life.isOver || host.handler === undefined) return false
    return this.#sides === undefined || (this.#sides.has(to) && this.#sides.get(from) === this.#sides.get(to))
  }

  async #request(
    from: Address,
    sender: Host,
    to: Address,
    request: Uint8Array,
    { timeoutMs = TIMEOUT_MS, signal }: RequestOptions,
  ): Promise<Uint8Array> {
    if (sender.life.isOver) return never()
    const pending = sender.pending.get(to) ?? 0
    if (pending >= PENDING_MAX) throw failure('REQUEST_BUSY', 'too many wait for this peer')
    sender.pending.set(to, pending + 1)
    try {
      return await this.#exchange(from, sender, to, request, { timeoutMs, ...(signal && { signal }) })
    } finally {
      sender.pending.set(to, (sender.pending.get(to) ?? 1) - 1)
    }
  }

  #exchange(
    from: Address,
    sender: Host,
    to: Address,
    request: Uint8Array,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Uint8Array> {
    const { life } = sender
    return new Promise((resolve, reject) => {
      let isOpen = true
      const close = (settle: () => void) => {
        if (!isOpen) return
        isOpen = false
        stopWaiting()
        signal?.removeEventListener('abort', abort)
        settle()
      }
      const fail = (code: string, message: string) => close(() => reject(failure(code, message)))
      const stopWaiting = life.after(timeoutMs, `gives up ${to}`, () => fail('REQUEST_TIMEOUT', 'no answer in time'))
      const abort = () => fail('REQUEST_TIMEOUT', 'no longer wanted')
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)

      const model = this.#model
      const fate = this.#fate(model)
      this.#count(request, request.length)
      this.#time.note(`${from} asks ${to} ${fate}\n`, request)
      if (!this.isReachable(from, to)) {
        // A machine that is there but has no such process says so at once; others say nothing.
        if (this.#sides === undefined) {
          life.after(this.#delayMs(model), `finds nobody at ${to}`, () => fail('REQUEST_UNREACHABLE', 'not there'))
        }
        return
      }
      if (fate === 'lost') return
      if (fate === 'reset') {
        life.after(this.#delayMs(model), `loses ${to}`, () => fail('REQUEST_LOST', 'the connection ended'))
        return
      }
      const deliver = (isLast: boolean) => {
        const host = this.#hosts.get(to)
        if (host === undefined || host.life.isOver || host.handler === undefined) {
          if (isLast) fail('REQUEST_LOST', 'the connection ended')
          return
        }
        if (host.isBusy) return fail('REQUEST_REFUSED', 'busy')
        void this.#handle(host, host.handler, from, request).then((answer) => {
          if (!isLast || fate === 'answer lost' || !this.isReachable(to, from)) return
          if (answer === undefined) {
            life.after(this.#delayMs(model), `is refused by ${to}`, () => fail('REQUEST_REFUSED', 'refused'))
            return
          }
          this.#count(request, answer.length)
          this.#time.note(answer)
          life.after(this.#delayMs(model), `hears ${to}`, () => close(() => resolve(answer)))
        })
      }
      if (fate === 'twice') this.#time.after(this.#delayMs(model), `${from} reaches ${to}`, () => deliver(false))
      this.#time.after(this.#delayMs(model), `${from} reaches ${to}`, () => deliver(true))
    })
  }

  /** @returns `undefined` when the handler threw; never settles when its process ended meanwhile */
  async #handle(
    host: Host,
    handler: RequestHandler,
    from: Address,
    request: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    try {
      const answer = (await handler(request.slice(), { address: from, stakeId: host.identify(from) })).slice()
      return host.life.isOver ? never() : answer
    } catch (error) {
      // To the asker all of it is a refusal. What no node throws on purpose is kept for whoever looks.
      if (!(error instanceof SuprnovaError)) this.surprises.push(error)
      return undefined
    }
  }

  #fate(model: NetworkModel): 'arrives' | 'lost' | 'answer lost' | 'reset' | 'twice' {
    const draw = this.#random.between(0, 1)
    let bound = model.lossRate
    if (draw < bound) return 'lost'
    bound += model.answerLossRate
    if (draw < bound) return 'answer lost'
    bound += model.resetRate
    if (draw < bound) return 'reset'
    return draw < bound + model.duplicateRate ? 'twice' : 'arrives'
  }

  #delayMs(model: NetworkModel): number {
    return model.latencyMs + (model.jitterMs > 0 ? this.#random.exponential(model.jitterMs) : 0)
  }

  #count(request: Uint8Array, bytes: number): void {
    const operation = request[0] ?? 0
    const traffic = this.#traffic.get(operation) ?? { requests: 0, bytes: 0 }
    if (bytes === request.length) traffic.requests++
    traffic.bytes += bytes
    this.#traffic.set(operation, traffic)
  }
}

function failure(code: string, message: string): SuprnovaError {
  return new SuprnovaError(code, `simulated network: ${message}`, { values: { reason: message } })
}

function never(): Promise<never> {
  return new Promise(() => {})
}
