/** Rows by hexadecimal key, always in order, so that a range costs its own length. */
export class OrderedRows {
  readonly #values = new Map<string, Uint8Array>()
  readonly #keys: string[] = []

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  /** @param value `undefined` deletes */
  set(key: string, value: Uint8Array | undefined): void {
    const isThere = this.#values.has(key)
    if (value === undefined) {
      if (!isThere) return
      this.#values.delete(key)
      this.#keys.splice(this.#rowOf(key), 1)
      return
    }
    if (!isThere) this.#keys.splice(this.#rowOf(key), 0, key)
    this.#values.set(key, value)
  }

  /** Rows with `start <= key < end` as they are now. */
  range(start: string, end: string): readonly (readonly [string, Uint8Array])[] {
    const keys = this.#keys.slice(this.#rowOf(start), this.#rowOf(end))
    return keys.map((key) => [key, this.#values.get(key) as Uint8Array] as const)
  }

  /** How many keys are below `key`. */
  #rowOf(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
