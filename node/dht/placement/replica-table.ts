import { toHex } from '../../core/index.ts'
import type { ReplicaTable } from '../interface.ts'

const PLACEMENT_BYTES = 32

/** A stake and where it was placed. */
export interface Placed {
  readonly stakeId: number
  /** 32 bytes. */
  readonly placement: Uint8Array
}

/**
 * Placements in order, so that those that share a prefix with a key lie side by side: the closest few of any number
 * are found by walking down the bits of the key, not by a scan.
 */
export class SortedReplicaTable implements ReplicaTable {
  readonly epoch: number
  readonly #placements: Uint8Array
  readonly #stakeIds: Float64Array
  readonly #rowOf = new Map<number, number>()

  constructor(epoch: number, stakes: Iterable<Placed>) {
    this.epoch = epoch
    const sorted = [...stakes].sort((a, b) => Buffer.compare(a.placement, b.placement) || a.stakeId - b.stakeId)
    this.#placements = new Uint8Array(sorted.length * PLACEMENT_BYTES)
    this.#stakeIds = new Float64Array(sorted.length)
    for (const [row, { stakeId, placement }] of sorted.entries()) {
      this.#placements.set(placement, row * PLACEMENT_BYTES)
      this.#stakeIds[row] = stakeId
      this.#rowOf.set(stakeId, row)
    }
  }

  get size(): number {
    return this.#stakeIds.length
  }

  has(stakeId: number): boolean {
    return this.#rowOf.has(stakeId)
  }

  placement(stakeId: number): Uint8Array | undefined {
    const row = this.#rowOf.get(stakeId)
    return row === undefined ? undefined : this.#placements.slice(row * PLACEMENT_BYTES, (row + 1) * PLACEMENT_BYTES)
  }

  stakes(): Iterable<number> {
    return this.#rowOf.keys()
  }

  closest(key: Uint8Array, count: number): readonly number[] {
    if (key.length !== PLACEMENT_BYTES) throw new RangeError(`a key has 32 bytes, got ${key.length}: ${toHex(key)}`)
    const found: number[] = []
    this.#walk(key, { from: 0, to: this.size, bit: 0 }, count, found)
    return found
  }

  /** Whether two tables place the same stakes alike. */
  equals(other: SortedReplicaTable): boolean {
    return (
      Buffer.compare(this.#placements, other.#placements) === 0 &&
      this.#stakeIds.every((stakeId, row) => other.#stakeIds[row] === stakeId)
    )
  }

  /** Rows [from, to) agree in all bits before `bit`: the half that shares the key's next bit is closer than the other. */
  #walk(key: Uint8Array, range: { from: number; to: number; bit: number }, count: number, found: number[]): void {
    const { from, to, bit } = range
    if (from === to || found.length >= count) return
    if (to - from === 1 || bit === PLACEMENT_BYTES * 8) {
      for (let row = from; row < to && found.length < count; row++) found.push(this.#stakeIds[row] as number)
      return
    }
    const middle = this.#firstWithBit(from, to, bit)
    const lower = { from, to: middle, bit: bit + 1 }
    const upper = { from: middle, to, bit: bit + 1 }
    const isSet = bitOf(key, 0, bit)
    this.#walk(key, isSet ? upper : lower, count, found)
    this.#walk(key, isSet ? lower : upper, count, found)
  }

  /** The first row of [from, to) whose `bit` is set. */
  #firstWithBit(from: number, to: number, bit: number): number {
    let low = from
    let high = to
    while (low < high) {
      const middle = (low + high) >>> 1
      if (bitOf(this.#placements, middle * PLACEMENT_BYTES, bit)) high = middle
      else low = middle + 1
    }
    return low
  }
}

function bitOf(bytes: Uint8Array, offset: number, bit: number): boolean {
  return (((bytes[offset + (bit >> 3)] as number) >> (7 - (bit & 7))) & 1) === 1
}
