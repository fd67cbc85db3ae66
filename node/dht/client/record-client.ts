import {
  equalBytes,
  KIND,
  type Logger,
  type Metrics,
  type ProtocolParams,
  SuprnovaError,
  toHex,
} from '../../core/index.ts'
import {
  type Admission,
  type CellFields,
  chunkRoot,
  epochOf,
  KEY_TYPE,
  type PutBody,
  type ReceiptBody,
} from '../../statements/index.ts'
import { QUORUM_DEFAULT, REPLICAS_DEFAULT, REPLICAS_MAX } from '../constants.ts'
import { DhtError, type ReplicaFailure, storeFailed } from '../errors.ts'
import type { DhtRecord, EntryId, ReplicaTables, SignedPut } from '../interface.ts'
import {
  type CarriedPut,
  decodeFetchAnswer,
  decodeStoreAnswer,
  encodeFetch,
  encodeStore,
  type FetchRequest,
} from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { compareVersions } from '../records/version.ts'
import { MENDING_MAX, SET_PAGES_MAX } from './constants.ts'
import type { Floors } from './floors.ts'
import type { PutDesk } from './put-desk.ts'
import { ReadTally } from './read-tally.ts'
import type { KeptReceipt, ReceiptBook } from './receipt-book.ts'
import { StoreTally } from './store-tally.ts'

export interface RecordClientModules {
  readonly peers: ReplicaPeers
  readonly tables: ReplicaTables
  readonly reader: PutReader
  /** Verifies receipts. */
  readonly admission: Pick<Admission, 'admit'>
  /** `undefined` for a client that only reads. */
  readonly putDesk?: PutDesk | undefined
  readonly floors: Floors
  readonly receipts: ReceiptBook
  readonly metrics: Metrics
  readonly logger: Logger
}

/** A record to be signed and stored. */
export interface Draft {
  readonly keyType: 1 | 2 | 3 | 4
  /** 32 bytes, see `PutBody`. */
  readonly keyPreimage: Uint8Array
  readonly value: Uint8Array
  /** As long as a receipt lives, unless told otherwise; never longer. */
  readonly expiryEpoch?: number | undefined
  /** For cell entries. */
  readonly cell?: CellFields | undefined
}

export interface QuorumOptions {
  /** R: 3 by default, 20 at most. */
  readonly replicas?: number
  /** W: 2 by default, R at most. */
  readonly quorum?: number
}

export interface StoreResult {
  readonly record: DhtRecord
  /** Those that made the store done. */
  readonly receipts: readonly KeptReceipt[]
  /** Only stand-ins hold it: no proper replica could be reached. */
  readonly degraded: boolean
  /** All receipts, once every replica answered or was given up. Never rejects. */
  readonly rest: Promise<readonly KeptReceipt[]>
}

export interface ReadResult {
  /** The newest verified record; `undefined` when nobody showed one. */
  readonly record: DhtRecord | undefined
  /** Whether enough of the proper replicas answered that no acknowledged store was missed. */
  readonly quorum: boolean
  readonly asked: number
  /** Verified answers. */
  readonly verified: number
  /** Stakes that promised this very version to this client and did not show it. */
  readonly missing: readonly number[]
}

interface Shown {
  readonly stakeId: number
  readonly signed: SignedPut
  /** `undefined` when only the frame was asked for. */
  readonly value: Uint8Array | undefined
}

/** Stores records with W of R verified receipts, and reads them back verified. */
export class RecordClient {
  readonly #modules: RecordClientModules
  readonly #lifeEpochs: number
  readonly #outcomes
  readonly #mending = new Map<string, Promise<unknown>>()

  constructor(params: ProtocolParams, modules: RecordClientModules) {
    this.#modules = modules
    this.#lifeEpochs = Math.floor(params.receiptLifeSeconds / params.epochSeconds)
    this.#outcomes = modules.metrics.counter('suprnova_dht_operations_total', 'Stores and reads, by outcome')
  }

  /** Epochs a record lives at most. */
  get lifeEpochs(): number {
    return this.#lifeEpochs
  }

