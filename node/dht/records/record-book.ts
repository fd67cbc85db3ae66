import { equalBytes, type Logger, type Metrics, type ProtocolParams, type Table, toHex } from '../../core/index.ts'
import type { ChallengeView, DhtRecord, EntryId, SignedPut } from '../interface.ts'
import {
  allMeta,
  allOlder,
  encodeMeta,
  keepKey,
  keepRange,
  metaKey,
  metaRange,
  olderKey,
  olderRange,
  type RecordMeta,
  readKeepKey,
  readMeta,
  type VersionId,
  valueKey,
} from './rows.ts'
import { compareVersions } from './version.ts'

/** Versions looked at in one sweep; the rest is left to the next. */
const SWEEP_ROWS_MAX = 4_096
const RECORDS_PER_TURN = 512

type Write = readonly [Uint8Array, Uint8Array | undefined]

export interface RecordBookModules {
  readonly table: Table
  readonly challenges: ChallengeView
  readonly metrics: Metrics
  readonly logger: Logger
}

/** What one writer holds here, current and older versions together. */
export interface Usage {
  readonly records: number
  readonly bytes: number
}

/** A version as it is served. */
export interface StoredRecord extends RecordMeta {
  /** Reads the value. */
  value(): Uint8Array
}

export type Saved =
  /** Newer than what was there, or the first. */
  | { readonly outcome: 'new' }
  /** The same version was there; its keep-time covers what was asked. */
  | { readonly outcome: 'same' }
  /** There is a newer one, and this one was not there. Nothing was written. */
  | { readonly outcome: 'superseded'; readonly current: StoredRecord }
  /** Another content of the same slot is there: its writer equivocated. Nothing was written, nothing may be promised. */
  | { readonly outcome: 'conflict' }

/**
 * The records this node holds, durably. What was saved with an `untilEpoch` is found by its receipt until the final
 * chain time has passed the end of that epoch, the time to answer a challenge and the skew, and no challenge to it is
 * open: whatever newer versions, expiry, quotas or stakes do meanwhile.
 */
export class RecordBook {
  readonly #params: ProtocolParams
  readonly #modules: RecordBookModules
  readonly #usage = new Map<number, { records: number; bytes: number }>()
  readonly #listeners = new Set<(meta: RecordMeta) => void>()
  /** The newest save of an entry that is under way: the next one waits for it. */
  readonly #underWay = new Map<string, Promise<unknown>>()
  #records = 0
  #older = 0
  #bytes = 0
  #newestKeepEpoch = 0

  private constructor(params: ProtocolParams, modules: RecordBookModules) {
    this.#params = params
    this.#modules = modules
  }

  /** Opens the book, counting what each writer holds in one pass over the rows without values. */
  static async open(params: ProtocolParams, modules: RecordBookModules): Promise<RecordBook> {
    const book = new RecordBook(params, modules)
    for (const [key, bytes] of modules.table.range(...allMeta())) book.#count(readMeta(key, bytes), 1)
    for (const [key, bytes] of modules.table.range(...allOlder())) {
      book.#count(readMeta(key, bytes), 1)
      book.#older++
      book.#records--
    }
    book.#measure()
    return book
  }

  current(id: EntryId): StoredRecord | undefined {
    const key = metaKey(id)
    const bytes = this.#modules.table.get(key)
    return bytes === undefined ? undefined : this.#stored(readMeta(key, bytes))
  }

