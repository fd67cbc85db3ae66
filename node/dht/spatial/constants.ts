/** Bits after the point of a coordinate: q = x * 2^20. */
export const FRACTION_BITS = 20
/** Levels below the base one that a crowded place may be written at. */
export const LEVELS_DOWN = 8
/** Live entries of a cell past which agents write one level down. */
export const SPLIT_ENTRIES = 64
/** Cells one query may touch. */
export const CELLS_MAX = 64
/** Bytes of what an agent says of itself. */
export const PRESENCE_MAX_BYTES = 1_024
/** Capabilities of one agent, and their lengths. */
export const CAPABILITIES_MAX = 32
export const CAPABILITY_MAX_CHARS = 64
