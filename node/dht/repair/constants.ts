/** Comparisons with each co-replica an epoch. The first is for the closest holder of a record alone, the second for all. */
export const PHASES_PER_EPOCH = 2
/** Share of a phase over which nodes spread its beginning, so that they do not all ask at once. */
export const PHASE_JITTER = 0.25
/** Buckets of a digest. At 100,000 shared records one differing record costs a list of about 400. */
export const DIGEST_BUCKETS = 256
/** Entries named in one LIST. */
export const OFFER_MAX_ENTRIES = 512
/** Entries indexed before others get their turn: about 5 ms of work. */
export const SCAN_SLICE_ENTRIES = 512
/** Peers compared with at a time. */
export const CONCURRENT_PEERS = 4
/** Records on their way to one peer at a time: their receipts then share a signature. */
export const CONCURRENT_PUSHES = 8

/** Bytes of records handed to others per second, over all of them. */
export const PUSH_BYTES_PER_SECOND = 4 * 1024 * 1024
/** What may be handed at once after a pause. */
export const PUSH_BURST_BYTES = 4 * 1024 * 1024
/** Bytes handed to one peer in one phase, so that the others get their turn. */
export const PUSH_MAX_BYTES_PER_PEER = 16 * 1024 * 1024
/**
 * Bytes on their way to one peer, or refused by it, in one phase: what a peer that lies about what it lacks can make this
 * node send for nothing. Whoever promises by receipt what it was given gets more. Twice what is on its way at once.
 */
export const PUSH_UNHELD_BYTES_PER_PEER = 16 * 65_536

/** Digests answered to one peer per second: two an epoch are asked. Each costs about 2 ms at 100,000 records. */
export const SERVED_DIGESTS_PER_SECOND = 0.25
export const SERVED_DIGESTS_BURST = 8
/** The same for all peers together: a quarter of a core at 100,000 records. A thousand honest ones ask for 33. */
export const SERVED_DIGESTS_PER_SECOND_ALL = 128
export const SERVED_DIGESTS_BURST_ALL = 512
/** Entries looked up for one peer per second, and at once. */
export const SERVED_ENTRIES_PER_SECOND = 2_048
export const SERVED_ENTRIES_BURST = 8_192
/** The same for all peers together: each costs about 3 microseconds. */
export const SERVED_ENTRIES_PER_SECOND_ALL = 65_536
export const SERVED_ENTRIES_BURST_ALL = 262_144
/** Peers whose rate of questions is remembered; the one that asked longest ago is forgotten first. */
export const SERVED_PEERS_MAX = 1_024

/** Phases in a row in which a replica did not answer, after which its records get a stand-in. */
export const AWAY_AFTER_FAILURES = 3
/** Peers known not to answer; the oldest is forgotten first. */
export const SILENT_PEERS_MAX = 4_096
/** Keys of records that are not this node's to hold, or whose replica is away, that are offered in one phase. */
export const STRAY_MAX_KEYS = 8_192

/** Stakes asked for the bytes that a challenge wants: the replicas, the ones before a change, and those that stand in. */
export const CHALLENGE_FETCH_STAKES = 10