  /**
   * Signs a record and stores it.
   * @throws DhtError `DHT_TOO_FEW_RECEIPTS` with what was got and needed; `DHT_SUPERSEDED` when a replica showed a newer
   * version; `DHT_NO_REPLICAS`; `DHT_READ_ONLY`; what signing throws
   */
  async store(draft: Draft, options: QuorumOptions = {}): Promise<StoreResult> {
    const { putDesk, reader } = this.#modules
    if (putDesk === undefined) {
      throw new DhtError('DHT_READ_ONLY', 'this client has no key to sign records with', {
        hint: 'run a node with a stake',
      })
    }
    const { keyPreimage, keyType, value } = draft
    const expiryEpoch = BigInt(
      Math.min(draft.expiryEpoch ?? Number.POSITIVE_INFINITY, reader.epoch() + this.#lifeEpochs),
    )
    const common = { keyPreimage, valueRoot: chunkRoot(value), size: value.length, expiryEpoch }
    const put: PutBody =
      keyType === KEY_TYPE.cell ? { ...common, keyType, cell: draft.cell as CellFields } : { ...common, keyType }
    const signed = await putDesk.sign(put)
    return this.forward({ ...signed, value }, options)
  }

  /** Stores a record that is signed already, by whomever. Throws as {@link RecordClient.store}. */
  forward(record: DhtRecord, options: QuorumOptions = {}): Promise<StoreResult> {
    const { replicas, quorum } = checked(options)
    const { floors, peers, reader, tables } = this.#modules
    const sets = tables.setsOf(record.recordKey, reader.epoch(), replicas)
    if (sets.members.length === 0) return Promise.reject(noReplicas(record))
    const tally = new StoreTally(sets, quorum)
    const receipts: KeptReceipt[] = []
    let superseded: SignedPut | undefined
    return new Promise<StoreResult>((resolve, reject) => {
      let isSettled = false
      let endRest: (receipts: readonly KeptReceipt[]) => void
      const rest = new Promise<readonly KeptReceipt[]>((end) => {
        endRest = end
      })
      const look = () => {
        if (!isSettled && tally.isDone) {
          isSettled = true
          floors.raise(record, record.version, Number(record.put.expiryEpoch))
          this.#outcomes.inc({ op: 'store', outcome: tally.isDegraded ? 'degraded' : 'stored' })
          resolve({ record, receipts: [...receipts], degraded: tally.isDegraded, rest })
        }
        if (!tally.isOver) return
        endRest(receipts)
        if (isSettled) return
        isSettled = true
        this.#outcomes.inc({ op: 'store', outcome: 'failed' })
        reject(superseded === undefined ? tooFew(record, tally) : supersededBy(record, superseded))
      }
      const ask = (stakeId: number, standIn: boolean) => {
        const request = encodeStore({ standIn, frame: record.frame, value: record.value })
        peers
          .ask(stakeId, request)
          .then((answer) => this.#readStoreAnswer(answer, record, stakeId))
          .then(
            (outcome) => {
              if ('id' in outcome) {
                receipts.push(outcome)
                return tally.receipt(stakeId)
              }
              if ('newer' in outcome) superseded = outcome.newer
              return tally.failed({
                stakeId,
                reason: outcome.reason,
                ...(outcome.detail && { detail: outcome.detail }),
              })
            },
            (error: unknown) => tally.failed(failureOf(stakeId, error)),
          )
          .then((step) => {
            for (const next of step.ask) ask(next.stakeId, next.standIn)
            look()
          })
          .catch(reject)
      }
      for (const { stakeId, standIn } of tally.start().ask) ask(stakeId, standIn)
    })
  }

  /**
   * Reads one entry.
   * @throws DhtError `DHT_BEHIND_FLOOR` when all that was shown is older than what this client has seen
   */
  async read(id: EntryId, options: QuorumOptions = {}): Promise<ReadResult> {
    const { replicas, quorum } = checked(options)
    const { peers, reader, tables } = this.#modules
    const sets = tables.setsOf(id.recordKey, reader.epoch(), replicas)
    const tally = new ReadTally(sets, quorum)
    const shown: Shown[] = []
    const silent: number[] = []
    if (sets.members.length === 0) return this.#resultOf(id, tally, shown, silent)
    // This node's own copy costs nothing; of the others as many give the value as are needed, the rest the PUT alone.
    const order = [...sets.members].sort((a, b) => Number(peers.isOwn(b)) - Number(peers.isOwn(a)))
    const givers = new Set(order.slice(0, Math.max(...sets.sets.map((set) => tally.needed(set)))))
    await new Promise<void>((resolve, reject) => {
      const ask = (stakeId: number) => {
        this.#show(id, stakeId, givers.has(stakeId) || !sets.members.includes(stakeId)).then((found) => {
          if (found === undefined) silent.push(stakeId)
          else shown.push(found)
          for (const next of tally.answered(stakeId, found !== undefined)) ask(next)
          if (tally.hasQuorum || tally.isOver) resolve()
        }, reject)
      }
      for (const stakeId of tally.start()) ask(stakeId)
    })
    return this.#resultOf(id, tally, shown, silent)
  }

