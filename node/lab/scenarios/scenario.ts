import type { Transcript, TranscriptEvent, TranscriptLine } from '../transcript.ts'
import type { Verdict } from '../verdicts/verdict.ts'

/** What a story is played with. */
export interface Stage {
  readonly nodes: number
  readonly log: (line: string) => void
  readonly signal: AbortSignal
  /** Writes an event down. */
  readonly write: (event: TranscriptEvent) => void
  /** What was written down so far. */
  readonly transcript: readonly TranscriptLine[]
}

/** One story: played once, on a network of its own, and judged by its transcript alone. */
export interface Scenario {
  readonly name: string
  readonly summary: string
  /** How many nodes unless told otherwise, and the fewest it makes sense with. */
  readonly nodes: { readonly usual: number; readonly least: number }
  play(stage: Stage): Promise<void>
  judge(transcript: Transcript): Verdict
}