  /** The current entries of a record, in entry order, those after `after` only when it is given. */
  *entries(recordKey: Uint8Array, after?: Uint8Array): Iterable<StoredRecord> {
    const range = metaRange(recordKey, recordKey, after && { recordKey, entry: after })
    for (const [key, bytes] of this.#modules.table.range(...range)) yield this.#stored(readMeta(key, bytes))
  }

  /** All current entries whose record keys lie in [from, to], in order of key and entry, without their values. */
  *list(from: Uint8Array, to: Uint8Array, after?: EntryId): Iterable<RecordMeta> {
    for (const [key, bytes] of this.#modules.table.range(...metaRange(from, to, after))) yield readMeta(key, bytes)
  }

  /** The version that a receipt names, current or older. */
  receipted(recordKey: Uint8Array, putDigest: Uint8Array, leaf: number): StoredRecord | undefined {
    const { table } = this.#modules
    for (const range of [metaRange(recordKey, recordKey), olderRange(recordKey)]) {
      for (const [key, bytes] of table.range(...range)) {
        const meta = readMeta(key, bytes)
        if (meta.version.leaf === leaf && equalBytes(meta.putDigest, putDigest)) return this.#stored(meta)
      }
    }
    return undefined
  }

  /**
   * Saves a record and the promise to keep it until `untilEpoch`, together; resolves once both are on disk.
   * @throws what the table throws; nothing was promised then
   */
  save(record: DhtRecord, promise: { readonly untilEpoch: number; readonly standIn: boolean }): Promise<Saved> {
    const entry = toHex(metaKey(record))
    const before = this.#underWay.get(entry)
    const saving = before === undefined ? this.#save(record, promise) : before.then(() => this.#save(record, promise))
    // Whoever comes next waits for the end of this one, whatever it is; its failure is told to its own caller.
    const settled = saving.then(
      () => undefined,
      () => undefined,
    )
    this.#underWay.set(entry, settled)
    void settled.then(() => {
      if (this.#underWay.get(entry) === settled) this.#underWay.delete(entry)
    })
    return saving
  }

  usage(stakeId: number): Usage {
    return this.#usage.get(stakeId) ?? { records: 0, bytes: 0 }
  }

  /** Calls `listener` after each new version. @returns the function that ends it */
  onSaved(listener: (meta: RecordMeta) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stats(): {
    readonly records: number
    readonly older: number
    readonly bytes: number
    readonly writers: number
    /** The last epoch for which something was promised; 0 when nothing was. */
    readonly promisedUntilEpoch: number
  } {
    return {
      records: this.#records,
      older: this.#older,
      bytes: this.#bytes,
      writers: this.#usage.size,
      promisedUntilEpoch: this.#newestKeepEpoch,
    }
  }

  /**
   * Drops what neither a promise nor its own life keeps any more, at most a few thousand versions a call. Time stands
   * still for it where challenges were not read yet: a promise may be called in that nobody here knows of.
   * @param finalSeconds unix seconds of the newest final block: the time by which a court would judge
   * @returns how many versions were dropped
   */
  async sweep(finalSeconds: number): Promise<number> {
    const { epochSeconds, responseSeconds, skewSeconds } = this.#params
    const readUntil = this.#modules.challenges.readUntilSeconds()
    if (readUntil === undefined) return 0
    const over = Math.floor((Math.min(finalSeconds, readUntil) - responseSeconds - skewSeconds) / epochSeconds)
    const due = []
    for (const [key] of this.#modules.table.range(...keepRange(over))) {
      due.push(readKeepKey(key))
      if (due.length >= SWEEP_ROWS_MAX) break
    }
    let dropped = 0
    for (let at = 0; at < due.length; at += RECORDS_PER_TURN) {
      const turn = due.slice(at, at + RECORDS_PER_TURN).map((keep) => this.#sweepOne(keep, over))
      dropped += (await Promise.all(turn)).filter(Boolean).length
    }
    if (dropped > 0) this.#modules.logger.debug('records dropped', { dropped })
    this.#measure()
    return dropped
  }

  async #save(
    record: DhtRecord,
    { untilEpoch, standIn }: { readonly untilEpoch: number; readonly standIn: boolean },
  ): Promise<Saved> {
    const current = this.current(record)
    const order = current === undefined ? 1 : compareVersions(record.version, current.version)
    const older = this.#older === 0 || order === 0 ? undefined : this.#olderVersion(record)
    const same = order === 0 ? current : older
    // Rows are named by the slot: a receipt for a second content of it would promise bytes that are not there.
    if (same !== undefined && !equalBytes(same.putDigest, record.putDigest)) return { outcome: 'conflict' }
    if (current !== undefined && order === 0) {
      await this.#keepLonger(current, untilEpoch, { standIn: current.standIn && standIn })
      return { outcome: 'same' }
    }
    if (current !== undefined && order < 0) {
      if (older === undefined) return { outcome: 'superseded', current }
      await this.#keepLonger(older, untilEpoch, { standIn: older.standIn })
      return { outcome: 'same' }
    }
    const meta = metaOf(record, Math.max(untilEpoch, older?.keepUntilEpoch ?? 0), standIn)
    const writes: Write[] = [
      [metaKey(meta), encodeMeta(meta)],
      [valueKey(meta), record.value],
      // What replaced it is over before it is: the version is current again, and no longer an older one.
      ...(older === undefined ? [] : [[olderKey(older), undefined] as const]),
      ...(older === undefined ? [] : [[keepKey(older.keepUntilEpoch, older), undefined] as const]),
      [keepKey(meta.keepUntilEpoch, meta), KEPT],
      ...(current === undefined ? [] : [[olderKey(current), encodeMeta(current)] as const]),
    ]
    await this.#modules.table.write(writes)
    this.#newestKeepEpoch = Math.max(this.#newestKeepEpoch, meta.keepUntilEpoch)
    if (older === undefined) this.#count(meta, 1)
    else {
      this.#older--
      this.#records++
    }
    if (current !== undefined) {
      this.#older++
      this.#records--
    }
    for (const listener of this.#listeners) listener(meta)
    return { outcome: 'new' }
  }

  /** A longer promise is on disk before it is given. */
  async #keepLonger(
    stored: StoredRecord,
    untilEpoch: number,
    { standIn }: { readonly standIn: boolean },
  ): Promise<void> {
    const keepUntilEpoch = Math.max(stored.keepUntilEpoch, untilEpoch)
    if (keepUntilEpoch === stored.keepUntilEpoch && standIn === stored.standIn) return
    const meta: RecordMeta = { ...stored, keepUntilEpoch, standIn }
    const isCurrent = this.#isCurrent(stored)
    await this.#modules.table.write([
      [isCurrent ? metaKey(meta) : olderKey(meta), encodeMeta(meta)],
      [keepKey(stored.keepUntilEpoch, stored), undefined],
      [keepKey(keepUntilEpoch, meta), KEPT],
    ])
    this.#newestKeepEpoch = Math.max(this.#newestKeepEpoch, keepUntilEpoch)
  }

  /** @param over the first epoch whose promises may still be called in */
  #sweepOne(keep: VersionId & { readonly epoch: number }, over: number): Promise<boolean> {
    const entry = toHex(metaKey(keep))
    const before = this.#underWay.get(entry) ?? Promise.resolve()
    const sweeping = before.then(() => this.#drop(keep, over))
    const settled = sweeping.then(
      () => undefined,
      () => undefined,
    )
    this.#underWay.set(entry, settled)
    void settled.then(() => {
      if (this.#underWay.get(entry) === settled) this.#underWay.delete(entry)
    })
    return sweeping
  }

  async #drop(keep: VersionId & { readonly epoch: number }, over: number): Promise<boolean> {
    const { table, challenges } = this.#modules
    const current = this.current(keep)
    const isCurrent = current !== undefined && isVersion(current, keep)
    const stored = isCurrent ? current : this.#olderVersion(keep)
    const row = keepKey(keep.epoch, keep)
    if (stored === undefined || stored.keepUntilEpoch !== keep.epoch) {
      await table.write([[row, undefined]])
      return false
    }
    if (challenges.isOpen(stored.putDigest, stored.version.leaf)) return false
    if (isCurrent && stored.expiryEpoch >= over) {
      // Its promise is over and its life is not: it stays, to be looked at again at its end.
      const meta = { ...stored, keepUntilEpoch: stored.expiryEpoch }
      await table.write([
        [metaKey(meta), encodeMeta(meta)],
        [row, undefined],
        [keepKey(stored.expiryEpoch, stored), KEPT],
      ])
      return false
    }
    await table.write([
      [isCurrent ? metaKey(stored) : olderKey(stored), undefined],
      [valueKey(stored), undefined],
      [row, undefined],
    ])
    this.#count(stored, -1)
    if (!isCurrent) {
      this.#older--
      this.#records++
    }
    return true
  }

  #isCurrent(stored: StoredRecord): boolean {
    const current = this.current(stored)
    return current !== undefined && isVersion(current, stored)
  }

  #olderVersion(id: VersionId): StoredRecord | undefined {
    const key = olderKey(id)
    const bytes = this.#modules.table.get(key)
    return bytes === undefined ? undefined : this.#stored(readMeta(key, bytes))
  }

