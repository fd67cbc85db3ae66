import type { Logger } from '../core/index.ts'

/** What was opened, so that it can be closed in the opposite order, once, whatever fails on the way. */
export class OpenParts {
  readonly #closers: { readonly name: string; readonly close: () => Promise<void> | void }[] = []
  readonly #logger: Logger
  #closing: Promise<void> | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Remembers an open part, and returns it. */
  add<Part>(name: string, part: Part, close: (part: Part) => Promise<void> | void): Part {
    this.#closers.push({ name, close: () => close(part) })
    return part
  }

  /**
   * Closes all parts, the newest first. A part that fails to close does not keep the others open.
   * @throws the first failure, after all were tried
   */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = []
    for (let part = this.#closers.pop(); part !== undefined; part = this.#closers.pop()) {
      try {
        await part.close()
        this.#logger.debug('closed', { part: part.name })
      } catch (error) {
        this.#logger.error('could not be closed in order', { part: part.name, error })
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
