import type { Output } from './context.ts'

/** A line anew this often where there is no terminal, and the same line on one. */
const LINE_BYTES = 8 * 1024 * 1024
const REDRAW_BYTES = 1024 * 1024

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

/** Tells a person who waits how far a large value is, on stderr: one line that changes on a terminal, else a line now and then. */
export class Progress {
  readonly #to: Output
  readonly #what: string
  readonly #total: number | undefined
  #bytes = 0
  #toldBytes = 0
  #isDrawn = false

  constructor(to: Output, { total, what }: { readonly what: string; readonly total?: number | undefined }) {
    this.#to = to
    this.#what = what
    this.#total = total
  }

  add(bytes: number): void {
    this.#bytes += bytes
    const isTerminal = this.#to.isTTY === true
    if (this.#bytes - this.#toldBytes < (isTerminal ? REDRAW_BYTES : LINE_BYTES)) return
    this.#toldBytes = this.#bytes
    const of = this.#total === undefined ? '' : ` of ${mebibytes(this.#total)}`
    this.#to.write(`${isTerminal ? '\r' : ''}${mebibytes(this.#bytes)}${of} MiB ${this.#what}${isTerminal ? '' : '\n'}`)
    this.#isDrawn ||= isTerminal
  }

  /** Leaves the line that was drawn. */
  end(): void {
    if (this.#isDrawn) this.#to.write('\n')
    this.#isDrawn = false
  }

  /** Passes a stream on, counting it. */
  async *of(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of stream) {
        this.add(chunk.length)
        yield chunk
      }
    } finally {
      this.end()
    }
  }
}