  /**
   * Reads all live entries of a record that holds a set: the newest of each entry over all answers. An empty value is an
   * entry that was left, and is given too.
   * @param options `consistency: 'one'` asks a single replica, falling over to the next
   */
  async readSet(
    recordKey: Uint8Array,
    options: QuorumOptions & { readonly consistency?: 'quorum' | 'one'; readonly from?: number } = {},
  ): Promise<{ readonly records: readonly DhtRecord[]; readonly quorum: boolean; readonly asked: number }> {
    const { replicas, quorum } = checked(options)
    const { reader, tables } = this.#modules
    const sets = tables.setsOf(recordKey, reader.epoch(), replicas)
    const newest = new Map<string, DhtRecord>()
    const take = (records: readonly DhtRecord[]) => {
      for (const record of records) {
        const name = toHex(record.entry)
        const known = newest.get(name)
        if (known === undefined || compareVersions(known.version, record.version) < 0) newest.set(name, record)
      }
    }
    if (options.consistency === 'one') {
      let asked = 0
      for (let at = 0; at < sets.members.length; at++) {
        const stakeId = sets.members[(at + (options.from ?? 0)) % sets.members.length] as number
        const { requests, records } = await this.#pages(recordKey, stakeId)
        asked += requests
        if (records === undefined) continue
        take(records)
        break
      }
      return { records: [...newest.values()], quorum: false, asked }
    }
    const tally = new ReadTally(sets, quorum)
    let asked = 0
    await new Promise<void>((resolve, reject) => {
      if (sets.members.length === 0) return resolve()
      const ask = (stakeId: number) => {
        this.#pages(recordKey, stakeId).then(({ requests, records }) => {
          asked += requests
          take(records ?? [])
          for (const next of tally.answered(stakeId, records !== undefined)) ask(next)
          if (tally.hasQuorum || tally.isOver) resolve()
        }, reject)
      }
      for (const stakeId of tally.start()) ask(stakeId)
    })
    return { records: [...newest.values()], quorum: tally.hasQuorum, asked }
  }

  /** Takes a receipt that came by another way. @returns whether it is one of that stake for that record; it is then kept */
  take(receipt: Uint8Array, stakeId: number, of: SignedPut): boolean {
    return typeof this.#accept(receipt, stakeId, of) !== 'string'
  }

  /** Resolves when nothing is being mended any more. */
  async idle(): Promise<void> {
    while (this.#mending.size > 0) await Promise.all(this.#mending.values())
  }

  async #resultOf(
    id: EntryId,
    tally: ReadTally,
    shown: readonly Shown[],
    silent: readonly number[],
  ): Promise<ReadResult> {
    const { floors } = this.#modules
    const record = await this.#newestOf(id, shown)
    const floor = floors.get(id)
    if (record !== undefined && floor !== undefined && compareVersions(record.version, floor) < 0) {
      this.#outcomes.inc({ op: 'read', outcome: 'behind' })
      throw behindFloor(id, floor.position, record.version.position)
    }
    if (record !== undefined) {
      floors.raise(id, record.version, Number(record.put.expiryEpoch))
      this.#mend(record, shown, silent)
    }
    this.#outcomes.inc({ op: 'read', outcome: record === undefined ? 'nothing' : tally.hasQuorum ? 'quorum' : 'found' })
    return {
      record,
      quorum: tally.hasQuorum && record !== undefined,
      asked: tally.asked,
      verified: tally.verified,
      missing: record === undefined ? [] : this.#brokenPromises(record, silent),
    }
  }

  /** The newest version whose value can be had. */
  async #newestOf(id: EntryId, shown: readonly Shown[]): Promise<DhtRecord | undefined> {
    const sorted = [...shown].sort((a, b) => compareVersions(b.signed.version, a.signed.version))
    const valued = sorted.find(({ value }) => value !== undefined)
    const newest = sorted[0]
    if (newest === undefined) return undefined
    if (valued !== undefined && compareVersions(valued.signed.version, newest.signed.version) === 0) {
      return { ...valued.signed, value: valued.value as Uint8Array }
    }
    // A newer version was shown without its value: whoever showed it is asked for it.
    for (const { signed, stakeId } of sorted.filter(({ value }) => value === undefined)) {
      if (valued !== undefined && compareVersions(signed.version, valued.signed.version) <= 0) break
      const again = await this.#show(id, stakeId, true)
      if (again?.value !== undefined) return { ...again.signed, value: again.value }
    }
    return valued && { ...valued.signed, value: valued.value as Uint8Array }
  }

  /** Asks one replica for one entry; `undefined` for whatever cannot be verified. */
  async #show(id: EntryId, stakeId: number, values: boolean): Promise<Shown | undefined> {
    const puts = await this.#ask(stakeId, { recordKey: id.recordKey, entry: id.entry, values })
    const put = puts?.puts[0]
    const signed = put && this.#verified(put, id.recordKey)
    if (signed === undefined || !equalBytes(signed.entry, id.entry)) return undefined
    if (!values) return { stakeId, signed, value: undefined }
    const record = put?.value === undefined ? undefined : this.#modules.reader.withValue(signed, put.value)
    return record === undefined || isRefused(record) ? undefined : { stakeId, signed: record, value: record.value }
  }

  /** All pages of a set at one replica; no records when it did not answer the first. */
  async #pages(
    recordKey: Uint8Array,
    stakeId: number,
  ): Promise<{ readonly requests: number; readonly records: readonly DhtRecord[] | undefined }> {
    const records: DhtRecord[] = []
    let after: Uint8Array | undefined
    for (let requests = 1; requests <= SET_PAGES_MAX; requests++) {
      const page = await this.#ask(stakeId, { recordKey, after, values: true })
      if (page === undefined) return { requests, records: requests === 1 ? undefined : records }
      for (const put of page.puts) {
        const signed = this.#verified(put, recordKey)
        if (signed === undefined || put.value === undefined) continue
        const record = this.#modules.reader.withValue(signed, put.value)
        if (isRefused(record)) continue
        records.push(record)
        after = record.entry
      }
      if (!page.more || after === undefined) return { requests, records }
    }
    return { requests: SET_PAGES_MAX, records }
  }

  async #ask(stakeId: number, request: FetchRequest) {
    try {
      const answer = decodeFetchAnswer(await this.#modules.peers.ask(stakeId, encodeFetch(request)))
      return answer.status === 'found' ? answer : undefined
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      this.#modules.logger.debug('a replica gave no answer', { stakeId, code: error.code })
      return undefined
    }
  }

  #verified({ frame }: CarriedPut, recordKey: Uint8Array): SignedPut | undefined {
    const signed = this.#modules.reader.read(frame)
    return isRefused(signed) || !equalBytes(signed.recordKey, recordKey) ? undefined : signed
  }

  #readStoreAnswer(
    bytes: Uint8Array,
    record: DhtRecord,
    stakeId: number,
  ):
    | KeptReceipt
    | { readonly newer: SignedPut; readonly reason: string; readonly detail?: string }
    | { readonly reason: string; readonly detail?: string } {
    const answer = decodeStoreAnswer(bytes)
    if (answer.status === 'refused') return { reason: answer.reason, detail: answer.detail }
    if (answer.status === 'superseded') {
      const newer = this.#verified(answer.current, record.recordKey)
      if (newer === undefined || compareVersions(newer.version, record.version) <= 0) return { reason: 'bad-answer' }
      return { newer, reason: 'superseded' }
    }
    const kept = this.#accept(answer.receipt, stakeId, record)
    return typeof kept === 'string' ? { reason: 'bad-answer', detail: kept } : kept
  }

  /** Verifies a receipt, and keeps it; says what is wrong with any other. */
  #accept(receipt: Uint8Array, stakeId: number, of: SignedPut): KeptReceipt | string {
    const verdict = this.#modules.admission.admit(receipt, { kinds: [KIND.receipt], repeats: 'accept' })
    if (verdict.outcome !== 'accept') return `receipt: ${verdict.reason}`
    const body = verdict.bodies[0]?.body as ReceiptBody
    if (verdict.stakeId !== stakeId) return 'another stake signed the receipt'
    if (!this.#covers(body, of, epochOf(verdict.signed.statement.position))) {
      return 'the receipt is not for this record, or too short'
    }
    return this.#modules.receipts.keep(receipt, of, body, stakeId)
  }

  /** Whether a receipt promises all of the record that it may. The two sides may be an epoch apart. */
  #covers(body: ReceiptBody, { put, putDigest, recordKey, version }: SignedPut, receiptEpoch: number): boolean {
    const due = Math.min(Number(put.expiryEpoch), receiptEpoch + this.#lifeEpochs) - 1
    return (
      equalBytes(body.putDigest, putDigest) &&
      body.leaf === version.leaf &&
      equalBytes(body.recordKey, recordKey) &&
      equalBytes(body.valueRoot, put.valueRoot) &&
      body.size === put.size &&
      Number(body.untilEpoch) >= due
    )
  }

  #brokenPromises({ putDigest, recordKey, version }: SignedPut, silent: readonly number[]): readonly number[] {
    if (silent.length === 0) return []
    const promised = new Set<number>()
    for (const kept of this.#modules.receipts.list({ recordKey: toHex(recordKey), limit: 64 })) {
      const reading = this.#modules.reader.read(kept.put)
      if (isRefused(reading) || reading.version.leaf !== version.leaf) continue
      if (equalBytes(reading.putDigest, putDigest)) promised.add(kept.stakeId)
    }
    return silent.filter((stakeId) => promised.has(stakeId))
  }

  /** Gives the newest version to those that showed an older one or none, in the background. */
  #mend(record: DhtRecord, shown: readonly Shown[], silent: readonly number[]): void {
    const stale = shown.filter(({ signed }) => compareVersions(signed.version, record.version) < 0)
    const wanting = [...stale.map(({ stakeId }) => stakeId), ...silent]
    const name = `${toHex(record.recordKey)}${toHex(record.entry)}`
    if (wanting.length === 0 || this.#mending.size >= MENDING_MAX || this.#mending.has(name)) return
    const request = encodeStore({ standIn: false, frame: record.frame, value: record.value })
    const mending = Promise.allSettled(
      wanting.map(async (stakeId) => {
        const outcome = this.#readStoreAnswer(await this.#modules.peers.ask(stakeId, request), record, stakeId)
        this.#outcomes.inc({ op: 'mend', outcome: 'id' in outcome ? 'mended' : 'refused' })
      }),
    ).finally(() => this.#mending.delete(name))
    this.#mending.set(name, mending)
  }
}

