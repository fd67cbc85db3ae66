import { keccak256 } from '../../statements/index.ts'
import type { EntryId, Version } from '../interface.ts'
import { DIGEST_BUCKETS } from './constants.ts'
import { type EntryHash, entryHash, type Salt, ShareDigest } from './share-digest.ts'

/** An entry as the index takes it. */
export interface IndexedEntry extends EntryId {
  readonly version: Version
  /** The epoch in which its PUT was signed. */
  readonly putEpoch: number
  readonly expiryEpoch: number
}

const FIRST_ROWS = 64

/**
 * Whose replicas this node's entries are, packed: about 150 bytes an entry with 3 replicas, the map by id included.
 * An entry written in the running epoch is left out of every comparison, since it may be under way to the other side;
 * one that ends with it as well.
 */
export class ShareIndex {
  readonly #replicas: number
  readonly #salt: Uint8Array
  readonly #rows = new Map<number, number>()
  #keys = new BigUint64Array(FIRST_ROWS)
  #hashes = new Uint32Array(2 * FIRST_ROWS)
  #epochs = new Uint32Array(2 * FIRST_ROWS)
  #members: Float64Array
  /** Which replicas were away when all others were seen to hold the entry, as {@link awayMark}; 0 before. */
  #settled = new Uint32Array(FIRST_ROWS)
  #size = 0

  /**
   * @param salt this node's own random bytes: rows are found by a short hash, and nobody must be able to make up an entry
   * that takes the row of another's
   */
  constructor(replicas: number, salt: Uint8Array) {
    this.#replicas = replicas
    this.#salt = salt
    this.#members = new Float64Array(FIRST_ROWS * replicas)
  }

  get size(): number {
    return this.#size
  }

