import type { Clock, Histogram, MeteredKind, ProtocolParams, Timers } from '../../core/index.ts'
import { epochAt, epochOf, indexOf, kindRule, limitOf, type StatementSigner } from '../../statements/index.ts'

export interface BatchSignerModules {
  readonly statementSigner: Pick<StatementSigner, 'sign'>
  readonly clock: Clock
  readonly timers: Timers
  /** Bodies under each signature. */
  readonly batchSizes: Histogram
}

/** How long a body waits for company at most: about what a store takes by itself. */
const COMPANY_MS = 5

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
 * for nobody. While more than one are {@link BatchSigner.during | under way}, it waits for them a moment: so bodies come to
 * travel together under load, and one signature, one message and one flush serve many of them.
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
  /** Bodies signed whose work is not done. */
  #underWay = 0
  #scheduled: { readonly isSoon: boolean; readonly cancel: () => void } | undefined
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

  /** Signs `body` and counts it as under way until `work` with it has settled. Throws as {@link BatchSigner.sign}, and as `work`. */
  async during<T>(body: Uint8Array, work: (signed: SignedBody) => Promise<T>): Promise<T> {
    const signed = await this.sign(body)
    this.#underWay++
    try {
      return await work(signed)
    } finally {
      this.#underWay--
      this.#schedule()
    }
  }

  /** Milliseconds between two statements that make the second half of an epoch's indices last for the epoch. */
  get paceMs(): number {
    return Math.ceil((2_000 * this.#params.epochSeconds) / limitOf(this.#kind, this.#params))
  }

  #schedule(): void {
    if (this.#asked.length === 0) return
    const isPaced = this.#isPaced
    const isSoon = !isPaced && this.#underWay <= 1
    if (this.#scheduled !== undefined && (this.#scheduled.isSoon || !isSoon)) return
    this.#scheduled?.cancel()
    const cancel = this.#modules.timers.after(isPaced ? this.paceMs : isSoon ? 0 : COMPANY_MS, () => {
      this.#scheduled = undefined
      this.#signAll()
    })
    this.#scheduled = { isSoon, cancel }
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
