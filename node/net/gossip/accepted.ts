/**
 * Which messages were accepted of late, in two generations of a bounded size: the older one is forgotten whole when
 * the newer is full. What is forgotten too early is found a duplicate later, by gossipsub or by the slot index.
 */
export class AcceptedMessages {
  readonly #limit: number
  #newer = new Set<string>()
  #older = new Set<string>()

  /** @param limit messages of one generation */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#newer.size + this.#older.size
  }

  has(key: string): boolean {
    return this.#newer.has(key) || this.#older.has(key)
  }

  add(key: string): void {
    if (this.#newer.size >= this.#limit) {
      this.#older = this.#newer
      this.#newer = new Set()
    }
    this.#newer.add(key)
  }

  clear(): void {
    this.#newer.clear()
    this.#older.clear()
  }
}
