import {
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
import { ANSWER_MAX_BYTES, FETCH_LOOKS_MAX, REPLICAS_DEFAULT, REPLICAS_MAX } from '../constants.ts'
import { DhtError, type RefusalReason } from '../errors.ts'
import type { DhtRecord, ReplicaTables, SignedPut } from '../interface.ts'
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
import { comparePuts } from '../records/version.ts'
import {
  CELL_ENTRIES_PER_STAKE,
  FORGERY_CHARGE_REQUESTS,
  FULL_RETRY_MS,
  QUOTA_BYTES,
  QUOTA_RECORDS,
  SWEEP_INTERVAL_MS,
} from './constants.ts'
import { isGuardRefusal, promiseFor, type ReceiptDesk } from './receipt-desk.ts'
import { showChunk } from './show-chunk.ts'
import { UnderWay } from './under-way.ts'

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
  /** Whether there is room for records beside what else the node must write; always by default. */
  readonly hasRoom?: (() => boolean) | undefined
  /** The own stake; `undefined` for a node without one, which holds nothing. */
  readonly ownStakeId: () => number | undefined
  /** Whether the own stake may speak now: what another one promises counts for nobody. */
  readonly mayPromise: () => boolean
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
export class Replica {
  readonly book: RecordBook
  readonly #options: ReplicaOptions
  readonly #modules: ReplicaModules
  readonly #answers
  readonly #underWay: UnderWay
  #fullUntilMs = 0
  #cancelSweep: (() => void) | undefined
  #running = false
  #sweeping: Promise<unknown> = Promise.resolve()

  constructor(options: ReplicaOptions, modules: ReplicaModules) {
    this.#options = options
    this.#modules = modules
    this.book = modules.book
    this.#underWay = new UnderWay(modules.metrics)
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

  /** Whether records find no room, or the disk refused one a moment ago. */
  get isFull(): boolean {
    return this.#modules.hasRoom?.() === false || this.#modules.clock.nowMs() < this.#fullUntilMs
  }

  /** Answers STORE and FETCH. Never throws for what stands in a request. */
  async handle(request: Uint8Array, from: Requester): Promise<Uint8Array> {
    try {
      if (request[0] === OP.store) return await this.#store(request, from)
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
    return this.#problem(record, standIn, this.book.held(record)) ?? this.#promise(record, standIn)
  }

  async #promise(record: DhtRecord, standIn: boolean): Promise<Holding> {
    try {
      const nowMs = this.#modules.clock.nowMs()
      const untilEpoch = promiseFor(Number(record.put.expiryEpoch), nowMs, this.#options.params)
      const saved = await this.book.save(record, { untilEpoch, standIn: standIn && !this.#isReplica(record.recordKey) })
      if (saved.outcome === 'superseded') return { superseded: saved.current }
      if (saved.outcome === 'conflict') return refuse('conflict', 'another content of its slot is held')
      return { receipt: await this.#modules.receipts.sign(record, untilEpoch) }
    } catch (error) {
      if (isGuardRefusal(error)) return refuse(silenceOf(error as SuprnovaError), (error as SuprnovaError).message)
      if (!isStoreFailure(error)) throw error
      this.#fullUntilMs = this.#modules.clock.nowMs() + FULL_RETRY_MS
      this.#modules.logger.error('records cannot be written', { error })
      return refuse('full')
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
    if (stored === undefined || current === undefined || comparePuts(current, stored) <= 0) return undefined
    // The court takes a later PUT of the same writer, for an owner record or a cell entry.
    const isAnswer = stored.keyType === KEY_TYPE.owner || stored.keyType === KEY_TYPE.cell
    return isAnswer && current.writerStakeId === stored.writerStakeId ? current.frame : undefined
  }

  /** Drops what nothing keeps any more. Without the chain's time nothing is dropped. */
  async sweep(): Promise<number> {
    const finalSeconds = this.#modules.finalSeconds()
    return finalSeconds === undefined ? 0 : this.book.sweep(finalSeconds)
  }

  /** The checks in the order of what they cost: room, statement (verified once), place and quota, value, disk. */
  async #store(request: Uint8Array, from: Requester): Promise<Uint8Array> {
    const { frame, standIn, value } = decodeStore(request)
    const isOwn = from.stakeId !== undefined && from.stakeId === this.#modules.ownStakeId()
    const leave = this.#underWay.enter(isOwn ? 'own' : from.stakeId, value?.length ?? 0)
    if (leave === undefined) return this.#refuse('busy')
    try {
      const signed = this.#modules.reader.read(frame)
      const record = isRefused(signed) ? signed : this.#recordOf(signed, value, standIn)
      if (isRefused(record)) {
        if (record.refused === 'invalid') from.charge?.(FORGERY_CHARGE_REQUESTS)
        return this.#refuse(record.refused, record.detail)
      }
      const holding = await this.#promise(record, standIn)
      if ('receipt' in holding) {
        this.#answers.inc({ op: 'store', answer: 'stored' })
        return encodeStored(holding.receipt)
      }
      if ('refused' in holding) return this.#refuse(holding.refused, holding.detail)
      return this.#superseded(holding.superseded, from)
    } finally {
      leave()
    }
  }

  /** The PUT with its value: what is held already is not hashed again, and need not be sent. */
  #recordOf(signed: SignedPut, value: Uint8Array | undefined, standIn: boolean) {
    const held = this.book.held(signed)
    const problem = this.#problem(signed, standIn, held)
    if (problem !== undefined) return problem
    if (held !== undefined) return { ...signed, version: held.version, value: held.value() }
    if (value !== undefined) return this.#modules.reader.withValue(signed, value)
    const known = this.book.valueOf(signed)
    return known === undefined ? refuse('lacking') : this.#modules.reader.withValue(signed, known)
  }

  /** What is newer goes back whole to whoever can take it over, and where it cannot be judged without its value. */
  #superseded(current: StoredRecord, { stakeId }: Requester): Uint8Array {
    this.#answers.inc({ op: 'store', answer: 'superseded' })
    const isWhole = stakeId !== undefined || current.keyType === KEY_TYPE.mesh
    return encodeSuperseded({ frame: current.frame, value: isWhole ? current.value() : undefined })
  }

  /** One page: as much as fits an answer, and no longer a look than that is worth. */
  #fetch(request: Uint8Array, from: Requester): Uint8Array {
    const { recordKey, entry, after, values } = decodeFetch(request)
    const now = this.#modules.reader.epoch()
    const puts = []
    let bytes = 36
    let looks = 0
    let last: Uint8Array | undefined
    let next: Uint8Array | undefined
    for (const stored of entry === undefined ? this.book.entries(recordKey, after) : this.#one(recordKey, entry)) {
      const size = 7 + stored.frame.length + (values ? stored.size : 0)
      const isFull = puts.length > 0 && bytes + size > ANSWER_MAX_BYTES
      if (isFull || ++looks > FETCH_LOOKS_MAX) {
        next = last
        break
      }
      last = stored.entry
      if (stored.expiryEpoch < now) continue
      bytes += size
      puts.push({ frame: stored.frame, value: values ? stored.value() : undefined })
    }
    this.#answers.inc({ op: 'fetch', answer: from.stakeId === undefined ? 'reader' : 'stake' })
    return encodeFound(puts, next)
  }

  #one(recordKey: Uint8Array, entry: Uint8Array): readonly StoredRecord[] {
    const stored = this.book.current({ recordKey, entry })
    return stored === undefined ? [] : [stored]
  }

  /** What speaks against holding it, before anything costs: `undefined` when nothing does. */
  #problem(
    record: SignedPut,
    standIn: boolean,
    held: StoredRecord | undefined,
  ): { readonly refused: RefusalReason; readonly detail: string } | undefined {
    const { maxBytes, quota = { bytes: QUOTA_BYTES, records: QUOTA_RECORDS } } = this.#options
    if (!this.#modules.mayPromise()) return refuse('draining', 'the own stake may not speak')
    if (this.isFull) return refuse('full')
    if (!this.#isReplica(record.recordKey) && !(standIn && this.#mayStandIn(record.recordKey))) {
      return refuse('not-mine', 'other stakes are closer to this key')
    }
    if (held !== undefined) return undefined
    const { size } = record.put
    const usage = this.book.usage(record.writerStakeId)
    if (usage.records >= quota.records) return refuse('quota', `${usage.records} records`)
    if (usage.bytes + size > quota.bytes) return refuse('quota', `${usage.bytes} bytes`)
    if (maxBytes !== undefined && this.book.stats().bytes + size > maxBytes) return refuse('full')
    if (record.put.keyType === KEY_TYPE.cell && this.#crowds(record)) {
      return refuse('quota', `${CELL_ENTRIES_PER_STAKE} entries in one cell`)
    }
    return undefined
  }

  /** Whether its writer has as many live entries in the cell as it may; the counter tells when to look. */
  #crowds({ entry, recordKey, writerStakeId }: SignedPut): boolean {
    if (this.book.crowdOf(recordKey, writerStakeId) < CELL_ENTRIES_PER_STAKE) return false
    if (this.book.current({ recordKey, entry }) !== undefined) return false
    const now = this.#modules.reader.epoch()
    let own = 0
    for (const stored of this.book.entries(recordKey)) {
      // What is over is kept for its receipts, and crowds nobody.
      if (stored.expiryEpoch < now) continue
      if (stored.writerStakeId === writerStakeId && ++own >= CELL_ENTRIES_PER_STAKE) return true
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

/** Why a record that is held gets no receipt. */
function silenceOf({ values }: SuprnovaError): 'full' | 'draining' {
  return values.reason === 'full' ? 'full' : 'draining'
}

/** A write that the disk refused: full, or failing. */
function isStoreFailure(error: unknown): boolean {
  return error instanceof SuprnovaError && (error.code === 'STORE_FULL' || error.code === 'STORE_WRITE_FAILED')
}
