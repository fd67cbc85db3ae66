/** A key-value table. Reads are synchronous memory-mapped reads; a write resolves once it is durable. */
export interface Table {
  get(key: Uint8Array): Uint8Array | undefined
  /** Applies all of `writes` or none, and resolves after they are flushed to disk. `undefined` deletes. */
  write(writes: readonly (readonly [key: Uint8Array, value: Uint8Array | undefined])[]): Promise<void>
  /** Entries with `start <= key < end` in key order. */
  range(start: Uint8Array, end: Uint8Array): Iterable<readonly [Uint8Array, Uint8Array]>
}
