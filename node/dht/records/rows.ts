import { equalBytes } from '../../core/index.ts'
import { KEY_TYPE } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import type { EntryId, Version } from '../interface.ts'

// One table, five families of rows, told apart by their first byte. `place` = recordKey 32 | entry 32,
// `at` = position 8 | leaf 1 | digest 32. Big-endian throughout, so that rows of a key lie together and in order. The
// digest stands there because two writers of one entry may use the same position: their rows must not meet.
//
//   m | place            the current version of an entry: meta
//   o | place | at       an older version whose receipts are still out: meta
//   v | place | at       the value of either
//   k | epoch 8 | place | at   when to look at a version again: nothing before the end of its keep-time
//   d | recordKey | digest | leaf   of cells alone, which hold crowds: entry 32 | position 8 of that PUT

const META = 0x6d
const OLDER = 0x6f
const VALUE = 0x76
const KEEP = 0x6b
const DIGEST = 0x64

const ROW_VERSION = 3
const LEAF_AT = 27
const DIGEST_AT = 48
const META_HEAD_BYTES = DIGEST_AT + 32
const AT_BYTES = 8 + 1 + 32
const FLAG_STAND_IN = 1

/** What is kept of a version beside its value. */
export interface RecordMeta extends EntryId {
  readonly version: Version
  /** See `KEY_TYPE`. */
  readonly keyType: number
  readonly writerStakeId: number
  /** 32 bytes: the digest of the PUT statement. */
  readonly putDigest: Uint8Array
  /** Bytes of the value. */
  readonly size: number
  readonly expiryEpoch: number
  /** The last epoch of the longest receipt that was given for it, or will be. */
  readonly keepUntilEpoch: number
  /** Held in place of a replica that was away. */
  readonly standIn: boolean
  /** The PUT as a wire frame, form 0. */
  readonly frame: Uint8Array
}

/** Where a version stands: what its rows are named by. */
export type VersionId = EntryId & {
  readonly version: Pick<Version, 'position' | 'leaf'>
  readonly putDigest: Uint8Array
}

export const metaKey = (id: EntryId): Uint8Array => named(META, id)
export const olderKey = (id: VersionId): Uint8Array => namedAt(OLDER, id)
export const valueKey = (id: VersionId): Uint8Array => namedAt(VALUE, id)

/** All current entries whose record key lies in [from, to], both 32 bytes; `after` skips to what follows an entry. */
export function metaRange(from: Uint8Array, to: Uint8Array, after?: EntryId): readonly [Uint8Array, Uint8Array] {
  const start = after === undefined ? prefixed(META, from) : following(named(META, after))
  return [start, following(prefixed(META, to, LAST_32))]
}

/** All older versions of a record's entries. */
export function olderRange(recordKey: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return [prefixed(OLDER, recordKey), following(prefixed(OLDER, recordKey, LAST_32, LAST_AT))]
}

/** The older versions of an entry at one position, whoever wrote them. */
export function olderAt({ entry, recordKey }: EntryId, position: bigint): readonly [Uint8Array, Uint8Array] {
  const at = new Uint8Array(8)
  new DataView(at.buffer).setBigUint64(0, position)
  const from = prefixed(OLDER, recordKey, entry, at)
  return [from, following(prefixed(OLDER, recordKey, entry, at, LAST_AT.subarray(8)))]
}

export const allMeta = (): readonly [Uint8Array, Uint8Array] => [Uint8Array.of(META), Uint8Array.of(META + 1)]
export const allOlder = (): readonly [Uint8Array, Uint8Array] => [Uint8Array.of(OLDER), Uint8Array.of(OLDER + 1)]

/** Where the PUT of a digest stands in its cell. */
export function digestKey(recordKey: Uint8Array, putDigest: Uint8Array, leaf: number): Uint8Array {
  return prefixed(DIGEST, recordKey, putDigest, Uint8Array.of(leaf))
}

/** What a row of the family d holds. */
export function encodePlace({ entry, version: { position } }: VersionId): Uint8Array {
  const place = new Uint8Array(40)
  place.set(entry)
  new DataView(place.buffer).setBigUint64(32, position)
  return place
}

/** The version that a row of the family d names. */
export function readPlace(key: Uint8Array, place: Uint8Array): VersionId {
  return {
    recordKey: key.slice(1, 33),
    entry: place.slice(0, 32),
    version: { position: viewOf(place).getBigUint64(32), leaf: key[65] as number },
    putDigest: key.slice(33, 65),
  }
}

export function keepKey(epoch: number, id: VersionId): Uint8Array {
  const key = new Uint8Array(1 + 8 + 64 + AT_BYTES)
  key[0] = KEEP
  const view = new DataView(key.buffer)
  view.setBigUint64(1, BigInt(epoch))
  key.set(id.recordKey, 9)
  key.set(id.entry, 41)
  writeAt(view, 73, id)
  return key
}

