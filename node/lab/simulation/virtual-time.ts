import { createHash } from 'node:crypto'
import type { Clock, Timers } from '../../core/index.ts'

interface Event {
  readonly atMs: number
  readonly sequence: number
  readonly label: string
  run: (() => void) | undefined
}

/**
 * The time of a simulation: nothing passes but from one event to the next. Events run by (time, order in which they
 * were asked for); between two of them every promise that can settle has settled. So one seed gives one run, and
 * {@link fingerprint} tells whether two runs were the same.
 *
 * Nothing in a simulation may wait for a socket, a file or another thread.
 */
export class VirtualTime implements Clock {
  readonly #events: Event[] = []
  readonly #hash = createHash('sha256')
  #nowMs: number
  #sequence = 0
  #ran = 0

  /** @param startMs unix milliseconds */
  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  /** Events that ran. */
  get ran(): number {
    return this.#ran
  }

  /** Runs `run` in `delayMs`. @returns the function that takes it back */
  after(delayMs: number, label: string, run: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), sequence: this.#sequence++, label, run }
    this.#push(event)
    return () => {
      event.run = undefined
    }
  }

  /** Adds `facts` to the fingerprint: what was sent, what was found. */
  note(...facts: readonly (string | Uint8Array)[]): void {
    for (const fact of facts) this.#hash.update(fact)
  }

  /** Runs all events of the next `durationMs`. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs
    await settle()
    for (let next = this.#events[0]; next !== undefined && next.atMs <= untilMs; next = this.#events[0]) {
      await this.#runNext()
    }
    this.#nowMs = untilMs
  }

  /**
   * Runs events until `isDone`.
   * @throws when `limitMs` pass before
   */
  async advanceUntil(isDone: () => boolean, limitMs: number): Promise<void> {
    const untilMs = this.#nowMs + limitMs
    await settle()
    while (!isDone()) {
      const next = this.#events[0]
      if (next === undefined || next.atMs > untilMs) {
        throw new Error(`simulation: not done after ${limitMs} ms of its time`)
      }
      await this.#runNext()
    }
  }

  /** Runs events until `work` is settled, and gives its result. */
  async complete<T>(work: Promise<T>, limitMs: number): Promise<T> {
    let isSettled = false
    const done = () => {
      isSettled = true
    }
    work.then(done, done)
    await this.advanceUntil(() => isSettled, limitMs)
    return work
  }

  /** A hash of all events that ran and all that was noted: equal for equal runs. */
  fingerprint(): string {
    return this.#hash.copy().digest('hex')
  }

  async #runNext(): Promise<void> {
    const event = this.#pop()
    const { run } = event
    if (run === undefined) return
    this.#nowMs = Math.max(this.#nowMs, event.atMs)
    this.#ran++
    this.#hash.update(`${event.atMs} ${event.sequence} ${event.label}\n`)
    run()
    await settle()
  }

  // A binary heap: a simulation of a thousand nodes has tens of thousands of timers.
  #push(event: Event): void {
    const events = this.#events
    let at = events.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, events[parent] as Event)) break
      events[at] = events[parent] as Event
      at = parent
    }
    events[at] = event
  }

  #pop(): Event {
    const events = this.#events
    const first = events[0] as Event
    const last = events.pop() as Event
    if (events.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= events.length) break
      if (child + 1 < events.length && isBefore(events[child + 1] as Event, events[child] as Event)) child++
      if (!isBefore(events[child] as Event, last)) break
      events[at] = events[child] as Event
      at = child
    }
    events[at] = last
    return first
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)
}

/** Resolves once no promise is left to settle: a turn of the loop begins only after all of them. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** One process: what it has asked for ends with it. */
export class Life {
  readonly name: string
  readonly clock: Clock
  readonly timers: Timers
  readonly #time: VirtualTime
  #isOver = false

  /** @param offsetMs how far its clock is from the true time */
  constructor(name: string, time: VirtualTime, offsetMs: () => number) {
    this.name = name
    this.#time = time
    this.clock = { nowMs: () => Math.floor(time.nowMs() + offsetMs()) }
    this.timers = { after: (delayMs, run) => this.after(delayMs, 'timer', run) }
  }

  get isOver(): boolean {
    return this.#isOver
  }

  after(delayMs: number, label: string, run: () => void): () => void {
    return this.#time.after(delayMs, `${this.name} ${label}`, () => {
      if (!this.#isOver) run()
    })
  }

  /** kill -9: no timer of it runs any more. */
  end(): void {
    this.#isOver = true
  }
}
