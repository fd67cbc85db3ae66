import { SuprnovaError } from '../../../core/index.ts'
import type { WayFacts } from './record-network.ts'

/** The records of one way: how many were stored, and how many of them were read. */
export class Stock {
  #stored = 0
  #read = 0
  readonly #way: Pick<WayFacts, 'name' | 'remembers'>

  constructor(way: Pick<WayFacts, 'name' | 'remembers'>) {
    this.#way = way
  }

  get stored(): number {
    return this.#stored
  }

  /** So many more were stored, or tried. */
  store(count: number): void {
    this.#stored += count
  }

  /** So many more were read, or tried. */
  read(count: number): void {
    this.#read += count
  }

  /**
   * Which record a load of `count` reads takes as its number `at`: those never read, in the order they were stored. A way
   * that remembers nothing begins anew when they run out.
   *
   * @throws SuprnovaError LAB_BENCH_SHORT when nothing was stored, or too few are left for a way that remembers
   */
  toRead(count: number): (at: number) => number {
    const from = this.#read
    if (this.#way.remembers) mustSuffice(this.#way.name, this.#stored, from + count)
    else mustSuffice(this.#way.name, this.#stored, 1)
    return (at) => (from + at) % this.#stored
  }
}

/** @throws SuprnovaError LAB_BENCH_SHORT when fewer than `needed` records were stored */
export function mustSuffice(way: string, stored: number, needed: number): void {
  if (stored >= needed) return
  throw new SuprnovaError('LAB_BENCH_SHORT', `${way} stored ${stored} records, and ${needed} are read`, {
    hint: 'the machine is slow or busy: run the benchmark again when nothing else runs',
    values: { way, stored, needed },
  })
}
