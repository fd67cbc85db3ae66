/** The time as this machine believes it. Below `api` nothing reads the system clock itself. */
export interface Clock {
  /** Unix time in milliseconds. */
  nowMs(): number
}

/** Runs `run` once after `delayMs`, unless the returned function is called first. */
export interface Timers {
  after(delayMs: number, run: () => void): () => void
}
