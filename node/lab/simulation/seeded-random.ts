import type { Random } from '../../core/index.ts'

/**
 * Random numbers that follow from a seed alone (sfc32, Chris Doty-Humphrey's PractRand). Each part of a simulation
 * takes its own fork, so that one more draw in one part changes nothing in the others.
 */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param seed any text or number: equal ones give equal draws */
  constructor(seed: string | number) {
    const text = String(seed)
    this.#a = hashText(text, 0x9e3779b9)
    this.#b = hashText(text, 0x243f6a88)
    this.#c = hashText(text, 0xb7e15162)
    for (let warm = 0; warm < 12; warm++) this.#next()
  }

  /** A generator of its own for one part; drawing from it leaves this one as it is. */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.#a}:${this.#b}:${this.#c}:${label}`)
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor(this.#fraction() * count)
  }

  /** A number from `from` up to, not with, `to`. */
  between(from: number, to: number): number {
    return from + this.#fraction() * (to - from)
  }

  chance(probability: number): boolean {
    return this.#fraction() < probability
  }

  /** One of `items`; `undefined` of none. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)]
  }

  /** `items` in another order. */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const item = shuffled[last] as T
      shuffled[last] = shuffled[other] as T
      shuffled[other] = item
    }
    return shuffled
  }

  /** A waiting time whose mean is `mean`. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.#fraction())
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 4) {
      let word = this.#next()
      for (let i = at; i < Math.min(at + 4, length); i++) {
        bytes[i] = word & 0xff
        word >>>= 8
      }
    }
    return bytes
  }

  #fraction(): number {
    return this.#next() / 2 ** 32
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0
    this.#counter = (this.#counter + 1) >>> 0
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0
    return sum
  }
}

/** FNV-1a over the code units, from a basis of its own for each word of the state. */
function hashText(text: string, basis: number): number {
  let hash = basis
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
