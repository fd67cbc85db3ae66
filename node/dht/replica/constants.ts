/** What one writer may hold at one replica, current and older versions together. */
export const QUOTA_BYTES = 512 * 1024 * 1024
export const QUOTA_RECORDS = 262_144
/** Live entries of one writer in one cell: a crowd of agents of one stake must not fill a place. */
export const CELL_ENTRIES_PER_STAKE = 256
/** Stores being verified or written at once; past it a replica is busy. */
export const STORES_UNDER_WAY_MAX = 1_024
/** Bytes of values in them. */
export const STORE_BYTES_UNDER_WAY_MAX = 32 * 1024 * 1024
/** The same of one stake, and of all readers together: whoever floods fills its own share, and leaves the others theirs. */
export const STORES_UNDER_WAY_PER_ASKER_MAX = STORES_UNDER_WAY_MAX / 4
export const STORE_BYTES_UNDER_WAY_PER_ASKER_MAX = STORE_BYTES_UNDER_WAY_MAX / 4
/** Receipts remembered, so that the same PUT again costs no signature. About 600 bytes each. */
export const RECEIPTS_REMEMBERED_MAX = 8_192
/**
 * Requests that a record counts for whose signature or value is not what it says: no honest node sends one, and a look at
 * it costs about ten times what it costs to forge. With it a stake can make a node look at 100 forgeries a second.
 */
export const FORGERY_CHARGE_REQUESTS = 200
/** Milliseconds between two looks for records that nothing keeps any more. */
export const SWEEP_INTERVAL_MS = 5_000
/** Milliseconds for which a full disk is not tried again. */
export const FULL_RETRY_MS = 1_000
