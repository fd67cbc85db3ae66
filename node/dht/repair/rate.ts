import type { Clock } from '../../core/index.ts'

/** A token bucket: `perSecond` on average, `burst` at once. */
export class Rate {
  readonly #perSecond: number
  readonly #burst: number
  readonly #clock: Clock
  #tokens: number
  #atMs: number

  constructor(options: { readonly perSecond: number; readonly burst: number }, clock: Clock) {
    this.#perSecond = options.perSecond
    this.#burst = options.burst
    this.#clock = clock
    this.#tokens = options.burst
    this.#atMs = clock.nowMs()
  }

  /** Takes `amount` when it is there now. */
  take(amount: number): boolean {
    this.#refill()
    if (this.#tokens < amount) return false
    this.#tokens -= amount
    return true
  }

  /** Takes `amount` in any case. @returns milliseconds to wait before it is used */
  spend(amount: number): number {
    this.#refill()
    this.#tokens -= amount
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1_000) / this.#perSecond)
  }

  #refill(): void {
    const nowMs = this.#clock.nowMs()
    const gained = (Math.max(0, nowMs - this.#atMs) * this.#perSecond) / 1_000
    this.#tokens = Math.min(this.#burst, this.#tokens + gained)
    this.#atMs = nowMs
  }
}
