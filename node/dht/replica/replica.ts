import {
  type ChunkHolder,
  type ChunkQuestion,
  type Clock,
  type Logger,
  type Metrics,
  type ProtocolParams,
  type Requester,
  SuprnovaError,
  type Timers,
} from '../../core/index.ts'
import { KEY_TYPE } from '../../statements/index.ts'
import { ANSWER_MAX_BYTES, REPLICAS_DEFAULT, REPLICAS_MAX } from '../constants.ts'
import { DhtError, type RefusalReason } from '../errors.ts'
import type { DhtRecord, ReplicaTables } from '../interface.ts'
import {
  decodeFetch,
  decodeStore,
  encodeFound,
  encodeRefused,
  encodeStored,
  encodeSuperseded,
  OP,
} from '../protocol/messages.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import type { RecordBook, StoredRecord } from '../records/record-book.ts'
import {
  CELL_ENTRIES_PER_STAKE,
  FULL_RETRY_MS,
  QUOTA_BYTES,
  QUOTA_RECORDS,
  STORE_BYTES_UNDER_WAY_MAX,
  STORES_UNDER_WAY_MAX,
  SWEEP_INTERVAL_MS,
} from './constants.ts'
import { isGuardRefusal, promiseFor, type ReceiptDesk } from './receipt-desk.ts'
import { showChunk } from './show-chunk.ts'

export interface ReplicaOptions {
  readonly params: ProtocolParams
  /** What one writer may hold here. */
  readonly quota?: { readonly bytes: number; readonly records: number }
  /** Bytes of records this node holds at most. */
  readonly maxBytes?: number
}

export interface ReplicaModules {
  readonly book: RecordBook
  readonly reader: PutReader
  readonly receipts: ReceiptDesk
  readonly tables: ReplicaTables
  readonly clock: Clock
  readonly timers: Timers
  /** Unix seconds of the newest final block; `undefined` while the chain is silent. */
  readonly finalSeconds: () => number | undefined
  /** The own stake; `undefined` for a node without one, which holds nothing. */
  readonly ownStakeId: () => number | undefined
  readonly metrics: Metrics
  readonly logger: Logger
}

const refuse = (reason: RefusalReason, detail = '') => ({ refused: reason, detail }) as const

/** What became of a record that was to be held. */
export type Holding =
  | { readonly receipt: Uint8Array }
  | { readonly superseded: StoredRecord }
  | { readonly refused: RefusalReason; readonly detail: string }

/** Holds records for others, promises them by receipt, and shows them. */
export class Replica implements ChunkHolder {
  readonly book: RecordBook
  readonly #options: ReplicaOptions
  readonly #modules: ReplicaModules
  readonly #answers
  #storesUnderWay = 0
  #bytesUnderWay = 0
  #fullUntilMs = 0
  #cancelSweep: (() => void) | undefined
  #running = false
  #sweeping: Promise<unknown> = Promise.resolve()

  constructor(options: ReplicaOptions, modules: ReplicaModules) {
    this.#options = options
    this.#modules = modules
    this.book = modules.book
    this.#answers = modules.metrics.counter('suprnova_dht_replica_answers_total', 'Requests answered, by what and how')
  }

  start(): void {
    this.#running = true
    this.#scheduleSweep()
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#cancelSweep?.()
    await this.#sweeping
  }

  /** Whether the disk refused a write a moment ago. */
  get isFull(): boolean {
    return this.#modules.clock.nowMs() < this.#fullUntilMs
  }

  /** Answers STORE and FETCH. Never throws for what stands in a request. */
  async handle(request: Uint8Array, from: Requester): Promise<Uint8Array> {
    try {
      if (request[0] === OP.store) return await this.#store(request)
      if (request[0] === OP.fetch) return this.#fetch(request, from)
      return this.#refuse('undecodable', `operation ${request[0]}`)
    } catch (error) {
      if (error instanceof DhtError && error.code === 'DHT_BAD_MESSAGE') {
        return this.#refuse('undecodable', error.message)
      }
      throw error
    }
  }

