import { equalBytes, type Logger, type Metrics, type ProtocolParams, type Table, toHex } from '../../core/index.ts'
import { chunkRoot, KEY_TYPE } from '../../statements/index.ts'
import type { ChallengeView, DhtRecord, EntryId, SignedPut } from '../interface.ts'
import { BookCounts, type BookStats, type Usage } from './book-counts.ts'
import {
  allMeta,
  allOlder,
  digestKey,
  encodeMeta,
  encodePlace,
  isCellRow,
  isRowOf,
  keepKey,
  keepRange,
  metaKey,
  metaRange,
  olderAt,
  olderKey,
  olderRange,
  type RecordMeta,
  readKeepKey,
  readMeta,
  readPlace,
  type VersionId,
  valueKey,
} from './rows.ts'
import { comparePuts } from './version.ts'

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
  readonly #counts: BookCounts
  readonly #listeners = new Set<(meta: RecordMeta) => void>()
  /** The newest save of an entry that is under way: the next one waits for it. */
  readonly #underWay = new Map<string, Promise<unknown>>()
  /** The keep row at which the last sweep stopped short; `undefined` when it came to the end. */
  #sweptTo: Uint8Array | undefined

  private constructor(params: ProtocolParams, modules: RecordBookModules) {
    this.#params = params
    this.#modules = modules
    this.#counts = new BookCounts(modules.metrics)
  }

  /** Opens the book, counting what each writer holds in one pass over the rows without values. */
  static async open(params: ProtocolParams, modules: RecordBookModules): Promise<RecordBook> {
    const book = new RecordBook(params, modules)
    for (const [key, bytes] of modules.table.range(...allMeta())) book.#counts.count(readMeta(key, bytes), 'current', 1)
    for (const [key, bytes] of modules.table.range(...allOlder())) book.#counts.count(readMeta(key, bytes), 'older', 1)
    book.#counts.measure()
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
    const row = digestKey(recordKey, putDigest, leaf)
    const place = table.get(row)
    if (place !== undefined) return this.held(readPlace(row, place))
    for (const range of [metaRange(recordKey, recordKey), olderRange(recordKey)]) {
      for (const [key, bytes] of table.range(...range)) {
        if (isRowOf(bytes, putDigest, leaf)) return this.#stored(readMeta(key, bytes))
        // A cell may hold a crowd, and each of it has its row by digest.
        if (isCellRow(bytes)) return undefined
      }
    }
    return undefined
  }

  /** This very version, current or older; `undefined` when it is not held. */
  held(signed: VersionId): StoredRecord | undefined {
    const current = this.current(signed)
    if (current !== undefined && isVersion(current, signed)) return current
    return this.#counts.older === 0 ? undefined : this.#olderVersion(signed)
  }

  /** A value held here of that root: of the entry itself, or for content of any entry of its record. */
  valueOf({ entry, put: { keyType, size, valueRoot }, recordKey }: Omit<SignedPut, 'frame'>): Uint8Array | undefined {
    const own = this.current({ recordKey, entry })
    const candidates = own !== undefined || keyType !== KEY_TYPE.content ? [own] : this.entries(recordKey)
    for (const stored of candidates) {
      if (stored === undefined || stored.size !== size) continue
      const value = stored.value()
      if (equalBytes(chunkRoot(value), valueRoot)) return value
    }
    return undefined
  }

  /** Current entries of one writer in one cell. */
  crowdOf(recordKey: Uint8Array, writerStakeId: number): number {
    return this.#counts.crowdOf(recordKey, writerStakeId)
  }

  /**
   * Saves a record and the promise to keep it until `untilEpoch`, together; resolves once both are on disk.
   * @throws what the table throws; nothing was promised then
   */
  save(record: DhtRecord, promise: { readonly untilEpoch: number; readonly standIn: boolean }): Promise<Saved> {
    return this.#inTurn(record, () => this.#save(record, promise))
  }

  usage(stakeId: number): Usage {
    return this.#counts.usage(stakeId)
  }

  /** Calls `listener` after each new version. @returns the function that ends it */
  onSaved(listener: (meta: RecordMeta) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stats(): BookStats {
    return this.#counts.stats()
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
    const due: Uint8Array[] = []
    for (const [key] of this.#modules.table.range(...keepRange(over, this.#sweptTo))) {
      due.push(key)
      if (due.length >= SWEEP_ROWS_MAX) break
    }
    // What must stay, under challenge, stands first the next time too: go on behind it.
    this.#sweptTo = due.length < SWEEP_ROWS_MAX ? undefined : due.at(-1)
    let dropped = 0
    const failures: unknown[] = []
    for (let at = 0; at < due.length; at += RECORDS_PER_TURN) {
      const turn = due.slice(at, at + RECORDS_PER_TURN).map((key) => {
        const keep = readKeepKey(key)
        return this.#inTurn(keep, () => this.#drop(keep, over))
      })
      // One row that cannot be written, on a full disk, must not keep the others from making room.
      for (const outcome of await Promise.allSettled(turn)) {
        if (outcome.status === 'rejected') failures.push(outcome.reason)
        else if (outcome.value) dropped++
      }
    }
    if (dropped > 0) this.#modules.logger.debug('records dropped', { dropped })
    this.#counts.measure()
    if (failures.length > 0) throw failures[0]
    return dropped
  }

  async #save(
    record: DhtRecord,
    { untilEpoch, standIn }: { readonly untilEpoch: number; readonly standIn: boolean },
  ): Promise<Saved> {
    const current = this.current(record)
    // Promising a second content of a slot would help a liar, and nobody else.
    if (this.#equivocates(record, current)) return { outcome: 'conflict' }
    const older = this.#counts.older === 0 ? undefined : this.#olderVersion(record)
    const order = current === undefined ? 1 : comparePuts(record, current)
    if (current !== undefined && order <= 0) {
      const same = order === 0 ? current : older
      if (same === undefined) return { outcome: 'superseded', current }
      await this.#keepLonger(same, untilEpoch, { standIn: same.standIn && (standIn || order < 0) })
      return { outcome: 'same' }
    }
    const keepUntilEpoch = Math.max(untilEpoch, older?.keepUntilEpoch ?? 0)
    const meta = metaOf(record, keepUntilEpoch, standIn)
    const writes: Write[] = [
      // What replaced it is over before it is: the version is current again, and no longer an older one.
      ...(older === undefined
        ? []
        : ([
            [olderKey(older), undefined],
            [keepKey(older.keepUntilEpoch, older), undefined],
          ] satisfies Write[])),
      [metaKey(meta), encodeMeta(meta)],
      [valueKey(meta), record.value],
      [keepKey(keepUntilEpoch, meta), KEPT],
      ...placeOf(meta, encodePlace(meta)),
      ...(current === undefined ? [] : [[olderKey(current), encodeMeta(current)] as const]),
    ]
    await this.#modules.table.write(writes)
    this.#counts.promise(keepUntilEpoch)
    if (older !== undefined) this.#counts.count(older, 'older', -1)
    this.#counts.count(meta, 'current', 1)
    if (current !== undefined) {
      this.#counts.count(current, 'current', -1)
      this.#counts.count(current, 'older', 1)
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
    this.#counts.promise(keepUntilEpoch)
  }

  /** Runs `work` after whatever is under way for an entry: nothing about it changes meanwhile. */
  #inTurn<T>(id: EntryId, work: () => Promise<T>): Promise<T> {
    const entry = toHex(metaKey(id))
    const before = this.#underWay.get(entry)
    const working = before === undefined ? work() : before.then(work)
    // Whoever comes next waits for the end of this one, whatever it is; its failure is told to its own caller.
    const settled = working.then(
      () => undefined,
      () => undefined,
    )
    this.#underWay.set(entry, settled)
    void settled.then(() => {
      if (this.#underWay.get(entry) === settled) this.#underWay.delete(entry)
    })
    return working
  }

  /** @param over the first epoch whose promises may still be called in */
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
      ...placeOf(stored, undefined),
    ])
    this.#counts.count(stored, isCurrent ? 'current' : 'older', -1)
    return true
  }

  /** Whether its writer has said something else in the same slot, as far as it is held here. */
  #equivocates(record: DhtRecord, current: StoredRecord | undefined): boolean {
    const { position } = record.version
    const isOther = (said: RecordMeta) =>
      said.writerStakeId === record.writerStakeId &&
      said.version.position === position &&
      !equalBytes(said.putDigest, record.putDigest)
    if (current !== undefined && isOther(current)) return true
    if (this.#counts.older === 0) return false
    for (const [key, bytes] of this.#modules.table.range(...olderAt(record, position))) {
      if (isOther(readMeta(key, bytes))) return true
    }
    return false
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
}

/** A row must hold something to be there. */
const KEPT = Uint8Array.of(1)

function isVersion(stored: RecordMeta, { putDigest, version }: VersionId): boolean {
  return stored.version.leaf === version.leaf && equalBytes(stored.putDigest, putDigest)
}

/** The row by digest of a cell entry. */
function placeOf(meta: RecordMeta, value: Uint8Array | undefined): readonly Write[] {
  if (meta.keyType !== KEY_TYPE.cell) return []
  return [[digestKey(meta.recordKey, meta.putDigest, meta.version.leaf), value]]
}

function metaOf(record: SignedPut, keepUntilEpoch: number, standIn: boolean): RecordMeta {
  const { recordKey, entry, version, writerStakeId, putDigest, frame, put } = record
  return {
    ...{ recordKey, entry, version, writerStakeId, putDigest, frame, standIn, keepUntilEpoch },
    keyType: put.keyType,
    size: put.size,
    expiryEpoch: Number(put.expiryEpoch),
  }
}
