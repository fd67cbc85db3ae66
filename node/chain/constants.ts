import type { Address } from '../core/index.ts'

/** The version of statements, wire and contracts this node speaks. A coordinator of another one is refused. */
export const PROTOCOL_VERSION = 1

/** The ENS registry, at the same address on mainnet and every public test chain that has one. */
export const ENS_REGISTRY: Address = '0x00000000000c2e074ec69a0dfb2997ba6c7d2e1e'

/** ENS text record with comma-separated multiaddrs of nodes to dial first. */
export const BOOTSTRAP_TEXT_KEY = 'suprnova.bootstrap'
/** A name's owner can only hint: more than this many addresses are not read. */
export const MAX_BOOTSTRAP_ADDRESSES = 32
export const MAX_BOOTSTRAP_TEXT_CHARS = 8_192

/** Blocks after which a new right counts, on chains that may reorganise. */
export const DEFAULT_CONFIRMATIONS_BLOCKS = 2
export const DEFAULT_POLL_MS = 4_000
/** Up to this gap every header is read and its parent hash checked; a larger one is caught up by ranges first. */
export const HEADER_STEP_BLOCKS = 128
/** First try for a ranged `eth_getLogs`; halved when an RPC refuses. */
export const MAX_LOG_RANGE_BLOCKS = 10_000
/** Stakes read in one call of `RegistryLens`: about 100 KB of answer, and 5 million gas of 50 that RPCs allow. */
export const LENS_PAGE_STAKES = 200
/** How deep a chain without a `finalized` block is taken to reorganise. */
export const ASSUMED_FINAL_DEPTH_BLOCKS = 64
/** Positions without events that are kept to find the fork point of a reorg. */
export const MAX_TRAIL_BLOCKS = 512
/** A snapshot is written at most this often, and at close. */
export const SNAPSHOT_INTERVAL_MS = 60_000
/** A poll that fails is repeated after ever longer waits, up to this one. */
export const MAX_POLL_BACKOFF_MS = 30_000

/** Offences the reporter works on at once; a further one is dropped and counted. */
export const MAX_OUTBOX_RECORDS = 1_024
/** A transaction not mined after this many blocks is replaced at a higher fee. */
export const REPLACE_AFTER_BLOCKS = 3
/** Nodes take a replacement at 10 % more or better; a little above it survives rounding. */
export const FEE_BUMP_PERCENT = 125
/** Heads at which the court must have refused an evidence before the reporter gives it up. */
export const REFUSALS_BEFORE_GIVING_UP = 8
/** Blocks for which another's pending submission is believed to be on its way. */
export const PENDING_PATIENCE_BLOCKS = 2

/** An RPC that takes longer than this is passed over. */
export const RPC_TIMEOUT_MS = 10_000
/** How often all RPCs are asked before a request fails, and the wait before the second time; it doubles. */
export const RPC_ROUNDS = 3
export const RPC_BACKOFF_MS = 250
/** How long an RPC is passed over after its first failure; doubles up to 32 times. */
export const RPC_REST_MS = 1_000