  /**
   * Holds a verified record and promises it. Its place is checked: among the replicas of its key now, or, when
   * `standIn`, among the next closest.
   */
  async hold(record: DhtRecord, { standIn }: { readonly standIn: boolean }): Promise<Holding> {
    const problem = this.#problem(record, standIn)
    if (problem !== undefined) return problem
    const size = record.value.length
    this.#storesUnderWay++
    this.#bytesUnderWay += size
    try {
      const nowMs = this.#modules.clock.nowMs()
      const untilEpoch = promiseFor(Number(record.put.expiryEpoch), nowMs, this.#options.params)
      const saved = await this.book.save(record, { untilEpoch, standIn: standIn && !this.#isReplica(record.recordKey) })
      if (saved.outcome === 'superseded') return { superseded: saved.current }
      if (saved.outcome === 'conflict') return refuse('conflict', 'another content of its slot is held')
      const meta = { ...record, size, expiryEpoch: Number(record.put.expiryEpoch), keepUntilEpoch: untilEpoch, standIn }
      return { receipt: await this.#modules.receipts.sign(meta, record.put.valueRoot, untilEpoch) }
    } catch (error) {
      if (isGuardRefusal(error)) return refuse('draining', (error as SuprnovaError).message)
      if (!isStoreFailure(error)) throw error
      this.#fullUntilMs = this.#modules.clock.nowMs() + FULL_RETRY_MS
      this.#modules.logger.error('records cannot be written', { error })
      return refuse('full')
    } finally {
      this.#storesUnderWay--
      this.#bytesUnderWay -= size
    }
  }

  async find(question: ChunkQuestion) {
    const stored = this.book.receipted(question.recordKey, question.putDigest, question.putLeaf)
    if (stored === undefined) return undefined
    return showChunk(stored.value(), question)
  }

  async laterPut(question: ChunkQuestion): Promise<Uint8Array | undefined> {
    const stored = this.book.receipted(question.recordKey, question.putDigest, question.putLeaf)
    const current = stored && this.book.current(stored)
    if (stored === undefined || current === undefined) return undefined
    const isSame = current.version.position === stored.version.position && current.version.leaf === stored.version.leaf
    return isSame ? undefined : current.frame
  }

  /** Drops what nothing keeps any more. Without the chain's time nothing is dropped. */
  async sweep(): Promise<number> {
    const finalSeconds = this.#modules.finalSeconds()
    return finalSeconds === undefined ? 0 : this.book.sweep(finalSeconds)
  }

  async #store(request: Uint8Array): Promise<Uint8Array> {
    const { frame, standIn, value } = decodeStore(request)
    if (this.#storesUnderWay >= STORES_UNDER_WAY_MAX || this.#bytesUnderWay >= STORE_BYTES_UNDER_WAY_MAX) {
      return this.#refuse('busy')
    }
    const signed = this.#modules.reader.read(frame)
    if (isRefused(signed)) return this.#refuse(signed.refused, signed.detail)
    const record = this.#modules.reader.withValue(signed, value)
    if (isRefused(record)) return this.#refuse(record.refused, record.detail)
    const holding = await this.hold(record, { standIn })
    if ('receipt' in holding) {
      this.#answers.inc({ op: 'store', answer: 'stored' })
      return encodeStored(holding.receipt)
    }
    if ('refused' in holding) return this.#refuse(holding.refused, holding.detail)
    this.#answers.inc({ op: 'store', answer: 'superseded' })
    return encodeSuperseded({ frame: holding.superseded.frame, value: holding.superseded.value() })
  }

  #fetch(request: Uint8Array, from: Requester): Uint8Array {
    const { recordKey, entry, after, values } = decodeFetch(request)
    const now = this.#modules.reader.epoch()
    const puts = []
    let bytes = 4
    let more = false
    for (const stored of entry === undefined ? this.book.entries(recordKey, after) : this.#one(recordKey, entry)) {
      if (stored.expiryEpoch < now) continue
      const size = 7 + stored.frame.length + (values ? stored.size : 0)
      if (puts.length > 0 && bytes + size > ANSWER_MAX_BYTES) {
        more = true
        break
      }
      bytes += size
      puts.push({ frame: stored.frame, value: values ? stored.value() : undefined })
    }
    this.#answers.inc({ op: 'fetch', answer: from.stakeId === undefined ? 'reader' : 'stake' })
    return encodeFound(puts, more)
  }

  #one(recordKey: Uint8Array, entry: Uint8Array): readonly StoredRecord[] {
    const stored = this.book.current({ recordKey, entry })
    return stored === undefined ? [] : [stored]
  }

  #problem(
    record: DhtRecord,
    standIn: boolean,
  ): { readonly refused: RefusalReason; readonly detail: string } | undefined {
    const { maxBytes, quota = { bytes: QUOTA_BYTES, records: QUOTA_RECORDS } } = this.#options
    if (this.#modules.clock.nowMs() < this.#fullUntilMs) return refuse('full')
    if (!this.#isReplica(record.recordKey) && !(standIn && this.#mayStandIn(record.recordKey))) {
      return refuse('not-mine', 'other stakes are closer to this key')
    }
    const current = this.book.current(record)
    if (current !== undefined && current.version.position === record.version.position) return undefined
    const usage = this.book.usage(record.writerStakeId)
    if (usage.records >= quota.records) return refuse('quota', `${usage.records} records`)
    if (usage.bytes + record.value.length > quota.bytes) return refuse('quota', `${usage.bytes} bytes`)
    if (maxBytes !== undefined && this.book.stats().bytes + record.value.length > maxBytes) return refuse('full')
    if (record.put.keyType === KEY_TYPE.cell && current === undefined && this.#crowds(record)) {
      return refuse('quota', `${CELL_ENTRIES_PER_STAKE} entries in one cell`)
    }
    return undefined
  }

  #crowds({ recordKey, writerStakeId }: DhtRecord): boolean {
    const now = this.#modules.reader.epoch()
    let own = 0
    for (const entry of this.book.entries(recordKey)) {
      // What is over is kept for its receipts, and crowds nobody.
      if (entry.expiryEpoch < now) continue
      if (entry.writerStakeId === writerStakeId && ++own >= CELL_ENTRIES_PER_STAKE) return true
    }
    return false
  }

