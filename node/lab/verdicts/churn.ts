import { eventsOf, type Transcript } from '../transcript.ts'
import { allReadBack, measuredOf, nothingInvented } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** Of the nodes there were, this share is replaced. */
export const REPLACED_SHARE = 0.3
const LEAST_RECORDS = 40
const WITHIN_MINUTES = 10

/** As many nodes as were promised left for good, and as many new ones came, within minutes. */
function replaced(transcript: Transcript): Finding {
  const events = eventsOf(transcript, 'process')
  const began = events.filter(({ event, phase }) => event === 'started' && phase === 'begin')
  const gone = events.filter(({ event, phase }) => event === 'killed' && phase === 'churn')
  const came = events.filter(({ event, phase }) => event === 'started' && phase === 'churn')
  const due = Math.round(began.length * REPLACED_SHARE)
  const returned = gone.filter(({ actor }) => came.some((event) => event.actor === actor))
  const times = [...gone, ...came].map(({ atMs }) => atMs)
  const minutes = times.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 60_000
  return finding(
    `${REPLACED_SHARE * 100} % of the nodes are replaced within minutes`,
    due > 0 && gone.length >= due && came.length >= due && returned.length === 0 && minutes <= WITHIN_MINUTES,
    `${began.length} began, ${gone.length} killed for good, ${came.length} came, in ${minutes.toFixed(1)} minutes`,
  )
}

/** Those that left had promised records: else nothing was tried. */
function recordsWereHit(transcript: Transcript): Finding {
  const actors = eventsOf(transcript, 'actor')
  const gone = eventsOf(transcript, 'process')
    .filter(({ event }) => event === 'killed')
    .map(({ actor }) => actors.find(({ name }) => name === actor)?.stakeId ?? -1)
  const hit = eventsOf(transcript, 'stored').filter(({ stakes }) => stakes.some((stakeId) => gone.includes(stakeId)))
  return finding('records lost replicas by it', hit.length > 0, `${hit.length} records had a replica among them`)
}

/** What a node costs that only waits: told, not judged but that it was measured. */
function costAtRest(transcript: Transcript): Finding {
  const [cores, memory] = ['cores of a node at rest', 'MiB of a node at rest'].map((name) =>
    measuredOf(transcript, name),
  )
  return finding(
    'what a node costs at rest is measured',
    (cores ?? 0) > 0 && (memory ?? 0) > 0,
    `${((cores ?? 0) * 100).toFixed(1)} % of a core, ${memory?.toFixed(0) ?? '?'} MiB`,
  )
}

/** Nodes come and go; records stay. */
export function judgeChurnStory(transcript: Transcript): Verdict {
  return verdictOf([
    replaced(transcript),
    recordsWereHit(transcript),
    allReadBack(transcript, 'before', { least: LEAST_RECORDS }),
    allReadBack(transcript, 'after', { least: LEAST_RECORDS }),
    costAtRest(transcript),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
