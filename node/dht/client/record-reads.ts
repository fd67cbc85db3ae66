import { type Counter, equalBytes, type Logger, SuprnovaError, toHex } from '../../core/index.ts'
import { KEY_TYPE } from '../../statements/index.ts'
import { behindFloor } from '../errors.ts'
import type { DhtRecord, EntryId, ReplicaTables, SignedPut } from '../interface.ts'
import { type CarriedPut, decodeFetchAnswer, encodeFetch, type FetchRequest } from '../protocol/messages.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { comparePuts, compareVersions } from '../records/version.ts'
import { SET_MENDS_MAX, SET_PAGES_MAX } from './constants.ts'
import type { Floors } from './floors.ts'
import type { Mending } from './mending.ts'
import { checkedQuorum, type QuorumOptions } from './quorum.ts'
import { ReadTally } from './read-tally.ts'
import type { ReceiptBook } from './receipt-book.ts'

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

export interface SetReadOptions extends QuorumOptions {
  /** `one` asks a single replica, falling over to the next. */
  readonly consistency?: 'quorum' | 'one'
  /** With `one`: which of the replicas is asked first. */
  readonly from?: number
}

export interface SetResult {
  /** The newest of each entry. An empty value is an entry that was left, and is given too. */
  readonly records: readonly DhtRecord[]
  readonly quorum: boolean
  /** Requests that were sent. */
  readonly asked: number
}

export interface RecordReadsModules {
  readonly peers: ReplicaPeers
  readonly tables: ReplicaTables
  readonly reader: PutReader
  readonly floors: Floors
  readonly receipts: ReceiptBook
  readonly mending: Mending
  /** Labels: op, outcome. */
  readonly outcomes: Counter
  readonly logger: Logger
}

interface Shown {
  readonly stakeId: number
  readonly signed: SignedPut
  /** `undefined` when only the frame was asked for. */
  readonly value: Uint8Array | undefined
}

/** What one replica showed of a set, by entry. */
interface ShownSet {
  readonly stakeId: number
  /** Whether it was read to its end. */
  readonly isWhole: boolean
  readonly records: ReadonlyMap<string, DhtRecord>
}

/** Reads records from their replicas in parallel; believes only what it verified, and mends who is behind. */
export class RecordReads {
  readonly #modules: RecordReadsModules

  constructor(modules: RecordReadsModules) {
    this.#modules = modules
  }

  /**
   * Reads one entry.
   * @throws DhtError `DHT_BEHIND_FLOOR` when all that was shown is older than what this client has seen
   */
  async read(id: EntryId, options: QuorumOptions): Promise<ReadResult> {
    const { replicas, quorum } = checkedQuorum(options)
    const { peers, reader, tables } = this.#modules
    const sets = tables.setsOf(id.recordKey, reader.epoch(), replicas)
    const tally = new ReadTally(sets, quorum)
    const shown: Shown[] = []
    const silent: number[] = []
    if (sets.members.length > 0) {
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
    }
    return this.#resultOf(id, { tally, members: sets.members }, shown, silent)
  }

