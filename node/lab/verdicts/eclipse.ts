import type { Transcript } from '../transcript.ts'
import { measuredOf, nothingInvented } from './records.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** How far the rate over drawn placements may lie from the chance of drawing only attackers. */
export const DRAW_TOLERANCE = 0.1

/** Over many draws attackers hide what chance gives them, no more. */
function drawsAgree(transcript: Transcript): Finding {
  const drawn = measuredOf(transcript, 'drawn rate')
  const chance = measuredOf(transcript, 'chance')
  const right =
    drawn !== undefined && chance !== undefined && chance > 0 && Math.abs(drawn - chance) <= chance * DRAW_TOLERANCE
  const percent = (value: number | undefined) =>
    value === undefined ? 'not measured' : `${(value * 100).toFixed(3)} %`
  return finding(
    'over seeded draws attackers could hide as many records as chance gives them',
    right,
    `${percent(drawn)} drawn, chance ${percent(chance)}`,
  )
}

/** In the running network exactly the records hide whose replicas are all the attacker's, as placements say. */
function networkAgrees(transcript: Transcript): Finding {
  const [hidden, computed, stored] = ['hidden', 'computed', 'stored'].map((name) => measuredOf(transcript, name))
  const right = stored !== undefined && stored >= 100 && hidden !== undefined && hidden === computed
  return finding(
    'in the running network attackers hide what their placements say, no more',
    right,
    `${hidden ?? '?'} of ${stored ?? '?'} records hidden, ${computed ?? '?'} by placements`,
  )
}

/** A place cannot be chosen. */
export function judgeEclipseStory(transcript: Transcript): Verdict {
  return verdictOf([drawsAgree(transcript), networkAgrees(transcript), nothingInvented(transcript)])
}
