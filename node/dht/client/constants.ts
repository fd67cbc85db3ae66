/** Records being mended in the background at once; past it stale replicas are left to repair. */
export const MENDING_MAX = 64
/** Pages of one set that are asked for from one replica. */
export const SET_PAGES_MAX = 64
/** Bytes of one content record under a manifest. */
export const PART_BYTES = 65_536
/** Largest value altogether. */
export const STATE_MAX_BYTES = 64 * 1024 * 1024
/** Parts of one value stored or read at once. */
export const PARTS_AT_ONCE = 8
