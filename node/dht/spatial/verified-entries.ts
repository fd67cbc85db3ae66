import type { DhtRecord } from '../interface.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { VERIFIED_BYTES_MAX, VERIFIED_MAX } from './constants.ts'
import { unpackPut } from './messages.ts'

/** Verifies the entries of cells. One that came before in this epoch was verified then, and is the same object. */
export class VerifiedEntries {
  readonly #reader: PutReader
  /** By all their bytes, those used last at the end. `undefined`: void, and will be so. */
  readonly #known = new Map<string, DhtRecord | undefined>()
  #bytes = 0
  #epoch = 0

  constructor(reader: PutReader) {
    this.#reader = reader
  }

  /** What is remembered, void entries too: anybody may show those, as long as a message is. */
  stats(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#known.size, bytes: this.#bytes }
  }

  /** @returns `undefined` for what is none that lives */
  read(bytes: Uint8Array): DhtRecord | undefined {
    const epoch = this.#reader.epoch()
    if (this.#epoch !== epoch) {
      // Lives and leases end, and stakes fall silent, with epochs: all is looked at again.
      this.#known.clear()
      this.#bytes = 0
      this.#epoch = epoch
    }
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = this.#known.get(name)
    if (known !== undefined || this.#known.has(name)) {
      this.#known.delete(name)
      this.#known.set(name, known)
      return known
    }
    const { frame, value } = unpackPut(bytes)
    const signed = this.#reader.read(frame)
    const record = isRefused(signed) ? signed : this.#reader.withValue(signed, value.slice())
    // Other refusals end: a stake becomes known, a budget fills again.
    if (isRefused(record) && record.refused !== 'invalid') return undefined
    const verified = isRefused(record) ? undefined : record
    this.#remember(name, verified)
    return verified
  }

  #remember(name: string, verified: DhtRecord | undefined): void {
    this.#known.set(name, verified)
    this.#bytes += name.length
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= VERIFIED_MAX && this.#bytes <= VERIFIED_BYTES_MAX) break
      this.#known.delete(oldest)
      this.#bytes -= oldest.length
    }
  }
}
