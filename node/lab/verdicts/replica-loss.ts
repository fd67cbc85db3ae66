import { eventsOf, type Transcript } from '../transcript.ts'
import { allReadBack, nothingInvented } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

const LEAST_RECORDS = 20

/** One node was killed and never came back; two others were killed before either was started again. */
function losses(transcript: Transcript): Finding {
  const killed = (phase: string) =>
    eventsOf(transcript, 'process').filter((event) => event.phase === phase && event.event === 'killed')
  const startedAfter = (actor: string, atMs: number) =>
    eventsOf(transcript, 'process').filter(
      (event) => event.actor === actor && event.event === 'started' && event.atMs > atMs,
    )
  const lost = killed('lost')
  const twins = killed('two')
  const bothDown = Math.max(...twins.map(({ atMs }) => atMs))
  const cameBack = twins.filter(({ actor }) => startedAfter(actor, bothDown).length > 0)
  const right =
    lost.length === 1 &&
    lost.every(({ actor, atMs }) => startedAfter(actor, atMs).length === 0) &&
    twins.length === 2 &&
    cameBack.length === 2
  return finding(
    'one replica is killed for good, then two at once that restart',
    right,
    `${lost.length} lost, ${twins.length} killed at once, ${cameBack.length} came back`,
  )
}

/** No acknowledged record is lost. */
export function judgeReplicaLossStory(transcript: Transcript): Verdict {
  return verdictOf([
    losses(transcript),
    allReadBack(transcript, 'whole', { least: LEAST_RECORDS }),
    allReadBack(transcript, 'one lost', { least: LEAST_RECORDS }),
    allReadBack(transcript, 'two back', { least: LEAST_RECORDS }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
