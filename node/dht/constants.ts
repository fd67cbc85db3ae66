/** R: stakes that hold a record. */
export const REPLICAS_DEFAULT = 3
/** W: verified receipts after which a store is done. */
export const QUORUM_DEFAULT = 2
/** Most replicas one may ask for: what the fastest peers of the field write, and one over. */
export const REPLICAS_MAX = 20
/** The next closest stakes that stand in while a replica is away. */
export const STAND_INS = 4
/** By how many a read widens when the replicas did not give enough verified answers. */
export const WIDEN_BY = 2
/** Seconds by which replica tables lag behind the start of their epoch, so that every node has the block. */
export const TABLE_LAG_SECONDS = 1800
/** The same on a local chain, where heads come every second. */
export const LOCAL_TABLE_LAG_SECONDS = 5
/** Replica tables kept in memory: the epoch's, the one before, the next, and one for a clock that jumps. */
export const TABLES_KEPT = 4

/** Milliseconds one replica has to answer before it counts as away. */
export const REPLICA_TIMEOUT_MS = 3_000

/** Bytes of a FETCH or LIST answer before the rest is left for the next question. */
export const ANSWER_MAX_BYTES = 128 * 1024
/** Entries looked at for one FETCH answer, those that are over included; the rest is left for the next question. */
export const FETCH_LOOKS_MAX = 1_024
/**
 * Bytes of the value of a cell entry: what an agent says of itself, and where it went. Whoever reads a place reads all
 * that stands there, so nobody may make it heavy.
 */
export const CELL_VALUE_MAX_BYTES = 1_088

/** Milliseconds between two looks for floors and receipts that are over. */
export const CLIENT_SWEEP_MS = 60_000