  /** Among the replicas of a key for the most replicas that anybody asks for: writers choose R. */
  #isReplica(recordKey: Uint8Array, replicas = REPLICAS_MAX): boolean {
    const own = this.#modules.ownStakeId()
    if (own === undefined) return false
    return this.#modules.tables.setsOf(recordKey, this.#modules.reader.epoch(), replicas).members.includes(own)
  }

  #mayStandIn(recordKey: Uint8Array): boolean {
    const own = this.#modules.ownStakeId()
    const { standIns } = this.#modules.tables.setsOf(recordKey, this.#modules.reader.epoch(), REPLICAS_DEFAULT)
    return own !== undefined && standIns.includes(own)
  }

  #refuse(reason: RefusalReason, detail = ''): Uint8Array {
    this.#answers.inc({ op: 'store', answer: reason })
    return encodeRefused(reason, detail)
  }

  #scheduleSweep(): void {
    this.#cancelSweep = this.#modules.timers.after(SWEEP_INTERVAL_MS, () => {
      this.#sweeping = this.sweep()
        .catch((error: unknown) => this.#modules.logger.error('records cannot be swept', { error }))
        .then(() => {
          if (this.#running) this.#scheduleSweep()
        })
    })
  }
}

/** A write that the disk refused: full, or failing. */
function isStoreFailure(error: unknown): boolean {
  return error instanceof SuprnovaError && (error.code === 'STORE_FULL' || error.code === 'STORE_WRITE_FAILED')
}
