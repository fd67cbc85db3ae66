import type { RefusalReason } from '../errors.ts'
import type { EntryId, Version } from '../interface.ts'
import { bad, decodeRefused, OP, STATUS } from '../protocol/messages.ts'
import { DIGEST_BUCKETS, OFFER_MAX_ENTRIES } from './constants.ts'
import { type Salt, ShareDigest } from './share-digest.ts'

/** "Over the records whose replicas we both are in that epoch: do we hold the same?" */
export interface DigestRequest {
  readonly epoch: number
  readonly salt: Salt
  /** Over all buckets of the asker. */
  readonly total: { readonly count: number; readonly high: number; readonly low: number }
}

export type DigestAnswer =
  | { readonly status: 'same' }
  | { readonly status: 'different'; readonly digest: ShareDigest }
  | Refused

/** One entry with its version, without anything that would have to be believed. */
export interface OfferedEntry extends EntryId {
  readonly version: Version
}

/** "This is what I hold: which of it do you lack, or have in an older version?" */
export interface OfferRequest {
  readonly entries: readonly OfferedEntry[]
}

export type OfferAnswer = { readonly status: 'lacking'; readonly lacking: readonly boolean[] } | Refused

interface Refused {
  readonly status: 'refused'
  readonly reason: RefusalReason
  readonly detail: string
}

const DIGEST_REQUEST_BYTES = 1 + 4 + 8 + 12
const DIGEST_ANSWER_BYTES = 2 + DIGEST_BUCKETS * 12
const HAS_ENTRY = 1
const HAS_RANK = 2

