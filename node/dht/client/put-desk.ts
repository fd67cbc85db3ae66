import { KIND, type Metrics, type Timers } from '../../core/index.ts'
import { encodeLeafFrames, encodePut, kindRule, type PutBody, type StatementSigner } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import type { SignedPut } from '../interface.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'

export interface PutDeskModules {
  readonly statementSigner: Pick<StatementSigner, 'sign'>
  readonly reader: PutReader
  readonly timers: Timers
  readonly metrics: Metrics
}

interface Asked {
  readonly body: Uint8Array
  readonly resolve: (signed: SignedPut) => void
  readonly reject: (error: unknown) => void
}

/** Signs PUTs. Those asked for in one turn of the event loop share a statement; one alone waits for nobody. */
export class PutDesk {
  readonly #modules: PutDeskModules
  readonly #batchSizes
  #asked: Asked[] = []
  #isScheduled = false

  constructor(modules: PutDeskModules) {
    this.#modules = modules
    const help = 'PUTs under one signature'
    this.#batchSizes = modules.metrics.histogram('suprnova_dht_put_batch_puts', help, [1, 2, 4, 8, 16, 64])
  }

  /**
   * @throws EncodeError `UNENCODABLE_BODY` for a PUT that no node would accept
   * @throws SuprnovaError `GUARD_REFUSED`; `DHT_CANNOT_WRITE` when the own stake may not speak
   */
  async sign(put: PutBody): Promise<SignedPut> {
    const body = encodePut(put)
    return new Promise((resolve, reject) => {
      this.#asked.push({ body, resolve, reject })
      if (this.#isScheduled) return
      this.#isScheduled = true
      this.#modules.timers.after(0, () => {
        this.#isScheduled = false
        this.#signAll()
      })
    })
  }

  #signAll(): void {
    const asked = this.#asked
    this.#asked = []
    const { maxBodies } = kindRule(KIND.put)
    for (let at = 0; at < asked.length; at += maxBodies) void this.#signBatch(asked.slice(at, at + maxBodies))
  }

  async #signBatch(batch: readonly Asked[]): Promise<void> {
    try {
      const bodies = batch.map(({ body }) => body)
      const { signed } = await this.#modules.statementSigner.sign(KIND.put, bodies)
      this.#batchSizes.observe(batch.length)
      const frames = encodeLeafFrames(signed, bodies)
      for (const [index, { reject, resolve }] of batch.entries()) {
        // Read as any replica will: what this node cannot accept, nobody else will.
        const reading = this.#modules.reader.read(frames[index] as Uint8Array)
        if (isRefused(reading)) reject(cannotWrite(reading.refused, reading.detail))
        else resolve(reading)
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

function cannotWrite(reason: string, detail: string): DhtError {
  return new DhtError('DHT_CANNOT_WRITE', `no replica would take what this node signs: ${reason}, ${detail}`, {
    values: { reason, detail },
    hint: 'only an active stake can write records: see `suprnova stake status`',
  })
}
