import {
  type Clock,
  KIND,
  type Metrics,
  type ProtocolParams,
  SuprnovaError,
  type Timers,
  toHex,
} from '../../core/index.ts'
import { encodeReceipt, epochAt, type StatementSigner } from '../../statements/index.ts'
import type { SignedPut } from '../interface.ts'
import { BatchSigner, type SignedBody } from '../signing/batch-signer.ts'
import { RECEIPTS_REMEMBERED_MAX } from './constants.ts'

export interface ReceiptDeskModules {
  readonly statementSigner: Pick<StatementSigner, 'sign'>
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: Metrics
}

interface Given {
  readonly untilEpoch: number
  readonly signing: Promise<SignedBody>
}

/** What a receipt is for: the parts of a PUT that stand in it. */
type Promised = Pick<SignedPut, 'putDigest' | 'recordKey' | 'version' | 'put' | 'writerStakeId'>

/**
 * Signs receipts, many under one signature when many are asked for. It promises nothing by itself: whoever asks has put
 * the record and the promise on disk.
 *
 * A promise that was given in this epoch is not signed again: whoever repeats one PUT a million times uses up neither
 * the index of this epoch nor the processor.
 */
export class ReceiptDesk {
  readonly #params: ProtocolParams
  readonly #clock: Clock
  readonly #signer: BatchSigner
  readonly #repeats
  readonly #given = new Map<string, Given>()

  constructor(params: ProtocolParams, modules: ReceiptDeskModules) {
    const { clock, metrics } = modules
    this.#params = params
    this.#clock = clock
    const help = 'Receipts under one signature'
    const batchSizes = metrics.histogram('suprnova_dht_receipt_batch_receipts', help, [1, 2, 4, 16, 64, 256])
    this.#signer = new BatchSigner(KIND.receipt, params, { ...modules, batchSizes })
    this.#repeats = metrics.counter('suprnova_dht_receipts_repeated_total', 'Receipts given a second time')
  }

  /** Receipts remembered; bounded. */
  get remembered(): number {
    return this.#given.size
  }

  /**
   * @returns a wire frame, form 0, with the one receipt
   * @throws SuprnovaError `GUARD_REFUSED`
   */
  async sign(promised: Promised, untilEpoch: number): Promise<Uint8Array> {
    const name = nameOf(promised)
    const given = this.#given.get(name)
    if (given !== undefined && given.untilEpoch >= untilEpoch) {
      const { epoch, frame } = await given.signing
      if (epoch === epochAt(this.#clock.nowMs() / 1000, this.#params.epochSeconds)) {
        this.#repeats.inc()
        return frame
      }
    }
    const { put, putDigest, recordKey, version, writerStakeId } = promised
    const signing = this.#signer.sign(
      encodeReceipt({
        ...{ putDigest, recordKey, valueRoot: put.valueRoot, size: put.size, leaf: version.leaf },
        untilEpoch: BigInt(untilEpoch),
        publisherStakeId: BigInt(writerStakeId),
      }),
    )
    this.#remember(name, { untilEpoch, signing })
    return (await signing).frame
  }

  #remember(name: string, given: Given): void {
    this.#given.delete(name)
    this.#given.set(name, given)
    // A refusal of the guard is for this once.
    given.signing.catch(() => {
      if (this.#given.get(name) === given) this.#given.delete(name)
    })
    if (this.#given.size <= RECEIPTS_REMEMBERED_MAX) return
    this.#given.delete(this.#given.keys().next().value as string)
  }
}

/** Two stakes may sign the same statement, so the digest is not enough: not even with the record, of content or a cell. */
function nameOf({ putDigest, recordKey, version, writerStakeId }: Promised): string {
  return `${toHex(putDigest)} ${version.leaf} ${toHex(recordKey)} ${writerStakeId}`
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
