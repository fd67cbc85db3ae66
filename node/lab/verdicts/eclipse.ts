import { eventsOf, type Transcript } from '../transcript.ts'
import { measuredOf, nothingInvented } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/**
 * How far the rate over drawn placements may lie from the chance of drawing only attackers. Of 400,000 keys 2,800 are
 * hidden by chance, give or take 2 %: a rate that is off by five times as much has another cause.
 */
export const DRAW_TOLERANCE = 0.1
const KEYS_LEAST = 100_000
const RECORDS_LEAST = 100
const ATTACKERS_SHARE = 0.2

/** Over many draws attackers hide what chance gives them, no more. */
function drawsAgree(transcript: Transcript): Finding {
  const [drawn, chance, keys] = ['drawn rate', 'chance', 'keys drawn'].map((name) => measuredOf(transcript, name))
  const right =
    drawn !== undefined &&
    chance !== undefined &&
    chance > 0 &&
    (keys ?? 0) >= KEYS_LEAST &&
    Math.abs(drawn - chance) <= chance * DRAW_TOLERANCE
  const percent = (value: number | undefined) =>
    value === undefined ? 'not measured' : `${(value * 100).toFixed(3)} %`
  return finding(
    'over seeded draws attackers could hide as many records as chance gives them',
    right,
    `${percent(drawn)} of ${keys ?? 0} keys, chance ${percent(chance)}`,
  )
}

/** In the running network exactly the records hide whose replicas are all the attackers', as placements say. */
function networkAgrees(transcript: Transcript): Finding {
  const [hidden, computed, stored, wrong, share] = [
    'hidden',
    'computed',
    'stored',
    'hidden though it should not be',
    'share of the stakes',
  ].map((name) => measuredOf(transcript, name))
  const reads = eventsOf(transcript, 'read').filter(({ phase }) => phase === 'eclipse')
  const right =
    stored !== undefined &&
    stored >= RECORDS_LEAST &&
    reads.length >= stored &&
    (computed ?? 0) > 0 &&
    hidden === computed &&
    hidden === reads.filter(({ sum }) => sum === null).length &&
    wrong === 0 &&
    share === ATTACKERS_SHARE
  return finding(
    'in the running network attackers hide what their placements say, no more',
    right,
    `${hidden ?? '?'} of ${stored ?? '?'} records hidden, ${computed ?? '?'} by placements, ${wrong ?? '?'} others; ${(share ?? 0) * 100} % of the stakes`,
  )
}

/** What was not theirs alone to hide is read back as it was stored. */
function restIsRead(transcript: Transcript): Finding {
  const sums = new Map(eventsOf(transcript, 'stored').map(({ actor, key, sum }) => [`${actor} ${key}`, sum]))
  const reads = eventsOf(transcript, 'read').filter(({ phase, sum }) => phase === 'eclipse' && sum !== null)
  const wrong = reads.filter(({ key, owner, sum }) => sums.get(`${owner} ${key}`) !== sum)
  return finding(
    'all other records are read back',
    reads.length > 0 && wrong.length === 0,
    `${reads.length} read, ${wrong.length} wrong`,
  )
}

/** A place cannot be chosen. */
export function judgeEclipseStory(transcript: Transcript): Verdict {
  return verdictOf([
    drawsAgree(transcript),
    networkAgrees(transcript),
    restIsRead(transcript),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
