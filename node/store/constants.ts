/** Indices reserved at a time. One flush pays for so many; a crash wastes at most twice as many of 65,536. */
export const RESERVED_BLOCK_INDICES = 64

/** A next block is made durable once fewer than this many indices are left, so that nobody waits for the disk. */
export const RESERVE_AHEAD_INDICES = 32

/** Epochs whose ends are remembered to judge "is this mine". At 60 s an epoch: eleven days, past the evidence window. */
export const KEPT_EPOCHS = 16_384

/** Digests of own metered statements kept in memory, oldest dropped first. 32 bytes each, plus the map. */
export const REMEMBERED_DIGESTS = 131_072

/** Slots kept with body and signature per mesh kind and scope. Lower ones fall under the pruned mark. */
export const MESH_KEPT_SLOTS = 1_024

/** Scopes a guard can know per key. A scope's mark is never forgotten, so a new scope past this is refused. */
export const MESH_SCOPES_MAX = 65_536

/** Full epochs that reference and clock must both have passed after a loss. */
export const WAIT_EPOCHS = 2

/** Version of everything a data directory holds. */
export const DATA_DIRECTORY_VERSION = 1

/** Bytes a store may take on disk before writes are refused. */
export const STORE_MAX_BYTES = 16 * 1024 ** 3

/**
 * Free bytes of the disk below which nothing is added: all that may be under way at once fits in them twice. LMDB must
 * never meet a full disk itself: a failed commit overruns a buffer in lmdb 3.5.6, which may end the process.
 */
export const STORE_SPARE_BYTES = 64 * 1024 ** 2

/** Named tables in one store. */
export const STORE_TABLES_MAX = 32

/** Longest key of a table, in bytes: LMDB's limit for 4 KiB pages. */
export const TABLE_KEY_MAX_BYTES = 1_978

/** Epochs of verified slots held in memory before the oldest moves to disk. */
export const SLOT_MEMORY_EPOCHS = 4

/** Verified slots held in memory, all epochs together. Past it the oldest epoch moves to disk early. */
export const SLOT_MEMORY_ENTRIES = 400_000

/** Verified metered slots held on disk. Past it the oldest epochs are dropped. */
export const SLOT_DISK_ENTRIES = 8_000_000

/** Verified mesh slots held in memory; they live on disk as well until {@link MESH_SLOT_DISK_ENTRIES}. */
export const MESH_SLOT_MEMORY_ENTRIES = 50_000

/** Verified mesh slots held on disk; past it the oldest written are dropped. */
export const MESH_SLOT_DISK_ENTRIES = 1_000_000

/** Keys in quarantine. A liar needs a stake to become one, so this is far above what can be paid for. */
export const QUARANTINE_MAX_KEYS = 100_000

/** scrypt's cost in keystores that guard real money. */
export const SCRYPT_N_STANDARD = 262_144

/** scrypt's cost on private networks, where a start must not wait for it. */
export const SCRYPT_N_PRIVATE = 4_096

/** Most memory a keystore file may ask scrypt for: 128 * N * r bytes. */
export const SCRYPT_MAX_MEMORY_BYTES = 512 * 1024 ** 2

/** Most work a keystore file may ask scrypt for: N * r * p. The standard is 262,144 * 8 * 1. */
export const SCRYPT_MAX_WORK = 2 ** 24

/** Most rounds a PBKDF2 keystore may ask for; the usual number is 262,144. */
export const PBKDF2_MAX_ROUNDS = 10_000_000

/** Largest keystore file that is read at all. */
export const KEYSTORE_MAX_BYTES = 16_384
