import { keccak256 } from '../../statements/index.ts'
import type { EntryId, Version } from '../interface.ts'
import { DIGEST_BUCKETS } from './constants.ts'

/** 8 bytes that stand for one version of one entry. */
export interface EntryHash {
  readonly high: number
  readonly low: number
}

/** The first 8 bytes of keccak256(record key || entry || rank || position || leaf). */
export function entryHash({ recordKey, entry }: EntryId, { rank, position, leaf }: Version): EntryHash {
  const packed = new Uint8Array(81)
  const view = new DataView(packed.buffer)
  packed.set(recordKey)
  packed.set(entry, 32)
  view.setBigUint64(64, rank)
  view.setBigUint64(72, position)
  packed[80] = leaf
  const hash = keccak256(packed)
  const words = new DataView(hash.buffer, hash.byteOffset)
  return { high: words.getUint32(0), low: words.getUint32(4) }
}

/** What the asker of a digest draws anew each time: nobody can make up records whose sums cancel out. */
export interface Salt {
  readonly high: number
  readonly low: number
}

/**
 * Counts and sums of entries, by bucket of their keys. Two holders compare them to find where they differ.
 * A sum is of 64-bit numbers mixed with a salt, taken modulo 2^32 in each half.
 */
export class ShareDigest {
  readonly counts = new Uint32Array(DIGEST_BUCKETS)
  readonly high = new Uint32Array(DIGEST_BUCKETS)
  readonly low = new Uint32Array(DIGEST_BUCKETS)

  #total = { count: 0, high: 0, low: 0 }

  add(bucket: number, hash: EntryHash, salt: Salt): void {
    const high = mix(hash.high ^ salt.high, hash.low ^ salt.low)
    const low = mix(hash.low ^ salt.high, high)
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.high[bucket] = (this.high[bucket] as number) + high
    this.low[bucket] = (this.low[bucket] as number) + low
    const { count, high: highs, low: lows } = this.#total
    this.#total = { count: count + 1, high: (highs + high) >>> 0, low: (lows + low) >>> 0 }
  }

  /** Over all that was added: the same numbers over all buckets. */
  total(): { readonly count: number; readonly high: number; readonly low: number } {
    return this.#total
  }

  /** The buckets in which the two do not agree. */
  differences(other: ShareDigest): number[] {
    const buckets: number[] = []
    for (let bucket = 0; bucket < DIGEST_BUCKETS; bucket++) {
      const isSame =
        this.counts[bucket] === other.counts[bucket] &&
        this.high[bucket] === other.high[bucket] &&
        this.low[bucket] === other.low[bucket]
      if (!isSame) buckets.push(bucket)
    }
    return buckets
  }
}

/** Two rounds of multiply and shift, in the manner of MurmurHash3: each bit of either word moves every bit. */
function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ (a >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13) ^ b, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f)
  return (hash ^ (hash >>> 15)) >>> 0
}
