import { type Counter, type Logger, type Metrics, type ProtocolParams, SuprnovaError, toHex } from '../../core/index.ts'
import { type Admission, type CellFields, chunkRoot, KEY_TYPE, type PutBody } from '../../statements/index.ts'
import { DhtError, noReplicas, type ReplicaFailure, storeFailed, supersededBy } from '../errors.ts'
import type { DhtRecord, EntryId, ReplicaTables, SignedPut } from '../interface.ts'
import { encodeStore } from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import type { PutReader } from '../records/put-reader.ts'
import type { Floors } from './floors.ts'
import { Mending } from './mending.ts'
import type { PutDesk } from './put-desk.ts'
import { checkedQuorum, type QuorumOptions } from './quorum.ts'
import type { KeptReceipt, ReceiptBook } from './receipt-book.ts'
import { ReceiptCheck, type StoreOutcome } from './receipt-check.ts'
import { type ReadResult, RecordReads, type SetReadOptions, type SetResult } from './record-reads.ts'
import { StoreTally } from './store-tally.ts'

export type { QuorumOptions } from './quorum.ts'

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

/** Bytes that the replicas hold already, as far as is known: they are sent only to those that say they lack them. */
export interface HeldValue {
  /** 32 bytes, see `chunkRoot`. */
  readonly valueRoot: Uint8Array
  readonly size: number
  /** Gets them, when somebody lacks them; asked once a store at most. */
  readonly load: () => Promise<Uint8Array>
}

/** A record to be signed and stored. */
export interface Draft {
  readonly keyType: 1 | 2 | 3 | 4
  /** 32 bytes, see `PutBody`. */
  readonly keyPreimage: Uint8Array
  readonly value: Uint8Array | HeldValue
  /** As long as a receipt lives, unless told otherwise; never longer. */
  readonly expiryEpoch?: number | undefined
  /** For cell entries. */
  readonly cell?: CellFields | undefined
}

export interface StoreResult {
  readonly record: SignedPut
  /** Those that made the store done. */
  readonly receipts: readonly KeptReceipt[]
  /** Only stand-ins hold it: no proper replica could be reached. */
  readonly degraded: boolean
  /** All receipts, once every replica answered or was given up. Never rejects. */
  readonly rest: Promise<readonly KeptReceipt[]>
}

/** Stores records with W of R verified receipts, and reads them back verified. */
export class RecordClient {
  readonly #modules: RecordClientModules
  readonly #lifeEpochs: number
  readonly #outcomes: Counter
  readonly #check: ReceiptCheck
  readonly #mending: Mending
  readonly #reads: RecordReads

  constructor(params: ProtocolParams, modules: RecordClientModules) {
    this.#modules = modules
    this.#lifeEpochs = Math.floor(params.receiptLifeSeconds / params.epochSeconds)
    this.#outcomes = modules.metrics.counter('suprnova_dht_operations_total', 'Stores and reads, by outcome')
    this.#check = new ReceiptCheck({ ...modules, lifeEpochs: this.#lifeEpochs })
    this.#mending = new Mending({ ...modules, check: this.#check, outcomes: this.#outcomes })
    this.#reads = new RecordReads({ ...modules, mending: this.#mending, outcomes: this.#outcomes })
  }

  /** Epochs a record lives at most. */
  get lifeEpochs(): number {
    return this.#lifeEpochs
  }

  /** The last epoch that a record signed now may live to. */
  get longestExpiry(): number {
    return this.#modules.reader.epoch() + this.#lifeEpochs
  }

