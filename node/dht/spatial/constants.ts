/** Bits after the point of a coordinate: q = x * 2^20. */
export const FRACTION_BITS = 20
/** Levels below the base one that a crowded place may be written at. */
export const LEVELS_DOWN = 8
/** Live entries of a cell from which on agents write one level down. */
export const SPLIT_ENTRIES = 64
/** Base cells that the ball of one query may touch. */
export const CELLS_MAX = 64
/** Cells that one query reads altogether, with those that hints lead to: whoever hints at many costs a reader this much. */
export const QUERY_CELLS_MAX = 256
/** Bytes of what an agent says of itself; with {@link MOVED_MAX_BYTES} as many as a cell entry may have. */
export const PRESENCE_MAX_BYTES = 1_024
/** Bytes by which an entry that says where its agent went is longer: `,"at":[` and three coordinates of 16 digits. */
export const MOVED_MAX_BYTES = 64
/** Capabilities of one agent, and their lengths. */
export const CAPABILITIES_MAX = 32
export const CAPABILITY_MAX_CHARS = 64
/**
 * Seconds an agent is shown after it was announced, unless it says otherwise. Where it was is shown as left for as long,
 * and read by everybody who passes there: so not as long as a record may live.
 */
export const AGENT_LIFE_SECONDS = 600
/** Agents that one node announces: as many as a replica holds records of one stake. */
export const AGENTS_MAX = 262_144
/** Cells in which one agent may have entries that could not be cleared; past it the agent must wait, or they end. */
export const PLACES_MAX = 32
/** Calls for one agent that wait for one another. */
export const TURNS_MAX = 64
/** Milliseconds between two looks for what agents left behind. */
export const AGENTS_SWEEP_MS = 5_000
/** Agents whose left places are looked at in one sweep. */
export const SWEEP_AGENTS_MAX = 256
/** Positions that `hashPosition` remembers the keys of. */
export const HASHED_CELLS_MAX = 4_096
/** Cells asked for in one request. */
export const CELLS_PER_REQUEST = 64
/** Requests to one replica in one read, page after page; what lies past them is not seen, and said to be so. */
export const CELL_PAGES_MAX = 16
/**
 * Steps, and milliseconds of each, after which a read also asks the replicas it did not choose at first. Steps, because
 * a process that stood still for a quarter of a second has answers to read before it may call anybody slow.
 */
export const CELL_HEDGE_STEPS = 5
export const CELL_HEDGE_STEP_MS = 50
/** Entries a reader remembers, and bytes of them: those that come again are not verified again in the same epoch. */
export const VERIFIED_MAX = 32_768
export const VERIFIED_BYTES_MAX = 32 * 1024 * 1024
/** Entries of one cell that a replica keeps ready in memory, and bytes of all: others are read from disk. */
export const SHELF_ENTRIES_MAX = 512
export const SHELF_BYTES_MAX = 64 * 1024 * 1024
