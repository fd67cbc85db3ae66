/** What a node says it is, beside the protocol version that its coordinator names. */
export const SOFTWARE_VERSION = '0.1.0'

/** Largest payload of one gossip body, fixed by the wire format. */
export const PAYLOAD_LIMIT_BYTES = 16_384

/** Longest topic name. It is hashed into every body; the name itself only travels between gossip peers. */
export const TOPIC_LIMIT_BYTES = 256

/** Largest request body: a full payload in base64 with its topic and room for JSON. */
export const REQUEST_LIMIT_BYTES = 32_768

/** Most requests and streams open at once on the local socket. */
export const CONNECTION_LIMIT = 128

/** Most NDJSON subscriptions at once. */
export const SUBSCRIPTION_LIMIT = 64

/** A subscriber that leaves this much unread loses messages, and is told how many. */
export const SUBSCRIPTION_BACKLOG_BYTES = 1_048_576

/** How long the head of a request, or its JSON, may take to arrive in full. Values take as long as they take. */
export const REQUEST_TIMEOUT_MS = 10_000

/** Name of the node's socket in its data directory. */
export const SOCKET_NAME = 'node.sock'

/** Longest path of a Unix socket that Linux takes, without the closing zero. */
export const SOCKET_PATH_LIMIT_BYTES = 107

/** How many faults the status names; all of them are listed as evidence. */
export const STATUS_FAULTS = 32

/** Chains that live on one machine: no confirmations, quick polling, private addresses. */
export const LOCAL_CHAIN_IDS: readonly bigint[] = [31_337n, 1_337n]

/** How often a chain is asked for its head. A local one has a block a second. */
export const LOCAL_POLL_MS = 250
export const PUBLIC_POLL_MS = 4_000

/** Blocks on top of a new right before it counts on a public chain. */
export const PUBLIC_CONFIRMATIONS_BLOCKS = 2

/** Without a head for so long the chain is called silent. */
export const STALE_AFTER_MS = 30_000

/** No report pays more than this a gas, however dear blocks become; an answer to a challenge may pay 20 times as much. */
export const MAX_FEE_PER_GAS_WEI = 500_000_000_000n

/** How often the ENS name is compared with the pin. It decides nothing. */
export const NAME_CHECK_INTERVAL_MS = 600_000

/** A balance shown by status is at most this old. */
export const BALANCE_AGE_MS = 5_000

/** How long a client waits for a node's answer. A submission waits for its chain. */
export const ANSWER_TIMEOUT_MS = 60_000

/** How often the final block is asked for: promises end by days, and finality comes by minutes. */
export const FINAL_TIME_INTERVAL_MS = 60_000

/** Largest value of one state, through the local socket too. */
export const STATE_LIMIT_BYTES = 64 * 1024 * 1024

/** How long either side waits for the next byte of a value, or for the answer after its last. */
export const STATE_STALL_MS = 600_000

/** How long the rest of a refused value is read, so that the refusal arrives. */
export const BODY_DRAIN_MS = 1_000

/** Longest name of a state. */
export const NAME_LIMIT_BYTES = 1_024

/** How long a start waits for its first peers, and how often it looks. A network that is away must not keep it for ever. */
export const FIRST_PEERS_MS = 10_000
export const FIRST_PEERS_LOOK_MS = 50

/** Stakes a reader connects to before it asks; replicas it asks later are dialled as they are met. */
export const LIGHT_PEERS = 3

/** Addresses that a snapshot of the registry names for readers to dial. */
export const SNAPSHOT_ADDRESSES = 16
