/** Records being mended in the background at once; past it stale replicas are left to repair. */
export const MENDING_MAX = 64
/** Entries of one set that one read mends. */
export const SET_MENDS_MAX = 32
/** Pages of one set that are asked for from one replica. */
export const SET_PAGES_MAX = 64
/** Bytes of one content record under a manifest. */
export const PART_BYTES = 65_536
/** Largest value altogether. */
export const STATE_MAX_BYTES = 64 * 1024 * 1024
/** Parts of one value stored or read at once. */
export const PARTS_AT_ONCE = 8
/** Parts of one value that have their quorum and wait for the last of their replicas: what they hold stays in memory. */
export const PARTS_BEHIND_MAX = 64
/** The share of a life that signing anew must gain: an older version is kept beside the new one until its receipts end. */
export const RESIGN_GAIN = 1 / 4
/** The share of its life at which a kept state is signed anew: half a life is left to try again in. */
export const KEEP_AT = 1 / 2
/** States one node keeps alive by itself. */
export const KEPT_STATES_MAX = 4_096
