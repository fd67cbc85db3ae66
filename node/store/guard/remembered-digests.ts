import { equalBytes, type MeteredKind } from '../../core/index.ts'

const DIGEST_BYTES = 32

/** Digests by metered position, the newest `capacity` of them. */
export class RememberedDigests {
  readonly #capacity: number
  #digests = new Uint8Array(0)
  readonly #keys: (bigint | undefined)[] = []
  readonly #places = new Map<bigint, number>()
  #next = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#places.size
  }

  add(kind: MeteredKind, position: bigint, digest: Uint8Array): void {
    const key = keyOf(kind, position)
    if (this.#places.has(key)) return
    const place = this.#next
    this.#next = (place + 1) % this.#capacity
    const dropped = this.#keys[place]
    if (dropped !== undefined) this.#places.delete(dropped)
    this.#keys[place] = key
    this.#places.set(key, place)
    if ((place + 1) * DIGEST_BYTES > this.#digests.length) this.#grow()
    this.#digests.set(digest, place * DIGEST_BYTES)
  }

  #grow(): void {
    const places = Math.min(Math.max(1_024, (2 * this.#digests.length) / DIGEST_BYTES), this.#capacity)
    const grown = new Uint8Array(places * DIGEST_BYTES)
    grown.set(this.#digests)
    this.#digests = grown
  }

  /** Whether another digest than this one is remembered there. */
  contradicts(kind: MeteredKind, position: bigint, digest: Uint8Array): boolean {
    const place = this.#places.get(keyOf(kind, position))
    if (place === undefined) return false
    return !equalBytes(this.#digests.subarray(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES), digest)
  }
}

function keyOf(kind: MeteredKind, position: bigint): bigint {
  return (BigInt(kind) << 64n) | position
}
