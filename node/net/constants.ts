/** Mesh degree D of each topic: how many peers a message is sent on to. */
export const FANOUT_DEFAULT = 4
/** Below 3 a mesh of many nodes falls apart. */
export const FANOUT_MIN = 3
/** Above 12 every message crosses most links for nothing. */
export const FANOUT_MAX = 12

/** Milliseconds between two rounds of mesh maintenance; also how long gossipsub trusts a score it computed. */
export const HEARTBEAT_MS = 700
/** Milliseconds between two decays of the score counters; gossipsub takes no less than a second. */
export const SCORE_DECAY_INTERVAL_MS = 1_000
/** gossipsub holds a message for a duplicate for this long; later copies are found out by the slot index. */
export const SEEN_TTL_MS = 30_000
/** Accepted messages remembered so that copies cost one hash; twice as many in two generations. */
export const ACCEPTED_GENERATION_MAX = 65_536
/** Below this size a second copy costs less than telling every mesh peer not to send one. */
export const IDONTWANT_MIN_BYTES = 8 * 1024

/** Signatures that may wait for the checking thread; past it the network's own thread checks. */
export const CHECKS_WAITING_MAX = 1_024

/** Largest payload of one GOSSIP body. */
export const PAYLOAD_MAX_BYTES = 16_384
/** Largest frame: 64 bodies of payload, topic hash and length, and the head of a frame. */
export const FRAME_MAX_BYTES = 64 * (PAYLOAD_MAX_BYTES + 34) + 256
/** Largest RPC a peer may send on the gossip stream: one frame and its wrapping. */
export const RPC_MAX_BYTES = FRAME_MAX_BYTES + 4096
/** Bytes that may wait to be written on one gossip stream; past them the stream is reset and opened anew. */
export const GOSSIP_WRITE_BUFFER_MAX_BYTES = 16 * 1024 * 1024
/** Evidence is 253 or 157 bytes and a head of 2. */
export const EVIDENCE_MAX_BYTES = 512
/** Largest topic name in bytes of UTF-8. */
export const TOPIC_MAX_BYTES = 128
/** Topics one node may be subscribed to at a time. */
export const TOPICS_MAX = 64
/** What one peer's subscriptions may occupy in memory: about 256 topics, each costing gossipsub about 1 KiB. */
export const TOPIC_BYTES_PER_PEER_MAX = 256 * 1024
/** Bodies under one GOSSIP statement. */
export const BATCH_MAX_BODIES = 64

/** Connections of any kind. */
export const CONNECTIONS_MAX = 300
/** Connections from peers without stake: they may read, and must not crowd out stakes. */
export const READERS_MAX = 32
/** Connections that one key may hold at once: a second one appears when both sides dial at the same time. */
export const CONNECTIONS_PER_PEER_MAX = 4
/** Connections a second from one host. */
export const INBOUND_PER_SECOND_MAX = 50
/** Connections being set up at once. */
export const INBOUND_PENDING_MAX = 64

/** RPCs, messages and bytes a second that one staked peer may send, and how many seconds of it may come at once. */
export const STAKED_PEER_RATE = {
  messagesPerSecond: 20_000,
  bytesPerSecond: 64 * 1024 * 1024,
  burstSeconds: 4,
} as const
/** A reader only subscribes and asks. */
export const READER_PEER_RATE = { messagesPerSecond: 20, bytesPerSecond: 64 * 1024, burstSeconds: 4 } as const
/** Evidence is rare, and each piece costs two signature checks. */
export const EVIDENCE_PEER_RATE = { messagesPerSecond: 20, bytesPerSecond: 16 * 1024, burstSeconds: 4 } as const
/**
 * Messages that one staked peer may bring and whose check says ignore. gossipsub scores none of them and remembers each
 * for two minutes, which is not an option of it, at about 400 bytes: a peer costs (10,000 + 120 x 50) x 400 = 6.4 MB at most.
 *
 * Honest peers bring what this node ignores only while their heads or clocks differ. The worst is a signer at its limit,
 * 65,536 an epoch of 60 s, that is jailed, or is new, or lied, and this node knows two blocks (24 s) before its
 * neighbours or after them: 26,200 messages. Only who brings one first is charged, so of three mesh peers each is
 * charged 8,700. Copies that come late do not count: the door knows them.
 */
export const IGNORED_PEER_RATE = { messagesPerSecond: 50, bytesPerSecond: 0, burstSeconds: 200 } as const
/** Staked peers whose ignored messages are counted, connected or not: a new connection must not fill the bucket. */
export const IGNORED_PEERS_MAX = 1_024
/** Keys whose PeerId was turned into an address and is remembered. */
export const IDENTITIES_MAX = 4096
/** (stake, fault type) pairs whose evidence was already carried. */
export const EVIDENCE_SEEN_MAX = 8192

/** Writes that wait to be merged; past it they go out at once. */
export const MERGE_MAX_BYTES = 64 * 1024

/** Milliseconds between two rounds of looking for peers. */
export const UPKEEP_INTERVAL_MS = 1_000
/** First wait before a failed dial is tried again; it doubles up to the maximum. */
export const REDIAL_FIRST_MS = 1_000
export const REDIAL_MAX_MS = 60_000
/** Longest wait for a bootstrap address while nobody is connected: the cause is then more likely here than there. */
export const REDIAL_ALONE_MAX_MS = 5_000
/** Peers whose failed dials are remembered. */
export const REDIAL_ENTRIES_MAX = 1_024
/** Dials begun in one round. */
export const DIALS_PER_ROUND = 4
/** Milliseconds one dial or one address lookup may take. */
export const DIAL_TIMEOUT_MS = 5_000

