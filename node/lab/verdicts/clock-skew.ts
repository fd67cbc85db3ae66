import { eventsOf, type Transcript } from '../transcript.ts'
import { allReadBack, nothingInvented, storesOf } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** Clocks that differ by less than the skew change nothing. */
function withinSkew(transcript: Transcript): Finding {
  const { acknowledged, failed } = storesOf(transcript, 'skewed')
  return finding(
    'nodes whose clocks differ within the skew store for one another',
    acknowledged >= 20 && failed === 0,
    `${acknowledged} acknowledged, ${failed} failed`,
  )
}

/** A clock past the skew silences its own node and no other. */
function pastSkew(transcript: Transcript): Finding {
  const refused = eventsOf(transcript, 'not-stored').filter(({ phase }) => phase === 'past skew')
  const { acknowledged, failed } = storesOf(transcript, 'others past skew')
  return finding(
    'a clock past the skew silences its own node alone',
    refused.length > 0 && acknowledged > 0 && failed === 0,
    `${refused.length} refused by its guard (${[...new Set(refused.map(({ code }) => code))].join(', ')}), ${acknowledged} stores of others`,
  )
}

export function judgeClockSkewStory(transcript: Transcript): Verdict {
  return verdictOf([
    withinSkew(transcript),
    pastSkew(transcript),
    allReadBack(transcript, 'skewed', { least: 20 }),
    allReadBack(transcript, 'after', { least: 20 }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