  /**
   * Puts an entry in, or in place of an older version of it.
   * @param before an older index: what was settled there for the same version and replicas still is
   */
  set(indexed: IndexedEntry, members: readonly number[], before?: ShareIndex): void {
    const id = this.#idOf(indexed)
    let row = this.#rows.get(id)
    if (row === undefined) {
      row = this.#size++
      this.#rows.set(id, row)
      if (row * this.#replicas >= this.#members.length) this.#grow()
    }
    const hash = entryHash(indexed, indexed.version)
    this.#keys[row] = prefixOf(indexed.recordKey)
    this.#hashes[2 * row] = hash.high
    this.#hashes[2 * row + 1] = hash.low
    this.#epochs[2 * row] = indexed.putEpoch
    this.#epochs[2 * row + 1] = Math.min(indexed.expiryEpoch, 0xffff_ffff)
    for (let i = 0; i < this.#replicas; i++) this.#members[row * this.#replicas + i] = members[i] ?? Number.NaN
    this.#settled[row] = before === undefined ? 0 : before.#settledOf(id, hash, members)
  }

  /** All replicas of this version but those `away` were seen to hold it. */
  settle(indexed: EntryId & { readonly version: Version }, away: ReadonlySet<number>): void {
    const row = this.#rows.get(this.#idOf(indexed))
    const hash = entryHash(indexed, indexed.version)
    if (row !== undefined && this.#isVersion(row, hash)) this.#settled[row] = this.#awayMark(row, away)
  }

  /** All stakes that are replicas of an entry here. */
  members(): Set<number> {
    const members = new Set<number>()
    for (let at = 0; at < this.#size * this.#replicas; at++) {
      const stakeId = this.#members[at] as number
      if (!Number.isNaN(stakeId)) members.add(stakeId)
    }
    return members
  }

  /** The digest over what both stakes are replicas of. */
  digest(own: number, other: number, epoch: number, salt: Salt): ShareDigest {
    const digest = new ShareDigest()
    const hash = { high: 0, low: 0 } as { high: number; low: number } & EntryHash
    for (let row = 0; row < this.#size; row++) {
      if (!this.#isCompared(row, epoch) || !this.#has(row, own) || !this.#has(row, other)) continue
      hash.high = this.#hashes[2 * row] as number
      hash.low = this.#hashes[2 * row + 1] as number
      digest.add(this.#bucket(row), hash, salt)
    }
    return digest
  }

  /** The key prefixes, each once, of entries in `buckets` that both stakes are replicas of. */
  sharedKeys(own: number, other: number, epoch: number, buckets: readonly number[]): bigint[] {
    const wanted = new Uint8Array(DIGEST_BUCKETS)
    for (const bucket of buckets) wanted[bucket] = 1
    const keys = new Set<bigint>()
    for (let row = 0; row < this.#size; row++) {
      if (wanted[this.#bucket(row)] === 0 || !this.#isCompared(row, epoch)) continue
      if (this.#has(row, own) && this.#has(row, other)) keys.add(this.#keys[row] as bigint)
    }
    return [...keys]
  }

  /**
   * The key prefixes, each once, at most `limit`, of entries that `own` is no replica of or whose replicas include one
   * of `away`, unless that is settled.
   * @param page `first`: any number; it says where to begin, so that what cannot be settled never hides the rest
   */
  strayKeys(
    own: number,
    epoch: number,
    away: ReadonlySet<number>,
    { first, limit }: { readonly first: number; readonly limit: number },
  ): bigint[] {
    const keys = new Set<bigint>()
    for (let looked = 0; looked < this.#size && keys.size < limit; looked++) {
      const row = (first + looked) % this.#size
      if (!this.#isCompared(row, epoch) || this.#settled[row] === this.#awayMark(row, away)) continue
      if (!this.#has(row, own) || this.#hasOneOf(row, away)) keys.add(this.#keys[row] as bigint)
    }
    return [...keys]
  }

  /** Forgets what has expired. */
  dropExpired(epoch: number): void {
    let kept = 0
    const rowsById = [...this.#rows].sort((a, b) => a[1] - b[1])
    for (const [id, row] of rowsById) {
      if ((this.#epochs[2 * row + 1] as number) < epoch) {
        this.#rows.delete(id)
        continue
      }
      this.#move(row, kept)
      this.#rows.set(id, kept++)
    }
    this.#size = kept
  }

  /** 53 bits of a hash of salt, record key and entry. */
  #idOf({ entry, recordKey }: EntryId): number {
    const hash = keccak256(this.#salt, recordKey, entry)
    const words = new DataView(hash.buffer, hash.byteOffset)
    return (words.getUint32(0) & 0x1f_ffff) * 2 ** 32 + words.getUint32(4)
  }

  #isCompared(row: number, epoch: number): boolean {
    return (this.#epochs[2 * row] as number) < epoch && (this.#epochs[2 * row + 1] as number) > epoch
  }

  #has(row: number, stakeId: number): boolean {
    for (let i = 0; i < this.#replicas; i++) if (this.#members[row * this.#replicas + i] === stakeId) return true
    return false
  }

  #hasOneOf(row: number, stakeIds: ReadonlySet<number>): boolean {
    if (stakeIds.size === 0) return false
    for (let i = 0; i < this.#replicas; i++) {
      if (stakeIds.has(this.#members[row * this.#replicas + i] as number)) return true
    }
    return false
  }

  #isVersion(row: number, { high, low }: EntryHash): boolean {
    return this.#hashes[2 * row] === high && this.#hashes[2 * row + 1] === low
  }

  #settledOf(id: number, hash: EntryHash, members: readonly number[]): number {
    const row = this.#rows.get(id)
    if (row === undefined || !this.#isVersion(row, hash)) return 0
    for (let i = 0; i < this.#replicas; i++) {
      const member = this.#members[row * this.#replicas + i] as number
      if (!Object.is(member, members[i] ?? Number.NaN)) return 0
    }
    return this.#settled[row] as number
  }

  /** Which of the replicas are away, one bit each, above a bit that is always set. */
  #awayMark(row: number, away: ReadonlySet<number>): number {
    let mark = 1
    for (let i = 0; i < this.#replicas; i++) {
      mark = (mark << 1) | (away.has(this.#members[row * this.#replicas + i] as number) ? 1 : 0)
    }
    return mark >>> 0
  }

  #bucket(row: number): number {
    return Number((this.#keys[row] as bigint) & 0xffn)
  }

  #move(from: number, to: number): void {
    if (from === to) return
    this.#keys[to] = this.#keys[from] as bigint
    this.#hashes.copyWithin(2 * to, 2 * from, 2 * from + 2)
    this.#epochs.copyWithin(2 * to, 2 * from, 2 * from + 2)
    this.#settled[to] = this.#settled[from] as number
    this.#members.copyWithin(to * this.#replicas, from * this.#replicas, (from + 1) * this.#replicas)
  }

  #grow(): void {
    const rows = 2 * this.#keys.length
    const keys = new BigUint64Array(rows)
    keys.set(this.#keys)
    this.#keys = keys
    this.#hashes = larger(this.#hashes, 2 * rows)
    this.#epochs = larger(this.#epochs, 2 * rows)
    this.#settled = larger(this.#settled, rows)
    const members = new Float64Array(rows * this.#replicas)
    members.set(this.#members)
    this.#members = members
  }
}

function larger(words: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const copy = new Uint32Array(length)
  copy.set(words)
  return copy
}

/** The first 8 bytes of a record key. */
export function prefixOf(recordKey: Uint8Array): bigint {
  return new DataView(recordKey.buffer, recordKey.byteOffset).getBigUint64(0)
}

/** The lowest and the highest key of a prefix: the second is not below any key of it. */
export function keysOf(prefix: bigint): { readonly from: Uint8Array; readonly to: Uint8Array } {
  const from = new Uint8Array(32)
  new DataView(from.buffer).setBigUint64(0, prefix)
  const to = from.slice().fill(0xff, 8)
  return { from, to }
}
