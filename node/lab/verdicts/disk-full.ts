import type { Transcript } from '../transcript.ts'
import { allReadBack, measuredOf, nothingInvented, storesOf } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** The full node lived on, refused to promise more, and served what it held. */
function fullNodeLives(transcript: Transcript): Finding {
  const [alive, refused, served] = ['alive when full', 'refused as full', 'records while full'].map((name) =>
    measuredOf(transcript, name),
  )
  return finding(
    'a node whose disk is full lives on, refuses more, and keeps what it promised',
    alive === 1 && (refused ?? 0) > 0 && (served ?? 0) > 0,
    `alive ${alive}, refused ${refused}, ${served} records held`,
  )
}

function storesGoOn(transcript: Transcript): Finding {
  const { acknowledged, failed } = storesOf(transcript, 'full')
  return finding(
    'stores go on with the other replicas',
    acknowledged >= 20 && failed === 0,
    `${acknowledged} acknowledged, ${failed} failed`,
  )
}

function recovers(transcript: Transcript): Finding {
  const [before, after] = ['records while full', 'records with space'].map((name) => measuredOf(transcript, name))
  return finding(
    'with space again it holds new records',
    before !== undefined && after !== undefined && after > before,
    `${before} records, then ${after}`,
  )
}

export function judgeDiskFullStory(transcript: Transcript): Verdict {
  return verdictOf([
    fullNodeLives(transcript),
    storesGoOn(transcript),
    recovers(transcript),
    allReadBack(transcript, 'full', { least: 20 }),
    allReadBack(transcript, 'after', { least: 20 }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