  /** Reads all live entries of a record that holds a set: the newest of each entry over all answers. */
  async readSet(recordKey: Uint8Array, options: SetReadOptions): Promise<SetResult> {
    const { replicas, quorum } = checkedQuorum(options)
    const { reader, tables } = this.#modules
    const sets = tables.setsOf(recordKey, reader.epoch(), replicas)
    const shown: ShownSet[] = []
    let asked = 0
    if (options.consistency === 'one') {
      for (let at = 0; at < sets.members.length && shown.length === 0; at++) {
        const stakeId = sets.members[(at + (options.from ?? 0)) % sets.members.length] as number
        const { requests, set } = await this.#pages(recordKey, stakeId)
        asked += requests
        if (set !== undefined) shown.push(set)
      }
      return { records: this.#union(shown), quorum: false, asked }
    }
    const tally = new ReadTally(sets, quorum)
    if (sets.members.length > 0) {
      await new Promise<void>((resolve, reject) => {
        const ask = (stakeId: number) => {
          this.#pages(recordKey, stakeId).then(({ requests, set }) => {
            asked += requests
            if (set !== undefined) shown.push(set)
            for (const next of tally.answered(stakeId, set?.isWhole === true)) ask(next)
            if (tally.hasQuorum || tally.isOver) resolve()
          }, reject)
        }
        for (const stakeId of tally.start()) ask(stakeId)
      })
    }
    // A slow replica may add to `shown` after this: what is returned is what was there in time.
    const inTime = [...shown]
    const records = this.#union(inTime)
    this.#mendSet(records, inTime, sets.members)
    this.#modules.outcomes.inc({ op: 'read set', outcome: tally.hasQuorum ? 'quorum' : 'found' })
    return { records, quorum: tally.hasQuorum, asked }
  }

  async #resultOf(
    id: EntryId,
    { members, tally }: { readonly tally: ReadTally; readonly members: readonly number[] },
    shownInTime: readonly Shown[],
    silentInTime: readonly number[],
  ): Promise<ReadResult> {
    const { floors, outcomes } = this.#modules
    // Replicas that answer later than enough of the others add to both lists while this goes on.
    const shown = await this.#judged(id, [...shownInTime])
    const silent = [...silentInTime]
    const quorum = tally.hasQuorum
    const { isNewest, record } = await this.#newestOf(id, shown)
    if (record === undefined) {
      outcomes.inc({ op: 'read', outcome: 'nothing' })
      return { record, quorum: false, asked: tally.asked, verified: tally.verified, missing: [] }
    }
    // Content is its own name: whoever signed it and when, the bytes are the same.
    const floor = record.put.keyType === KEY_TYPE.content ? undefined : floors.get(id)
    if (floor !== undefined && compareVersions(record.version, floor) < 0) {
      outcomes.inc({ op: 'read', outcome: 'behind' })
      throw behindFloor(toHex(id.recordKey), floor.position, record.version.position)
    }
    if (record.put.keyType !== KEY_TYPE.content) floors.raise(id, record.version)
    const stale = shown.filter(({ signed }) => comparePuts(signed, record) < 0).map(({ stakeId }) => stakeId)
    const wanting = [...stale, ...silent]
    const isWanting = (stakeId: number) => members.includes(stakeId) && wanting.includes(stakeId)
    this.#modules.mending.begin(record, members.filter(isWanting))
    const hasQuorum = quorum && isNewest
    outcomes.inc({ op: 'read', outcome: hasQuorum ? 'quorum' : 'found' })
    const missing = this.#brokenPromises(record, wanting)
    return { record, quorum: hasQuorum, asked: tally.asked, verified: tally.verified, missing }
  }

  /** A mesh record's order follows from its value alone: whoever showed none of it is asked again. */
  async #judged(id: EntryId, shown: readonly Shown[]): Promise<readonly Shown[]> {
    const judged = shown.map(async (one) => {
      if (one.value !== undefined || one.signed.put.keyType !== KEY_TYPE.mesh) return one
      return (await this.#show(id, one.stakeId, true)) ?? one
    })
    return Promise.all(judged)
  }

  /** The newest version whose value can be had, and whether no newer one was shown. */
  async #newestOf(
    id: EntryId,
    shown: readonly Shown[],
  ): Promise<{ readonly record: DhtRecord | undefined; readonly isNewest: boolean }> {
    const sorted = [...shown].sort((a, b) => comparePuts(b.signed, a.signed))
    const newest = sorted[0]
    if (newest === undefined) return { record: undefined, isNewest: true }
    const valued = sorted.find(({ value }) => value !== undefined)
    // A newer version was shown without its value: whoever showed it is asked for it.
    for (const { signed, stakeId, value } of sorted) {
      if (value !== undefined) break
      if (valued !== undefined && comparePuts(signed, valued.signed) <= 0) break
      const again = await this.#show(id, stakeId, true)
      if (again?.value === undefined) continue
      return {
        record: { ...again.signed, value: again.value },
        isNewest: comparePuts(again.signed, newest.signed) >= 0,
      }
    }
    if (valued === undefined) return { record: undefined, isNewest: false }
    const isNewest = comparePuts(valued.signed, newest.signed) === 0
    return { record: { ...valued.signed, value: valued.value as Uint8Array }, isNewest }
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

  /** All pages of a set at one replica; no set when it did not answer the first. */
  async #pages(
    recordKey: Uint8Array,
    stakeId: number,
  ): Promise<{ readonly requests: number; readonly set: ShownSet | undefined }> {
    const records = new Map<string, DhtRecord>()
    let after: Uint8Array | undefined
    for (let requests = 1; requests <= SET_PAGES_MAX; requests++) {
      const page = await this.#ask(stakeId, { recordKey, after, values: true })
      if (page === undefined) {
        return { requests, set: requests === 1 ? undefined : { stakeId, isWhole: false, records } }
      }
      for (const put of page.puts) {
        const signed = this.#verified(put, recordKey)
        if (signed === undefined || put.value === undefined) continue
        const record = this.#modules.reader.withValue(signed, put.value)
        if (!isRefused(record)) records.set(toHex(record.entry), record)
      }
      if (page.next === undefined) return { requests, set: { stakeId, isWhole: true, records } }
      // Who leads in circles is not followed.
      if (after !== undefined && Buffer.compare(page.next, after) <= 0) {
        return { requests, set: { stakeId, isWhole: false, records } }
      }
      after = page.next.slice()
    }
    return { requests: SET_PAGES_MAX, set: { stakeId, isWhole: false, records } }
  }

  /** The newest of each entry, none of them behind what this client has seen. */
  #union(shown: readonly ShownSet[]): DhtRecord[] {
    const { floors } = this.#modules
    const newest = new Map<string, DhtRecord>()
    for (const { records } of shown) {
      for (const [entry, record] of records) {
        const known = newest.get(entry)
        if (known === undefined || comparePuts(known, record) < 0) newest.set(entry, record)
      }
    }
    return [...newest.values()].filter((record) => {
      if (record.put.keyType === KEY_TYPE.content) return true
      const floor = floors.get(record)
      if (floor !== undefined && compareVersions(record.version, floor) < 0) {
        this.#modules.outcomes.inc({ op: 'read set', outcome: 'behind' })
        return false
      }
      floors.raise(record, record.version)
      return true
    })
  }

  #mendSet(records: readonly DhtRecord[], shown: readonly ShownSet[], members: readonly number[]): void {
    const readable = shown.filter(({ isWhole, stakeId }) => isWhole && members.includes(stakeId))
    let mended = 0
    for (const record of records) {
      if (mended >= SET_MENDS_MAX) return
      const entry = toHex(record.entry)
      const wanting = readable.filter(({ records: held }) => {
        const known = held.get(entry)
        return known === undefined || comparePuts(known, record) < 0
      })
      const stakeIds = wanting.map(({ stakeId }) => stakeId)
      if (this.#modules.mending.begin(record, stakeIds)) mended++
    }
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

  #brokenPromises({ putDigest, recordKey, version }: SignedPut, wanting: readonly number[]): readonly number[] {
    if (wanting.length === 0) return []
    const promised = new Set<number>()
    for (const kept of this.#modules.receipts.list({ recordKey: toHex(recordKey), limit: 64 })) {
      const reading = this.#modules.reader.read(kept.put)
      if (isRefused(reading) || reading.version.leaf !== version.leaf) continue
      if (equalBytes(reading.putDigest, putDigest)) promised.add(kept.stakeId)
    }
    return wanting.filter((stakeId) => promised.has(stakeId))
  }
}
