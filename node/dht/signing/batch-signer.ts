import type { Clock, Histogram, MeteredKind, ProtocolParams, Timers } from '../../core/index.ts'
import { epochAt, epochOf, indexOf, kindRule, limitOf, type StatementSigner } from '../../statements/index.ts'

export interface BatchSignerModules {
  readonly statementSigner: Pick<StatementSigner, 'sign'>
  readonly clock: Clock
  readonly timers: Timers
  /** Bodies under each signature. */
  readonly batchSizes: Histogram
}

/** One body, signed. */
export interface SignedBody {
  /** Wire frame, form 0. */
  readonly frame: Uint8Array
  /** Of the statement. */
  readonly epoch: number
}

interface Asked {
  readonly body: Uint8Array
  readonly resolve: (signed: SignedBody) => void
  readonly reject: (error: unknown) => void
}

/**
 * Signs bodies of one kind. Those that are asked for in one turn of the event loop share a statement; one alone waits
 * for nobody.
 *
 * Once half the indices of an epoch are used, the rest is spread over an epoch: bodies then wait a millisecond or two for
 * company, and the other half lasts. So whoever asks for a million receipts one by one cannot leave this node without a
 * voice until the next epoch.
 */
export class BatchSigner {
  readonly #kind: MeteredKind
  readonly #params: ProtocolParams
  readonly #modules: BatchSignerModules
  #asked: Asked[] = []
  #isScheduled = false
  #newest = { epoch: -1, index: 0 }

  constructor(kind: MeteredKind, params: ProtocolParams, modules: BatchSignerModules) {
    this.#kind = kind
    this.#params = params
    this.#modules = modules
  }

  /**
   * @param body packed, and as every node accepts it: one that is not spoils its batch
   * @throws SuprnovaError `GUARD_REFUSED`, with `values.reason` `limit` when the indices of this epoch are used up
   */
  sign(body: Uint8Array): Promise<SignedBody> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ body, resolve, reject })
      this.#schedule()
    })
  }

  /** Milliseconds between two statements that make the second half of an epoch's indices last for the epoch. */
  get paceMs(): number {
    return Math.ceil((2_000 * this.#params.epochSeconds) / limitOf(this.#kind, this.#params))
  }

  #schedule(): void {
    if (this.#isScheduled || this.#asked.length === 0) return
    this.#isScheduled = true
    this.#modules.timers.after(this.#isPaced ? this.paceMs : 0, () => {
      this.#isScheduled = false
      this.#signAll()
    })
  }

  get #isPaced(): boolean {
    const now = epochAt(this.#modules.clock.nowMs() / 1000, this.#params.epochSeconds)
    return this.#newest.epoch === now && this.#newest.index >= limitOf(this.#kind, this.#params) / 2
  }

  #signAll(): void {
    const { maxBodies } = kindRule(this.#kind)
    do void this.#signBatch(this.#asked.splice(0, maxBodies))
    while (this.#asked.length > 0 && !this.#isPaced)
    this.#schedule()
  }

  async #signBatch(batch: readonly Asked[]): Promise<void> {
    try {
      const bodies = batch.map(({ body }) => body)
      const signed = await this.#modules.statementSigner.sign(this.#kind, bodies)
      const { position } = signed.statement
      const epoch = epochOf(position)
      this.#newest = { epoch, index: indexOf(position) }
      this.#modules.batchSizes.observe(batch.length)
      const frames = signed.leafFrames()
      for (const [index, { resolve }] of batch.entries()) resolve({ frame: frames[index] as Uint8Array, epoch })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