  #stored(meta: RecordMeta): StoredRecord {
    return { ...meta, value: () => new Uint8Array(this.#modules.table.get(valueKey(meta)) ?? new Uint8Array()) }
  }

  #count({ writerStakeId, size, frame, keepUntilEpoch }: RecordMeta, by: 1 | -1): void {
    const bytes = by * (size + frame.length)
    const usage = this.#usage.get(writerStakeId) ?? { records: 0, bytes: 0 }
    usage.records += by
    usage.bytes += bytes
    if (usage.records > 0) this.#usage.set(writerStakeId, usage)
    else this.#usage.delete(writerStakeId)
    this.#records += by
    this.#bytes += bytes
    this.#newestKeepEpoch = Math.max(this.#newestKeepEpoch, keepUntilEpoch)
  }

  #measure(): void {
    const { metrics } = this.#modules
    const records = metrics.gauge('suprnova_dht_records', 'Versions held, by whether they are current')
    records.set(this.#records, { version: 'current' })
    records.set(this.#older, { version: 'older' })
    metrics.gauge('suprnova_dht_record_bytes', 'Bytes of values and PUT frames held').set(this.#bytes)
  }
}

/** A row must hold something to be there. */
const KEPT = Uint8Array.of(1)

function isVersion(stored: RecordMeta, { version }: VersionId): boolean {
  return stored.version.position === version.position && stored.version.leaf === version.leaf
}

function metaOf(record: SignedPut, keepUntilEpoch: number, standIn: boolean): RecordMeta {
  const { recordKey, entry, version, writerStakeId, putDigest, frame, put } = record
  return {
    ...{ recordKey, entry, version, writerStakeId, putDigest, frame, standIn, keepUntilEpoch },
    size: put.size,
    expiryEpoch: Number(put.expiryEpoch),
  }
}
