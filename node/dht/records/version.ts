import type { Version } from '../interface.ts'

/** The order of versions of one entry: rank, then position, then leaf. Below 0: `a` is older. */
export function compareVersions(a: Version, b: Version): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1
  if (a.position !== b.position) return a.position < b.position ? -1 : 1
  return a.leaf - b.leaf
}