/** Keep rows of epochs before `epoch`, all of them or those after the row `after`. */
export function keepRange(epoch: number, after?: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const end = new Uint8Array(9)
  end[0] = KEEP
  new DataView(end.buffer).setBigUint64(1, BigInt(Math.max(0, epoch)))
  return [after === undefined ? Uint8Array.of(KEEP) : following(after), end]
}

export function readKeepKey(key: Uint8Array): VersionId & { readonly epoch: number } {
  const view = viewOf(key)
  return {
    epoch: Number(view.getBigUint64(1)),
    recordKey: key.slice(9, 41),
    entry: key.slice(41, 73),
    version: { position: view.getBigUint64(73), leaf: view.getUint8(81) },
    putDigest: key.slice(82, 114),
  }
}

export function encodeMeta(meta: RecordMeta): Uint8Array {
  const bytes = new Uint8Array(META_HEAD_BYTES + meta.frame.length)
  const view = new DataView(bytes.buffer)
  bytes[0] = ROW_VERSION
  bytes[1] = meta.standIn ? FLAG_STAND_IN : 0
  bytes[2] = meta.keyType
  view.setBigUint64(3, BigInt(meta.writerStakeId))
  view.setBigUint64(11, meta.version.rank)
  view.setBigUint64(19, meta.version.position)
  view.setUint8(LEAF_AT, meta.version.leaf)
  view.setUint32(28, meta.size)
  view.setBigUint64(32, BigInt(meta.expiryEpoch))
  view.setBigUint64(40, BigInt(meta.keepUntilEpoch))
  bytes.set(meta.putDigest, DIGEST_AT)
  bytes.set(meta.frame, META_HEAD_BYTES)
  return bytes
}

/**
 * Reads a row of the families m and o.
 * @throws DhtError `DHT_BAD_ROW` for what this program never wrote
 */
export function readMeta(key: Uint8Array, bytes: Uint8Array): RecordMeta {
  if (bytes[0] !== ROW_VERSION || bytes.length <= META_HEAD_BYTES) {
    throw new DhtError('DHT_BAD_ROW', `a record row of ${bytes.length} bytes and version ${bytes[0]}`, {
      hint: 'the store was written by another version of the program, or is damaged',
    })
  }
  const view = viewOf(bytes)
  return {
    recordKey: key.slice(1, 33),
    entry: key.slice(33, 65),
    standIn: bytes[1] === FLAG_STAND_IN,
    keyType: bytes[2] as number,
    writerStakeId: Number(view.getBigUint64(3)),
    version: { rank: view.getBigUint64(11), position: view.getBigUint64(19), leaf: view.getUint8(LEAF_AT) },
    size: view.getUint32(28),
    expiryEpoch: Number(view.getBigUint64(32)),
    keepUntilEpoch: Number(view.getBigUint64(40)),
    putDigest: bytes.slice(DIGEST_AT, META_HEAD_BYTES),
    frame: bytes.slice(META_HEAD_BYTES),
  }
}

/** Whether a row of the families m and o is of a cell entry, without reading the rest of it. */
export function isCellRow(bytes: Uint8Array): boolean {
  return bytes[2] === KEY_TYPE.cell
}

/** Whether a row of the families m and o is of that PUT and leaf, without reading the rest of it. */
export function isRowOf(bytes: Uint8Array, putDigest: Uint8Array, leaf: number): boolean {
  return bytes[LEAF_AT] === leaf && equalBytes(bytes.subarray(DIGEST_AT, META_HEAD_BYTES), putDigest)
}

const LAST_32 = new Uint8Array(32).fill(0xff)
const LAST_AT = new Uint8Array(AT_BYTES).fill(0xff)

function named(family: number, { recordKey, entry }: EntryId): Uint8Array {
  const key = new Uint8Array(65)
  key[0] = family
  key.set(recordKey, 1)
  key.set(entry, 33)
  return key
}

function namedAt(family: number, id: VersionId): Uint8Array {
  const key = new Uint8Array(65 + AT_BYTES)
  key.set(named(family, id))
  writeAt(new DataView(key.buffer), 65, id)
  return key
}

function writeAt(view: DataView, offset: number, { putDigest, version: { leaf, position } }: VersionId): void {
  view.setBigUint64(offset, position)
  view.setUint8(offset + 8, leaf)
  new Uint8Array(view.buffer).set(putDigest, offset + 9)
}

function prefixed(family: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([Uint8Array.of(family), ...parts]))
}

/** The first key after `key` in byte order. */
function following(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
