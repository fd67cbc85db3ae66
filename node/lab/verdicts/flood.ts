import { eventsOf, type Transcript } from '../transcript.ts'
import { allReadBack, nothingInvented, storesOf } from './records.ts'
import { noSlash } from './slashing.ts'
import { type Finding, finding, type Verdict, verdictOf } from './verdict.ts'

/** Who floods with what: a key without a stake and one with, with questions and with forged records. */
export const FLOODS = [
  { who: 'stranger', kind: 'fetch' },
  { who: 'stranger', kind: 'forged' },
  { who: 'staked', kind: 'fetch' },
  { who: 'staked', kind: 'forged' },
] as const

/** A flood with fewer requests shows nothing. */
const LEAST_REQUESTS = 1_000
/** What a request may cost the node, in times of what it costs to drop it: answering is more than dropping, not much more. */
const TIMES_DROPPING_MOST = 4
/** Share of one core that a flood may take. */
const CORES_MOST = 0.8
/** Memory by which all floods together may make the node grow. */
const GROWTH_MOST_MIB = 256
/** Times as long as in quiet that a store and a read may take, on a machine that floods and is flooded. */
const SLOWER_MOST = 20
const LEAST_RECORDS = 20

function measured(transcript: Transcript, phase: string, name: string): number | undefined {
  return eventsOf(transcript, 'measured').find((event) => event.phase === phase && event.name === name)?.value
}

/** What one request costs the honest node, beside what it costs a peer that drops the same flood. */
function costsLittle(transcript: Transcript, who: string, kind: string): Finding {
  const [sent, node, dropping, flooder, cores, dropped] = [
    'sent',
    'us of the node for one',
    'us to drop one',
    'us of the flooder for one',
    'cores of the node',
    'sent at nothing',
  ].map((name) => measured(transcript, `${who} ${kind}`, name))
  const right =
    (sent ?? 0) >= LEAST_REQUESTS &&
    (dropped ?? 0) >= LEAST_REQUESTS &&
    node !== undefined &&
    dropping !== undefined &&
    dropping > 0 &&
    node <= dropping * TIMES_DROPPING_MOST &&
    (cores ?? 1) <= CORES_MOST
  const us = (value: number | undefined) => `${value?.toFixed(1) ?? '?'} us`
  return finding(
    `a flood of ${kind === 'forged' ? 'forged records' : 'questions'} by a ${who === 'staked' ? 'stake' : 'stranger'} costs little more than dropping it`,
    right,
    `${sent ?? 0} requests, ${us(node)} each, dropping ${us(dropping)}, sending ${us(flooder)}; ${cores?.toFixed(2) ?? '?'} cores`,
  )
}

function memoryIsBounded(transcript: Transcript): Finding {
  const grown = FLOODS.map(({ kind, who }) => measured(transcript, `${who} ${kind}`, 'MiB grown'))
  const sum = grown.reduce<number>((total, value) => total + Math.max(0, value ?? Number.POSITIVE_INFINITY), 0)
  return finding(
    'and a bounded amount of memory',
    sum <= GROWTH_MOST_MIB,
    `${sum.toFixed(0)} MiB more after all of them`,
  )
}

/** Stores and reads of others go on meanwhile, at a bounded price. */
function othersAreServed(transcript: Transcript): Finding {
  const quiet = measured(transcript, 'quiet', 'ms to store and read')
  const phases = FLOODS.map(({ kind, who }) => `${who} ${kind}`)
  const stores = phases.map((phase) => storesOf(transcript, phase))
  const reads = eventsOf(transcript, 'read').filter(({ phase }) => phases.includes(phase))
  const slowest = Math.max(...phases.map((phase) => measured(transcript, phase, 'ms to store and read') ?? Number.NaN))
  const right =
    stores.every(({ acknowledged, failed }) => acknowledged >= LEAST_RECORDS && failed === 0) &&
    reads.length >= LEAST_RECORDS * FLOODS.length &&
    reads.every(({ sum }) => sum !== null) &&
    quiet !== undefined &&
    slowest <= quiet * SLOWER_MOST
  return finding(
    'stores and reads of others go on meanwhile',
    right,
    `${reads.length} stored and read; ${quiet?.toFixed(0) ?? '?'} ms in quiet, ${slowest.toFixed(0)} ms in the worst flood`,
  )
}

/** Asking costs the asker; answering stays cheap. */
export function judgeFloodStory(transcript: Transcript): Verdict {
  return verdictOf([
    ...FLOODS.map(({ kind, who }) => costsLittle(transcript, who, kind)),
    memoryIsBounded(transcript),
    othersAreServed(transcript),
    allReadBack(transcript, 'after', { least: LEAST_RECORDS }),
    nothingInvented(transcript),
    noSlash(transcript),
  ])
}
