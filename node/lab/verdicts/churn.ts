import { eventsOf, type Transcript } from '../transcript.ts'
import { allReadBack, nothingInvented } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** Of the nodes there were, this share is replaced. */
export const REPLACED_SHARE = 0.3

/** As many nodes as were promised left for good, and as many new ones came. */
function replaced(transcript: Transcript): Finding {
  const events = eventsOf(transcript, 'process')
  const began = events.filter(({ event, phase }) => event === 'started' && phase === 'begin')
  const gone = events.filter(({ event, phase }) => event === 'killed' && phase === 'churn')
  const came = events.filter(({ event, phase }) => event === 'started' && phase === 'churn')
  const due = Math.round(began.length * REPLACED_SHARE)
  const returned = gone.filter(({ actor }) => came.some((event) => event.actor === actor))
  return finding(
    `${REPLACED_SHARE * 100} % of the nodes are replaced`,
    due > 0 && gone.length >= due && came.length >= due && returned.length === 0,
    `${began.length} began, ${gone.length} killed for good, ${came.length} came`,
  )
}

/** Nodes come and go; records stay. */
export function judgeChurnStory(transcript: Transcript): Verdict {
  return verdictOf([
    replaced(transcript),
    allReadBack(transcript, 'before', { least: 40 }),
    allReadBack(transcript, 'after', { least: 40 }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
