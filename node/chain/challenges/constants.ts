/** The newest blocks are read anew whenever one of them vanished, also on a chain that calls them final. */
export const UNSETTLED_BLOCKS = 16
/** Without events the settled end of what was read moves in steps of this many blocks. */
export const SETTLE_STEP_BLOCKS = 64
/** Events kept to be undone. Past them a chain is taken to reorganise no deeper than one without finality. */
export const RECENT_EVENTS_MAX = 16_384
/** How far back challenges are read at a start, in windows: one can be open that long, and what is over is collected. */
export const WINDOWS_READ = 2
/** Heads between two searches for challenges that the chain counts and the logs do not show; doubles up to the second. */
export const SEARCH_AFTER_BLOCKS = 1
export const SEARCH_AFTER_MAX_BLOCKS = 256
/** Open challenges to others that are remembered. Those to this node, and those it opened, always are. */
export const OTHERS_MAX = 4_096
/** Challenges for whose bytes others are being asked at once. Those to others take half of the places at most. */
export const SEARCHES_MAX = 8
/** Transactions offered at once. */
export const ERRANDS_MAX = 16
/** Whoever answers for others begins within this part of the window, from its half on, so that not all pay for one. */
export const STAGGER_PARTS = 4
/** What an answer costs at most, and what it costs to collect what is left of a challenge, in gas. */
export const ANSWER_GAS = 90_000n
export const COLLECT_GAS = 60_000n
/** Below what so many answers cost a node says that its gas key runs low. */
export const ANSWERS_KEPT = 10n