function checked({ quorum, replicas = REPLICAS_DEFAULT }: QuorumOptions): { replicas: number; quorum: number } {
  const needed = quorum ?? Math.min(QUORUM_DEFAULT, replicas)
  const isWhole = Number.isInteger(replicas) && Number.isInteger(needed)
  if (!isWhole || replicas < 1 || replicas > REPLICAS_MAX || needed < 1 || needed > replicas) {
    throw new DhtError('DHT_BAD_QUORUM', `${needed} of ${replicas} replicas: expected 1 to R of 1 to ${REPLICAS_MAX}`, {
      values: { quorum: needed, replicas },
    })
  }
  return { replicas, quorum: needed }
}

function failureOf(stakeId: number, error: unknown): ReplicaFailure {
  if (!(error instanceof SuprnovaError)) throw error
  const reason = error.code === 'DHT_BAD_MESSAGE' ? 'bad-answer' : error.code
  return { stakeId, reason, detail: error.message }
}

function tooFew(record: SignedPut, tally: StoreTally): DhtError {
  return storeFailed({
    recordKey: toHex(record.recordKey),
    got: tally.got,
    needed: tally.needed,
    failures: tally.failures,
  })
}

function supersededBy(record: SignedPut, newer: SignedPut): DhtError {
  const values = {
    recordKey: toHex(record.recordKey),
    position: record.version.position,
    newer: newer.version.position,
  }
  return new DhtError('DHT_SUPERSEDED', `a newer version of ${values.recordKey} is stored already`, {
    values,
    hint: 'read it before you write again',
  })
}

function behindFloor(id: EntryId, floor: bigint, found: bigint): DhtError {
  return new DhtError('DHT_BEHIND_FLOOR', `only older versions of ${toHex(id.recordKey)} were shown than seen before`, {
    exitCode: 75,
    values: { recordKey: toHex(id.recordKey), floor, found },
    hint: 'the replicas that hold the newest are away; read again later',
  })
}

function noReplicas({ recordKey }: EntryId): DhtError {
  return new DhtError('DHT_NO_REPLICAS', 'no stake is placed yet, so nobody could hold the record', {
    exitCode: 75,
    values: { recordKey: toHex(recordKey) },
    hint: 'a new network places its stakes within an epoch; is the chain followed?',
  })
}
