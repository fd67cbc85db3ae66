import { KIND, type Metrics, type ProtocolParams, SuprnovaError, type Timers } from '../../core/index.ts'
import {
  encodeLeafFrames,
  encodeReceipt,
  epochAt,
  kindRule,
  type ReceiptBody,
  type StatementSigner,
} from '../../statements/index.ts'
import type { RecordMeta } from '../records/rows.ts'

export interface ReceiptDeskModules {
  readonly statementSigner: Pick<StatementSigner, 'sign'>
  readonly timers: Timers
  readonly metrics: Metrics
}

interface Asked {
  readonly body: Uint8Array
  readonly resolve: (frame: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

/**
 * Signs receipts. Those that are asked for in one turn of the event loop share a statement; one alone waits for nobody.
 * It promises nothing by itself: whoever asks has put the record and the promise on disk.
 */
export class ReceiptDesk {
  readonly #modules: ReceiptDeskModules
  readonly #batchSizes
  #asked: Asked[] = []
  #isScheduled = false

  constructor(modules: ReceiptDeskModules) {
    this.#modules = modules
    const help = 'Receipts under one signature'
    this.#batchSizes = modules.metrics.histogram('suprnova_dht_receipt_batch_receipts', help, [1, 2, 4, 16, 64, 256])
  }

  /**
   * @returns a wire frame, form 0, with the one receipt
   * @throws SuprnovaError `GUARD_REFUSED`
   */
  sign(meta: RecordMeta, valueRoot: Uint8Array, untilEpoch: number): Promise<Uint8Array> {
    const { putDigest, recordKey, size, version } = meta
    const receipt: ReceiptBody = {
      ...{ putDigest, recordKey, valueRoot, size },
      leaf: version.leaf,
      untilEpoch: BigInt(untilEpoch),
    }
    return new Promise((resolve, reject) => {
      this.#asked.push({ body: encodeReceipt(receipt), resolve, reject })
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
    const { maxBodies } = kindRule(KIND.receipt)
    for (let at = 0; at < asked.length; at += maxBodies) void this.#signBatch(asked.slice(at, at + maxBodies))
  }

  async #signBatch(batch: readonly Asked[]): Promise<void> {
    try {
      const bodies = batch.map(({ body }) => body)
      const { signed } = await this.#modules.statementSigner.sign(KIND.receipt, bodies)
      this.#batchSizes.observe(batch.length)
      const frames = encodeLeafFrames(signed, bodies)
      for (const [index, { resolve }] of batch.entries()) resolve(frames[index] as Uint8Array)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

/**
 * The last epoch a receipt given now may promise: to the end of the record's life, and no longer than a receipt lives.
 * The epoch is the earliest the receipt may be signed in, so that the court never finds it too long.
 */
export function promiseFor(expiryEpoch: number, nowMs: number, params: ProtocolParams): number {
  const lifeEpochs = Math.floor(params.receiptLifeSeconds / params.epochSeconds)
  return Math.min(expiryEpoch, epochAt(nowMs / 1000, params.epochSeconds) + lifeEpochs)
}

/** Whether a failure to sign is the guard's word, and so no fault of the record. */
export function isGuardRefusal(error: unknown): boolean {
  return error instanceof SuprnovaError && error.code === 'GUARD_REFUSED'
}