/** Milliseconds between two questions for the clock of one peer. */
export const CLOCK_ASK_INTERVAL_MS = 5_000
/** An answer that took longer says too little about the other clock. */
export const CLOCK_ANSWER_MAX_MS = 2_000
/** A peer's clock counts for this long after its answer. */
export const CLOCK_VALID_MS = 60_000
/** Questions a second one peer may ask, and how many at once. */
export const CLOCK_ANSWERS_PER_SECOND = 1
export const CLOCK_ANSWERS_BURST = 4
/** Stakes whose clock is asked for: a median of more is no better. */
export const CLOCK_PEERS_MAX = 16

/** Streams of ping and of kad-dht that one connection may hold open: the defaults break networks of 30 nodes. */
export const PING_STREAMS_MAX = 64
export const ROUTING_STREAMS_MAX = 64

/** Payload of one request or answer: a value of 64 KiB, its PUT and a few more of them. */
export const REQUEST_MAX_BYTES = 132 * 1024
/** Requests of this node that may wait for one peer's answers; past it they are refused here. */
export const REQUESTS_WAITING_MAX = 4_096
/** Bytes that may wait to be written to one peer. */
export const REQUEST_QUEUE_MAX_BYTES = 16 * 1024 * 1024
/** Requests of one staked peer being answered at once; past it nothing more is read from it until one is done. */
export const REQUESTS_ANSWERING_MAX = 256
/** The same of a reader: what a few of its answers may take in memory is all that it is worth. */
export const READER_ANSWERING_MAX = 16
/**
 * Bytes of answers that may wait for one peer to read them; past it nothing more is read from it until it does. What is
 * being answered then comes on top: 256 answers of a stake, 16 of a reader, of 132 KiB at most.
 */
export const ANSWER_QUEUE_MAX_BYTES = 1024 * 1024
/** Peers with a request stream of ours or a rate remembered. */
export const REQUEST_PEERS_MAX = 1_024
/** Milliseconds to wait for an answer unless told otherwise. */
export const REQUEST_TIMEOUT_MS = 5_000
/** Milliseconds between two looks for requests that waited too long. */
export const REQUEST_SWEEP_MS = 100
/** Milliseconds for which a peer that could not be reached is not dialled again. */
export const UNREACHABLE_MS = 2_000
/** What one staked peer may ask. */
export const STAKED_REQUEST_RATE = {
  messagesPerSecond: 20_000,
  bytesPerSecond: 64 * 1024 * 1024,
  burstSeconds: 2,
} as const
/** What a reader may ask, its answers counted with it: enough to read some records a second, and a large value slowly. */
export const READER_REQUEST_RATE = { messagesPerSecond: 50, bytesPerSecond: 1024 * 1024, burstSeconds: 4 } as const
/**
 * What all readers together may ask: a reader's key costs nothing, so that one with many keys must not have many rates.
 * Stakes are not counted here.
 */
export const ALL_READERS_REQUEST_RATE = {
  messagesPerSecond: 400,
  bytesPerSecond: 8 * 1024 * 1024,
  burstSeconds: 4,
} as const
/**
 * What a reader asks of one peer: a little less than it may, since the two clocks begin to count at different moments, and
 * a smaller burst, since other requests of it may be on their way.
 */
export const READER_PACE = { messagesPerSecond: 40, bytesPerSecond: 800 * 1024, burstSeconds: 2 } as const
/** Requests of a reader that may wait for their turn. */
export const PACED_WAITING_MAX = 4_096
/** How often a request refused for being too early is asked, and the wait before the second time; it grows with each. */
export const BUSY_TRIES_MAX = 8
export const BUSY_PAUSE_MS = 250
/** Refusals in a row for asking too fast, after which the stream is ended: refusing costs too. */
export const REFUSALS_MAX = 2_000

/** Peers a walk gives unless told otherwise, and milliseconds it may take. */
export const WALK_PEERS_DEFAULT = 20
export const WALK_TIMEOUT_MS = 10_000
/** Addresses of one peer that are taken from one answer of another, and kept in all: each may cost a dial, and libp2p tries 25. */
export const ADDRESSES_TOLD_MAX = 4
export const ADDRESSES_PER_PEER_MAX = 16
/** Peers taken from one answer of the routing table: a bucket of 20, and the one that was asked for. */
export const NAMED_MAX = 21
/** Bytes of one such answer: as many peers with as many addresses, of at most 64 bytes each. */
export const ROUTING_ANSWER_MAX_BYTES = 32 * 1024
/** Peers whose word for an address is enough, and milliseconds to wait for more of them after the first. */
export const WITNESSES_ENOUGH = 4
export const WITNESS_WAIT_MS = 500
/** Questions for addresses that one peer may ask: a walk asks each peer once or twice. */
export const ROUTING_STAKED_RATE = { messagesPerSecond: 50, bytesPerSecond: 0, burstSeconds: 10 } as const
export const ROUTING_READER_RATE = { messagesPerSecond: 5, bytesPerSecond: 0, burstSeconds: 10 } as const
/** Peers whose questions are counted. */
export const ROUTING_PEERS_MAX = 1_024
