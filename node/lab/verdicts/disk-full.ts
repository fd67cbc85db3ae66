import { eventsOf, type Transcript } from '../transcript.ts'
import { allReadBack, measuredOf, nothingInvented, storesOf } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

const LEAST_RECORDS = 20

/** Whose disk it is: the one that was killed in the end. */
function small(transcript: Transcript) {
  const killed = eventsOf(transcript, 'process').find(({ event }) => event === 'killed')
  const actor = eventsOf(transcript, 'actor').find(({ name }) => name === killed?.actor)
  return killed === undefined || actor === undefined ? undefined : { ...actor, killedAtMs: killed.atMs }
}

/** It gave no receipt for what it could not write, though some of that was its to hold; and it lived on. */
function refusesMore(transcript: Transcript): Finding {
  const [alive, due, before, while_] = [
    'alive when full',
    'due to it while full',
    'records when full',
    'records while full',
  ].map((name) => measuredOf(transcript, name))
  const given = eventsOf(transcript, 'stored').filter(
    ({ phase, stakes }) => ['full', 'own full'].includes(phase) && stakes.includes(small(transcript)?.stakeId ?? -1),
  )
  return finding(
    'a node whose disk is full lives on and promises no more',
    alive === 1 && (due ?? 0) > 0 && given.length === 0 && before !== undefined && before === while_,
    `${due ?? 0} records were its to hold, ${given.length} receipts given, ${before ?? '?'} records held all the time`,
  )
}

/** Others stand in for it: no store has fewer receipts than it needs. */
function storesGoOn(transcript: Transcript): Finding {
  const { acknowledged, failed } = storesOf(transcript, 'full')
  const full = eventsOf(transcript, 'stored').filter(({ phase }) => phase === 'full')
  const fewest = Math.min(...full.map(({ stakes }) => stakes.length))
  return finding(
    'stores go on, and others stand in for it',
    acknowledged >= LEAST_RECORDS && failed === 0 && fewest >= 3,
    `${acknowledged} acknowledged, ${failed} failed, ${full.length === 0 ? 0 : fewest} receipts at least`,
  )
}

/** A signature rests on a mark that is on the disk: without room for one there is none. */
function guardRefuses(transcript: Transcript): Finding {
  const refused = eventsOf(transcript, 'not-stored').filter(({ phase }) => phase === 'own full')
  const { acknowledged, failed } = storesOf(transcript, 'own after')
  return finding(
    'its guard refuses to sign what would not be durable, and signs again once there is space',
    refused.length > 0 && refused.every(({ code }) => code === 'GUARD_REFUSED') && acknowledged > 0 && failed === 0,
    `${refused.length} refused (${[...new Set(refused.map(({ code }) => code))].join(', ')}), ${acknowledged} signed afterwards`,
  )
}

/** It takes records again without being started anew. */
function goesOn(transcript: Transcript): Finding {
  const node = small(transcript)
  const taken = eventsOf(transcript, 'stored').filter(
    ({ atMs, phase, stakes }) =>
      phase === 'after' && stakes.includes(node?.stakeId ?? -1) && atMs < (node?.killedAtMs ?? 0),
  )
  return finding('once there is space it takes records again by itself', taken.length > 0, `${taken.length} receipts`)
}

/** Every receipt it ever gave outlives a kill -9 on a full disk. */
function keepsItsWord(transcript: Transcript): Finding {
  const [promised, held] = ['promised', 'held after kill'].map((name) => measuredOf(transcript, name))
  const node = small(transcript)
  const restarted = eventsOf(transcript, 'process').some(
    ({ actor, atMs, event }) => actor === node?.name && event === 'started' && atMs > node.killedAtMs,
  )
  return finding(
    'after kill -9 on the full disk it holds all that it promised',
    restarted && promised !== undefined && promised >= LEAST_RECORDS && held !== undefined && held >= promised,
    `${promised ?? '?'} promised, ${held ?? '?'} held`,
  )
}

export function judgeDiskFullStory(transcript: Transcript): Verdict {
  return verdictOf([
    refusesMore(transcript),
    storesGoOn(transcript),
    guardRefuses(transcript),
    goesOn(transcript),
    keepsItsWord(transcript),
    allReadBack(transcript, 'full', { least: LEAST_RECORDS }),
    allReadBack(transcript, 'after', { least: LEAST_RECORDS }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