/** op | epoch u32 | salt 8 | count u32 | sum 8. */
export function encodeDigest({ epoch, salt, total }: DigestRequest): Uint8Array {
  const bytes = new Uint8Array(DIGEST_REQUEST_BYTES)
  bytes[0] = OP.digest
  const words = [epoch, salt.high, salt.low, total.count, total.high, total.low]
  for (const [index, word] of words.entries()) viewOf(bytes).setUint32(1 + 4 * index, word)
  return bytes
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeDigest(bytes: Uint8Array): DigestRequest {
  if (bytes.length !== DIGEST_REQUEST_BYTES) throw bad('digest', `${bytes.length} bytes, not ${DIGEST_REQUEST_BYTES}`)
  const view = viewOf(bytes)
  const word = (index: number) => view.getUint32(1 + 4 * index)
  return {
    epoch: word(0),
    salt: { high: word(1), low: word(2) },
    total: { count: word(3), high: word(4), low: word(5) },
  }
}

/** Status | 0 when the totals agree, else 1 and for each bucket count u32 and sum 8. */
export function encodeDigestAnswer(digest: ShareDigest | undefined): Uint8Array {
  if (digest === undefined) return Uint8Array.of(STATUS.ok, 0)
  const bytes = new Uint8Array(DIGEST_ANSWER_BYTES)
  bytes[1] = 1
  const view = viewOf(bytes)
  for (let bucket = 0; bucket < DIGEST_BUCKETS; bucket++) {
    view.setUint32(2 + 12 * bucket, digest.counts[bucket] as number)
    view.setUint32(6 + 12 * bucket, digest.high[bucket] as number)
    view.setUint32(10 + 12 * bucket, digest.low[bucket] as number)
  }
  return bytes
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeDigestAnswer(bytes: Uint8Array): DigestAnswer {
  if (bytes[0] === STATUS.refused) return decodeRefused(bytes)
  if (bytes[0] !== STATUS.ok) throw bad('digest answer', `status ${bytes[0]} is unknown`)
  if (bytes.length === 2 && bytes[1] === 0) return { status: 'same' }
  if (bytes.length !== DIGEST_ANSWER_BYTES || bytes[1] !== 1) throw bad('digest answer', `${bytes.length} bytes`)
  const view = viewOf(bytes)
  const digest = new ShareDigest()
  for (let bucket = 0; bucket < DIGEST_BUCKETS; bucket++) {
    digest.counts[bucket] = view.getUint32(2 + 12 * bucket)
    digest.high[bucket] = view.getUint32(6 + 12 * bucket)
    digest.low[bucket] = view.getUint32(10 + 12 * bucket)
  }
  return { status: 'different', digest }
}

/**
 * op | u16 count | each: flags, record key 32, entry 32 unless zero, rank u64 unless zero, position u64, leaf u8.
 * An entry of an owner record is 42 bytes.
 */
export function encodeOffer({ entries }: OfferRequest): Uint8Array {
  const bytes = new Uint8Array(3 + entries.length * 82)
  const view = viewOf(bytes)
  bytes[0] = OP.list
  view.setUint16(1, entries.length)
  let at = 3
  for (const { recordKey, entry, version } of entries) {
    const hasEntry = entry.some((byte) => byte !== 0)
    const hasRank = version.rank !== 0n
    bytes[at++] = (hasEntry ? HAS_ENTRY : 0) | (hasRank ? HAS_RANK : 0)
    bytes.set(recordKey, at)
    at += 32
    if (hasEntry) {
      bytes.set(entry, at)
      at += 32
    }
    if (hasRank) {
      view.setBigUint64(at, version.rank)
      at += 8
    }
    view.setBigUint64(at, version.position)
    bytes[at + 8] = version.leaf
    at += 9
  }
  return bytes.subarray(0, at)
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeOffer(bytes: Uint8Array): OfferRequest {
  if (bytes.length < 3) throw bad('list', 'cut off')
  const view = viewOf(bytes)
  const count = view.getUint16(1)
  if (count === 0 || count > OFFER_MAX_ENTRIES) throw bad('list', `${count} entries, the limit is ${OFFER_MAX_ENTRIES}`)
  const entries: OfferedEntry[] = []
  let at = 3
  while (entries.length < count) {
    const flags = bytes[at] ?? 0xff
    if (flags > (HAS_ENTRY | HAS_RANK)) throw bad('list', `flags ${flags} are unknown`)
    const entryBytes = flags & HAS_ENTRY ? 32 : 0
    const rankBytes = flags & HAS_RANK ? 8 : 0
    if (at + 1 + 32 + entryBytes + rankBytes + 9 > bytes.length) throw bad('list', 'cut off')
    const recordKey = bytes.subarray(at + 1, at + 33)
    at += 33
    const entry = entryBytes > 0 ? bytes.subarray(at, at + 32) : new Uint8Array(32)
    at += entryBytes
    const rank = rankBytes > 0 ? view.getBigUint64(at) : 0n
    at += rankBytes
    entries.push({
      recordKey,
      entry,
      version: { rank, position: view.getBigUint64(at), leaf: bytes[at + 8] as number },
    })
    at += 9
  }
  if (at !== bytes.length) throw bad('list', `${bytes.length - at} bytes after the end`)
  return { entries }
}

/** Status | one bit an entry, in order, the lowest bit of a byte first: set where it is lacking. */
export function encodeOfferAnswer(lacking: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(1 + Math.ceil(lacking.length / 8))
  for (const [index, isLacking] of lacking.entries()) {
    if (isLacking) bytes[1 + (index >> 3)] = (bytes[1 + (index >> 3)] as number) | (1 << (index & 7))
  }
  return bytes
}

/** @throws {DhtError} `DHT_BAD_MESSAGE` */
export function decodeOfferAnswer(bytes: Uint8Array, count: number): OfferAnswer {
  if (bytes[0] === STATUS.refused) return decodeRefused(bytes)
  const length = 1 + Math.ceil(count / 8)
  if (bytes[0] !== STATUS.ok || bytes.length !== length)
    throw bad('list answer', `${bytes.length} bytes, not ${length}`)
  return {
    status: 'lacking',
    lacking: Array.from(
      { length: count },
      (_, index) => (((bytes[1 + (index >> 3)] as number) >> (index & 7)) & 1) === 1,
    ),
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
