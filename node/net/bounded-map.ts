/**
 * A map that holds at most `limit` entries. Setting one more puts the oldest out, by order of insertion;
 * setting a key again makes it the newest.
 */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly limit: number
  readonly #evicted: (key: K) => void

  constructor(limit: number, evicted: (key: K) => void = () => {}) {
    this.limit = limit
    this.#evicted = evicted
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  has(key: K): boolean {
    return this.#entries.has(key)
  }

  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.limit) {
      const oldest = this.#entries.keys().next().value as K
      this.#entries.delete(oldest)
      this.#evicted(oldest)
    }
  }

  delete(key: K): boolean {
    return this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#entries[Symbol.iterator]()
  }
}
