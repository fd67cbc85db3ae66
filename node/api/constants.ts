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

/** How long a request may take to arrive in full. */
export const REQUEST_TIMEOUT_MS = 10_000

/** Name of the node's socket in its data directory. */
export const SOCKET_NAME = 'node.sock'

/** Longest path of a Unix socket that Linux takes, without the closing zero. */
export const SOCKET_PATH_LIMIT_BYTES = 107

/** How many faults the status names; all of them are listed as evidence. */
export const STATUS_FAULTS = 32
