/** What a bucket lets through. */
export interface Rate {
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  /** How many seconds of the rate may come at once. */
  readonly burstSeconds: number
}

/** A token bucket over messages and bytes. Starts full. */
export class TokenBucket {
  readonly #rate: Rate
  #messages: number
  #bytes: number
  #atMs: number

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate
    this.#messages = rate.messagesPerSecond * rate.burstSeconds
    this.#bytes = rate.bytesPerSecond * rate.burstSeconds
    this.#atMs = nowMs
  }

  /**
   * Takes what one or more messages cost; takes nothing when there is not enough of both.
   * A clock that steps back refills nothing.
   */
  take(messages: number, bytes: number, nowMs: number): boolean {
    if (!this.has(messages, bytes, nowMs)) return false
    this.#messages -= messages
    this.#bytes -= bytes
    return true
  }

  /** Takes messages that have come already; what is not there is owed, and paid off before anything else. */
  owe(nowMs: number, messages = 1): void {
    this.#refill(nowMs)
    this.#messages -= messages
  }

  /** Takes bytes that were given already, on the same terms. */
  oweBytes(bytes: number, nowMs: number): void {
    this.#refill(nowMs)
    this.#bytes -= bytes
  }

  has(messages: number, bytes: number, nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#messages >= messages && this.#bytes >= bytes
  }

  #refill(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.#atMs) / 1000
    this.#atMs = nowMs
    const { messagesPerSecond, bytesPerSecond, burstSeconds } = this.#rate
    this.#messages = Math.min(messagesPerSecond * burstSeconds, this.#messages + seconds * messagesPerSecond)
    this.#bytes = Math.min(bytesPerSecond * burstSeconds, this.#bytes + seconds * bytesPerSecond)
  }
}
