import {
  type Address,
  type RequestOptions,
  type RequestTransport,
  SuprnovaError,
  type Timers,
} from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import { BUSY_PAUSE_MS, BUSY_TRIES_MAX, PACED_WAITING_MAX, REQUEST_PEERS_MAX } from '../constants.ts'
import type { Rate } from '../gossip/token-bucket.ts'
import { busy } from './errors.ts'

export interface PacedRequestsModules {
  readonly transport: RequestTransport
  readonly clock: { nowMs(): number }
  readonly timers: Timers
}

/**
 * Requests of a reader, no faster than those asked let a reader ask: they wait for their turn here instead of being refused
 * there. What is refused all the same, since the other side counts from another moment, is asked again a little later.
 */
export class PacedRequests implements RequestTransport {
  readonly #rate: Rate
  readonly #modules: PacedRequestsModules
  /** Of each peer, the time at which what was sent to it and came from it is paid for. */
  readonly #paidAtMs: BoundedMap<Address, number>
  readonly #turns: BoundedMap<Address, Promise<void>>
  #waiting = 0

  /** @param rate what one peer takes from this one: messages asked, and bytes asked and answered together */
  constructor(rate: Rate, modules: PacedRequestsModules) {
    this.#rate = rate
    this.#modules = modules
    this.#paidAtMs = new BoundedMap(REQUEST_PEERS_MAX)
    this.#turns = new BoundedMap(REQUEST_PEERS_MAX)
  }

  /** Throws as the transport under it, and `REQUEST_BUSY` when too many wait here. */
  async request(to: Address, request: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    if (this.#waiting >= PACED_WAITING_MAX) throw busy(to, this.#waiting)
    this.#waiting++
    try {
      for (let tries = 1; ; tries++) {
        await this.#turn(to, request.length, options.signal)
        try {
          const answer = await this.#modules.transport.request(to, request, options)
          this.#pay(to, this.#cost(request.length + answer.length) - this.#cost(request.length))
          return answer
        } catch (error) {
          if (!isBusy(error) || tries === BUSY_TRIES_MAX) throw error
          await this.#pause(BUSY_PAUSE_MS * tries, options.signal)
        }
      }
    } finally {
      this.#waiting--
    }
  }

  serve: RequestTransport['serve'] = (handler) => this.#modules.transport.serve(handler)

  isConnected(to: Address): boolean {
    return this.#modules.transport.isConnected(to)
  }

  /** Waits behind those who came before, until what was sent and answered leaves room for `bytes` more. */
  #turn(to: Address, bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const cost = this.#cost(bytes)
    const own = async () => {
      for (;;) {
        signal?.throwIfAborted()
        const owedMs = (this.#paidAtMs.get(to) ?? 0) - this.#modules.clock.nowMs()
        const waitMs = owedMs + cost * 1000 - this.#rate.burstSeconds * 1000
        if (waitMs <= 0) return this.#pay(to, cost)
        await this.#pause(waitMs, signal)
      }
    }
    const turn = (this.#turns.get(to) ?? Promise.resolve()).then(own)
    this.#turns.set(
      to,
      turn.catch(() => undefined),
    )
    return turn
  }

  /** Seconds of its rate that one request takes. */
  #cost(bytes: number): number {
    return Math.max(1 / this.#rate.messagesPerSecond, bytes / this.#rate.bytesPerSecond)
  }

  /** Adds to what a peer is owed in time. */
  #pay(to: Address, seconds: number): void {
    const paidAtMs = Math.max(this.#modules.clock.nowMs(), this.#paidAtMs.get(to) ?? 0) + seconds * 1000
    this.#paidAtMs.set(to, paidAtMs)
  }

  #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const cancel = this.#modules.timers.after(delayMs, end)
      signal?.addEventListener('abort', end, { once: true })
    })
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof SuprnovaError && error.code === 'REQUEST_REFUSED' && error.values.reason === 'busy'
}
