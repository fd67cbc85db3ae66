import { eventsOf, type Transcript } from '../transcript.ts'
import { allReadBack, measuredOf, nothingInvented, storesOf } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** What the guard says of a clock it does not trust. */
const REFUSED = 'GUARD_REFUSED'
const LEAST_RECORDS = 20
const SLIGHTLY = ['ahead', 'behind'] as const
const SILENT = ['far', 'jumper'] as const

function stakeOf(transcript: Transcript, name: string): number {
  return eventsOf(transcript, 'actor').find((actor) => actor.name === name)?.stakeId ?? -1
}

/** Clocks that differ by less than the skew change nothing: their nodes store, and others take their receipts. */
function withinSkew(transcript: Transcript): Finding {
  const { acknowledged, failed } = storesOf(transcript, 'skewed')
  const stored = eventsOf(transcript, 'stored').filter(({ phase }) => phase === 'skewed')
  const takePart = SLIGHTLY.filter(
    (name) =>
      (measuredOf(transcript, `clock of ${name} off by ms`) ?? 0) !== 0 &&
      stored.some(({ actor }) => actor === name) &&
      stored.some(({ actor, stakes }) => actor !== name && stakes.includes(stakeOf(transcript, name))),
  )
  return finding(
    'nodes whose clocks differ within the skew store for one another',
    acknowledged >= LEAST_RECORDS && failed === 0 && takePart.length === SLIGHTLY.length,
    `${acknowledged} acknowledged, ${failed} failed, ${takePart.join(' and ') || 'none'} stored and promised`,
  )
}

/** At the border both are right, and nothing else is. */
function aboutTheSkew(transcript: Transcript): Finding {
  const { acknowledged, failed } = storesOf(transcript, 'edge')
  const others = eventsOf(transcript, 'not-stored').filter(({ code, phase }) => phase === 'edge' && code !== REFUSED)
  return finding(
    'a clock off by about the skew lets its node sign, or its guard says why not',
    acknowledged + failed > 0 && others.length === 0,
    `${acknowledged} acknowledged, ${failed - others.length} refused by its guard, ${others.length} failed otherwise`,
  )
}

/** A clock past the skew silences its own node, as writer and as replica, and no other. */
function pastSkew(transcript: Transcript): Finding {
  const refused = eventsOf(transcript, 'not-stored').filter(({ phase }) => phase === 'past skew')
  const signed = eventsOf(transcript, 'stored').filter(({ phase }) => phase === 'past skew')
  const receipts = eventsOf(transcript, 'stored').filter(
    ({ phase, stakes }) =>
      phase === 'others past skew' && SILENT.some((name) => stakes.includes(stakeOf(transcript, name))),
  )
  const everyOne = SILENT.every((name) => refused.some(({ actor }) => actor === name))
  const { acknowledged, failed } = storesOf(transcript, 'others past skew')
  return finding(
    'a clock past the skew, or one that jumped, silences its own node alone',
    everyOne &&
      refused.every(({ code }) => code === REFUSED) &&
      signed.length === 0 &&
      receipts.length === 0 &&
      acknowledged > 0 &&
      failed === 0,
    `${refused.length} refused (${[...new Set(refused.map(({ code }) => code))].join(', ')}), ${signed.length + receipts.length} signed, ${acknowledged} stores of others`,
  )
}

function signAgain(transcript: Transcript): Finding {
  const back = eventsOf(transcript, 'stored').filter(({ phase }) => phase === 'back')
  const late = SILENT.filter((name) => back.some(({ actor }) => actor === name))
  return finding(
    'with the right time they sign again',
    late.length === SILENT.length,
    `${late.join(' and ') || 'nobody'} stored again`,
  )
}

/** Who may not know the time signs nothing; nobody else is held up. */
export function judgeClockSkewStory(transcript: Transcript): Verdict {
  return verdictOf([
    withinSkew(transcript),
    aboutTheSkew(transcript),
    pastSkew(transcript),
    signAgain(transcript),
    allReadBack(transcript, 'skewed', { least: LEAST_RECORDS }),
    allReadBack(transcript, 'after', { least: LEAST_RECORDS }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
