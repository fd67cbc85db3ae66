import { describe, expect, test } from 'vitest'
import type { Transcript, TranscriptEvent } from '../../../node/lab/transcript.ts'
import type { Verdict } from '../../../node/lab/verdicts/verdict.ts'
import { told } from './stories.ts'

export type Break = (story: TranscriptEvent[]) => TranscriptEvent[]

/** What a story is called, who judges it, how it is told well, and how badly: each with the promise that must break. */
export type Trial = readonly [
  name: string,
  judge: (transcript: Transcript) => Verdict,
  story: () => TranscriptEvent[],
  breaks: [string, Break, RegExp][],
]

/** Leaves out events. */
export const without =
  (match: (event: TranscriptEvent) => boolean): Break =>
  (story) =>
    story.filter((event) => !match(event))

/** Adds events. */
export const plus =
  (...events: TranscriptEvent[]): Break =>
  (story) => [...story, ...events]

export const isLog = (name: string) => (event: TranscriptEvent) => event.type === 'log' && event.name === name

/** Changes what a chain event says. */
export const saying =
  (name: string, args: Record<string, string | boolean>): Break =>
  (story) =>
    story.map((event) =>
      event.type === 'log' && event.name === name ? { ...event, args: { ...event.args, ...args } } : event,
    )

/** Changes events of one type. */
export const changing =
  <Type extends TranscriptEvent['type']>(
    type: Type,
    match: (event: Extract<TranscriptEvent, { type: Type }>) => boolean,
    change: Partial<Extract<TranscriptEvent, { type: Type }>>,
  ): Break =>
  (story) =>
    story.map((event) =>
      event.type === type && match(event as Extract<TranscriptEvent, { type: Type }>)
        ? ({ ...event, ...change } as TranscriptEvent)
        : event,
    )

/** Every story told whole is kept; told badly, it is not, and the broken promise is named. */
export function judgeAll(trials: readonly Trial[]): void {
  describe.each([...trials])('the verdict of %s', (_name, judge, story, breaks) => {
    test('a story told whole is kept', () => {
      const { kept, findings } = judge(told(story()))
      expect(findings.filter((finding) => !finding.kept)).toEqual([])
      expect(kept).toBe(true)
    })

    // Each break was a way in which the story could end badly and the verdict not notice.
    test.each(breaks)('fails when %s', (_break, breaking, promise) => {
      const { kept, findings } = judge(told(breaking(story())))
      expect(kept).toBe(false)
      expect(
        findings
          .filter((finding) => !finding.kept)
          .map((finding) => finding.promise)
          .join('\n'),
      ).toMatch(promise)
    })

    test('every promise of it is seen broken by one of them', () => {
      const broken = new Set(
        breaks.flatMap(([, breaking]) =>
          judge(told(breaking(story())))
            .findings.filter(({ kept }) => !kept)
            .map(({ promise }) => promise),
        ),
      )
      const never = judge(told(story())).findings.filter(({ promise }) => !broken.has(promise))
      expect(never).toEqual([])
    })

    test('an empty transcript keeps nothing', () => {
      expect(judge([]).kept).toBe(false)
    })
  })
}
