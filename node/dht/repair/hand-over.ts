import { type Clock, equalBytes, type Logger, SuprnovaError, type Timers } from '../../core/index.ts'
import type { RefusalReason } from '../errors.ts'
import type { SignedPut } from '../interface.ts'
import { type CarriedPut, decodeStoreAnswer, encodeStore } from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import type { RecordBook } from '../records/record-book.ts'
import type { RecordMeta } from '../records/rows.ts'
import { compareVersions } from '../records/version.ts'
import type { Replica } from '../replica/replica.ts'
import { PUSH_BURST_BYTES, PUSH_BYTES_PER_SECOND } from './constants.ts'
import type { RepairMetrics } from './metrics.ts'
import { Rate } from './rate.ts'

/** Where receipts for records handed over go, once they are verified. */
export interface ReceiptTaker {
  /** @returns whether the frame is a receipt of that stake for that record; it is then kept */
  take(receipt: Uint8Array, stakeId: number, of: SignedPut): boolean
}

export interface HandOverModules {
  readonly records: Pick<RecordBook, 'current'>
  readonly replica: Pick<Replica, 'hold'>
  readonly peers: Pick<ReplicaPeers, 'ask'>
  readonly reader: PutReader
  readonly receipts: ReceiptTaker
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: RepairMetrics
  readonly logger: Logger
}

/**
 * - `held`: the other side holds this version or a newer one, by its receipt or by showing it.
 * - `refused`: not this record. `quota`: nothing more of this writer. `closed`: nothing at all now. `silent`: no answer.
 */
export type HandedOver = 'held' | 'refused' | 'quota' | 'closed' | 'silent'

/** Refusals that are about the one who refuses, and not about the record. */
const CLOSED: readonly RefusalReason[] = ['busy', 'draining', 'full']

/** Hands single records to other replicas, at a bounded rate. */
export class HandOver {
  readonly #modules: HandOverModules
  readonly #rate: Rate

  constructor(modules: HandOverModules) {
    this.#modules = modules
    const rate = { perSecond: PUSH_BYTES_PER_SECOND, burst: PUSH_BURST_BYTES }
    this.#rate = new Rate(rate, modules.clock)
  }

  /** Hands what is current of an entry. @param standIn the other side is no replica of it */
  async give(stakeId: number, meta: RecordMeta, { standIn }: { readonly standIn: boolean }): Promise<HandedOver> {
    const { metrics, reader, records } = this.#modules
    const stored = records.current(meta)
    if (stored === undefined) return 'refused'
    const signed = reader.read(stored.frame)
    if (isRefused(signed)) return 'refused'
    const request = encodeStore({ standIn, frame: stored.frame, value: stored.value() })
    const waitMs = this.#rate.spend(request.length)
    if (waitMs > 0) await new Promise<void>((resolve) => this.#modules.timers.after(waitMs, resolve))
    metrics.handedBytes.inc({}, request.length)
    const outcome = await this.#send(stakeId, request, signed)
    metrics.handedRecords.inc({ outcome })
    return outcome
  }

  async #send(stakeId: number, request: Uint8Array, signed: SignedPut): Promise<HandedOver> {
    const { logger, peers, receipts } = this.#modules
    try {
      const answer = decodeStoreAnswer(await peers.ask(stakeId, request))
      if (answer.status === 'refused') {
        if (answer.reason === 'quota') return 'quota'
        return CLOSED.includes(answer.reason) ? 'closed' : 'refused'
      }
      if (answer.status === 'superseded') return await this.#learn(answer.current, signed)
      return receipts.take(answer.receipt, stakeId, signed) ? 'held' : 'refused'
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      logger.debug('a record could not be handed over', { stakeId, code: error.code })
      return error.code === 'REQUEST_REFUSED' || error.code === 'DHT_BAD_MESSAGE' ? 'refused' : 'silent'
    }
  }

  /** The other side has a newer version: it is held here too, if it is what it is said to be. */
  async #learn({ frame, value }: CarriedPut, given: SignedPut): Promise<HandedOver> {
    const { reader, replica } = this.#modules
    const signed = reader.read(frame)
    if (isRefused(signed) || value === undefined) return 'refused'
    // Any other record would say nothing about whether this one is held.
    const isSame = equalBytes(signed.recordKey, given.recordKey) && equalBytes(signed.entry, given.entry)
    if (!isSame || compareVersions(signed.version, given.version) <= 0) return 'refused'
    const record = reader.withValue(signed, value)
    if (isRefused(record)) return 'refused'
    await replica.hold(record, { standIn: true })
    return 'held'
  }
}
