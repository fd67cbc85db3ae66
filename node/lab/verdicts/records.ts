import { eventsOf, type Transcript, type TranscriptEvent } from '../transcript.ts'
import { type Finding, finding } from './verdict.ts'

type Stored = Extract<TranscriptEvent, { type: 'stored' }> & { readonly atMs: number }

/** The newest acknowledged version of each record stored before `beforeMs`, by its owner and key. */
export function newestStored(transcript: Transcript, beforeMs = Number.POSITIVE_INFINITY): Map<string, Stored> {
  const newest = new Map<string, Stored>()
  for (const event of eventsOf(transcript, 'stored')) {
    if (event.atMs < beforeMs) newest.set(`${event.actor} ${event.key}`, event)
  }
  return newest
}

/** Every record acknowledged before the reads of `phase` was read there, as it was stored. */
export function allReadBack(transcript: Transcript, phase: string, expected: { readonly least: number }): Finding {
  const reads = eventsOf(transcript, 'read').filter((read) => read.phase === phase)
  const firstAt = Math.min(...reads.map(({ atMs }) => atMs))
  const stored = newestStored(transcript, firstAt)
  const wrong = reads.filter(({ owner, key, sum }) => stored.get(`${owner} ${key}`)?.sum !== sum)
  const unread = [...stored.keys()].filter((name) => !reads.some(({ owner, key }) => `${owner} ${key}` === name))
  const enough = stored.size >= expected.least && reads.length >= expected.least
  const first = wrong[0]
  const example = first === undefined ? '' : `, first: ${first.key} (${first.code ?? 'nothing or another value'})`
  return finding(
    `every acknowledged record is read back (${phase})`,
    enough && wrong.length === 0 && unread.length === 0,
    `${stored.size} records, ${reads.length} reads, ${wrong.length} wrong, ${unread.length} never read${example}`,
  )
}

/** No read ever gave a value other than one that its owner stored. */
export function nothingInvented(transcript: Transcript): Finding {
  const said = new Set(
    [...eventsOf(transcript, 'stored'), ...eventsOf(transcript, 'not-stored')].map(
      ({ actor, key, sum }) => `${actor} ${key} ${sum}`,
    ),
  )
  const reads = eventsOf(transcript, 'read')
  const invented = reads.filter(({ owner, key, sum }) => sum !== null && !said.has(`${owner} ${key} ${sum}`))
  return finding(
    'no read gives what its owner never stored',
    reads.length > 0 && invented.length === 0,
    `${reads.length} reads, ${invented.length} invented`,
  )
}

/** Stores of a phase: how many were acknowledged, and how many not. */
export function storesOf(transcript: Transcript, phase: string) {
  return {
    acknowledged: eventsOf(transcript, 'stored').filter((event) => event.phase === phase).length,
    failed: eventsOf(transcript, 'not-stored').filter((event) => event.phase === phase).length,
  }
}

export function measuredOf(transcript: Transcript, name: string): number | undefined {
  return eventsOf(transcript, 'measured').find((event) => event.name === name)?.value
}