  /**
   * Signs a record and stores it.
   * @throws DhtError `DHT_TOO_FEW_RECEIPTS` with what was got and needed; `DHT_SUPERSEDED` when a replica showed a newer
   * version; `DHT_NO_REPLICAS`; `DHT_READ_ONLY`; what signing throws
   */
  async store(draft: Draft, options: QuorumOptions = {}): Promise<StoreResult> {
    const { putDesk } = this.#modules
    if (putDesk === undefined) {
      throw new DhtError('DHT_READ_ONLY', 'this client has no key to sign records with', {
        hint: 'run a node with a stake',
      })
    }
    const { keyPreimage, keyType, value } = draft
    const expiryEpoch = BigInt(Math.min(draft.expiryEpoch ?? Number.POSITIVE_INFINITY, this.longestExpiry))
    const isHere = value instanceof Uint8Array
    const valueRoot = isHere ? chunkRoot(value) : value.valueRoot
    const common = { keyPreimage, valueRoot, size: isHere ? value.length : value.size, expiryEpoch }
    const put: PutBody =
      keyType === KEY_TYPE.cell ? { ...common, keyType, cell: draft.cell as CellFields } : { ...common, keyType }
    return putDesk.sign(put, (signed) => this.#send(signed, value, options))
  }

  /** Stores a record that is signed already, by whomever. Throws as {@link RecordClient.store}. */
  forward(record: DhtRecord, options: QuorumOptions = {}): Promise<StoreResult> {
    return this.#send(record, record.value, options)
  }

  /** The same for bytes that the replicas hold already. */
  forwardHeld(signed: SignedPut, load: () => Promise<Uint8Array>, options: QuorumOptions = {}): Promise<StoreResult> {
    const { size, valueRoot } = signed.put
    return this.#send(signed, { valueRoot, size, load }, options)
  }

  /**
   * Reads one entry.
   * @throws DhtError `DHT_BEHIND_FLOOR` when all that was shown is older than what this client has seen
   */
  read(id: EntryId, options: QuorumOptions = {}): Promise<ReadResult> {
    return this.#reads.read(id, options)
  }

  /** Reads all live entries of a record that holds a set. */
  readSet(recordKey: Uint8Array, options: SetReadOptions = {}): Promise<SetResult> {
    return this.#reads.readSet(recordKey, options)
  }

  /** Takes a receipt that came by another way. @returns whether it is one of that stake for that record; it is then kept */
  take(receipt: Uint8Array, stakeId: number, of: SignedPut): boolean {
    return typeof this.#check.accept(receipt, stakeId, of) !== 'string'
  }

  /** Resolves when nothing is being mended any more. */
  idle(): Promise<void> {
    return this.#mending.idle()
  }

  async #send(record: SignedPut, value: Uint8Array | HeldValue, options: QuorumOptions): Promise<StoreResult> {
    const { replicas, quorum } = checkedQuorum(options)
    const { floors, reader, tables } = this.#modules
    const sets = tables.setsOf(record.recordKey, reader.epoch(), replicas)
    if (sets.members.length === 0) throw noReplicas(toHex(record.recordKey))
    const tally = new StoreTally(sets, quorum)
    const receipts: KeptReceipt[] = []
    let superseded: SignedPut | undefined
    const ask = this.#asker(record, value)
    return new Promise<StoreResult>((resolve, reject) => {
      let isSettled = false
      let endRest: (receipts: readonly KeptReceipt[]) => void
      const rest = new Promise<readonly KeptReceipt[]>((end) => {
        endRest = end
      })
      const look = () => {
        if (!isSettled && tally.isDone) {
          isSettled = true
          if (record.put.keyType !== KEY_TYPE.content) floors.raise(record, record.version)
          this.#outcomes.inc({ op: 'store', outcome: tally.isDegraded ? 'degraded' : 'stored' })
          resolve({ record, receipts: [...receipts], degraded: tally.isDegraded, rest })
        }
        if (!tally.isOver) return
        endRest(receipts)
        if (isSettled) return
        isSettled = true
        this.#outcomes.inc({ op: 'store', outcome: superseded === undefined ? 'failed' : 'superseded' })
        reject(superseded === undefined ? tooFew(record, tally) : supersededBy(record, superseded))
      }
      const begin = async (stakeId: number, standIn: boolean) => {
        const outcome = await ask(stakeId, standIn)
        if ('id' in outcome) {
          receipts.push(outcome)
          tally.receipt(stakeId)
        } else {
          if ('newer' in outcome) superseded = outcome.newer
          const { detail, reason } = outcome
          const step = tally.failed({ stakeId, reason, ...(detail && { detail }) })
          for (const next of step.ask) void begin(next.stakeId, next.standIn)
        }
        look()
      }
      for (const { stakeId, standIn } of tally.start().ask) void begin(stakeId, standIn)
    })
  }

  /** How one replica is asked to hold a record. Never rejects. */
  #asker(record: SignedPut, value: Uint8Array | HeldValue) {
    const { logger, peers } = this.#modules
    const isHere = value instanceof Uint8Array
    let loading: Promise<Uint8Array> | undefined
    const load = () => {
      loading ??= isHere ? Promise.resolve(value) : value.load()
      return loading
    }
    const send = async (stakeId: number, standIn: boolean, bytes: Uint8Array | undefined) => {
      const request = encodeStore({ standIn, frame: record.frame, value: bytes })
      return this.#check.read(await peers.ask(stakeId, request), record, stakeId)
    }
    return async (stakeId: number, standIn: boolean): Promise<StoreOutcome> => {
      try {
        const outcome = await send(stakeId, standIn, isHere ? value : undefined)
        const isLacking = !('id' in outcome) && outcome.reason === 'lacking' && !isHere
        return isLacking ? await send(stakeId, standIn, await load()) : outcome
      } catch (error) {
        // What is no answer of a replica is a fault of this program: it is told, and the others are still asked.
        if (!(error instanceof SuprnovaError)) logger.error('a replica could not be asked', { stakeId, error })
        return failureOf(stakeId, error)
      }
    }
  }
}

function failureOf(stakeId: number, error: unknown): ReplicaFailure {
  if (!(error instanceof SuprnovaError)) return { stakeId, reason: 'failed', detail: String(error) }
  const reason = error.code === 'DHT_BAD_MESSAGE' ? 'bad-answer' : error.code
  return { stakeId, reason, detail: error.message }
}

function tooFew(record: SignedPut, { failures, got, needed }: StoreTally): DhtError {
  return storeFailed({ recordKey: toHex(record.recordKey), got, needed, failures })
}
