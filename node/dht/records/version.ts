import type { Version } from '../interface.ts'

/** The order of versions of one entry: rank, then position, then leaf. Below 0: `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1
  if (a.position !== b.position) return a.position < b.position ? -1 : 1
  return a.leaf - b.leaf
}

/** What tells one PUT from every other of its entry: two writers, or one that lies, may say the same position and leaf. */
export interface Said {
  readonly version: Version
  /** 32 bytes. */
  readonly putDigest: Uint8Array
}

/** The order of PUTs of one entry: by version, and where that is the same, by digest. 0: they are the same. */
export function comparePuts(a: Said, b: Said): number {
  return compareVersions(a.version, b.version) || Buffer.compare(a.putDigest, b.putDigest)
}
