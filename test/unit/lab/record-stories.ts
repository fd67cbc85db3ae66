import type { Hex } from '../../../node/core/index.ts'
import type { TranscriptEvent } from '../../../node/lab/transcript.ts'
import { FLOODS } from '../../../node/lab/verdicts/flood.ts'
import { actor, contentOf, keyOf, log, money, network, process } from './stories.ts'

const EGI = 10n ** 18n

/** What stands for the SHA-256 of the value of a record. */
const sumOf = (key: string) => `sum of ${key}`

export function stored(name: string, key: string, stakes: readonly number[], phase: string): TranscriptEvent {
  return { type: 'stored', actor: name, key, sum: sumOf(key), stakes, degraded: false, phase }
}

export function notStored(name: string, key: string, code: string, phase: string): TranscriptEvent {
  return { type: 'not-stored', actor: name, key, sum: sumOf(key), code, phase }
}

export function read(name: string, owner: string, key: string, phase: string): TranscriptEvent {
  return { type: 'read', actor: name, owner, key, sum: sumOf(key), quorum: true, code: null, phase }
}

export function measured(name: string, value: number, phase: string): TranscriptEvent {
  return { type: 'measured', name, value, phase }
}

/** `first 1` to `first N`. */
function keys(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i + 1}`)
}

function storedAll(
  name: string,
  prefix: string,
  { count = 60, phase = 'begin', stakes = [1, 2, 3] }: { count?: number; phase?: string; stakes?: number[] } = {},
): TranscriptEvent[] {
  return keys(prefix, count).map((key) => stored(name, key, stakes, phase))
}

/** Reads of everything stored in `story` so far. */
function readBack(story: readonly TranscriptEvent[], name: string, phase: string): TranscriptEvent[] {
  return story.flatMap((event) => (event.type === 'stored' ? [read(name, event.actor, event.key, phase)] : []))
}

const honest = (names: readonly string[]) => names.map((name, i) => actor(name, 'honest', i + 1))

/** `one` publishes, `lost` goes for good, `left` and `right` go at once and come back. */
export function lossStory(): TranscriptEvent[] {
  const names = ['one', 'lost', 'left', 'right', 'five']
  const story = [
    network,
    ...honest(names),
    ...names.map((name) => process(name, 'started', 'begin')),
    ...storedAll('one', 'record'),
  ]
  const back = (phase: string) => readBack(story, 'five', phase)
  return [
    ...story,
    ...back('whole'),
    process('lost', 'killed', 'lost'),
    ...back('one lost'),
    process('left', 'killed', 'two'),
    process('right', 'killed', 'two'),
    process('left', 'started', 'two'),
    process('right', 'started', 'two'),
    ...back('two back'),
  ]
}

const challengeOf = (n: number): Hex => contentOf(1_000 + n)

/** Stake 3 forgets; `one` challenges it. */
export function withheldStory(): TranscriptEvent[] {
  const records = storedAll('one', 'record', { count: 12 })
  const faultId = contentOf(7)
  return [
    network,
    ...honest(['one', 'two']),
    actor('cheat', 'liar', 3),
    ...records,
    ...['one', 'two', 'cheat'].map((name) => money(name, 'before', 1000n, 0n)),
    log('Opened', 20, { challengeId: challengeOf(1), stakeId: '3' }),
    log('FaultProven', 50, { faultId, stakeId: '3', faultType: '3' }),
    log('Slashed', 50, {
      faultId,
      stakeId: '3',
      charged: String(100n * EGI),
      tombstoned: false,
      jailedUntil: '1700000000',
    }),
    ...readBack(records, 'two', 'withheld'),
    money('one', 'after', 1000n, 10n),
    money('two', 'after', 1000n, 0n),
    money('cheat', 'after', 900n, 0n),
  ]
}

export function answeredStory(): TranscriptEvent[] {
  return [
    network,
    ...honest(['one', 'two', 'three']),
    ...(['honest', 'superseded', 'overloaded'] as const).flatMap((phase, i): TranscriptEvent[] => [
      { type: 'challenged', actor: 'one', stakeId: 2, challengeId: challengeOf(i), phase },
      log('Opened', 20 + i, { challengeId: challengeOf(i), stakeId: '2' }),
      log('Answered', 30 + i, { challengeId: challengeOf(i), answerer: keyOf(102), paidWei: '1000' }),
    ]),
    measured('stopped for ms', 18_000, 'overloaded'),
  ]
}

/** Ten nodes, of which three are replaced. */
export function churnStory(): TranscriptEvent[] {
  const names = keys('node', 10)
  const story = [
    network,
    ...honest(names),
    ...names.map((name) => process(name, 'started', 'begin')),
    measured('cores of a node at rest', 0.02, 'rest'),
    measured('MiB of a node at rest', 150, 'rest'),
    ...storedAll('node 1', 'record', { count: 45, stakes: [1, 2, 9] }),
  ]
  return [
    ...story,
    ...readBack(story, 'node 10', 'before'),
    ...names.slice(1, 4).map((name) => process(name, 'killed', 'churn')),
    ...keys('new', 3).map((name) => process(name, 'started', 'churn')),
    ...readBack(story, 'node 10', 'after'),
  ]
}

/** Two of ten stakes attack, and hide the last two of 110 records. */
export function eclipseStory(): TranscriptEvent[] {
  const hidden = (event: TranscriptEvent): TranscriptEvent =>
    event.type === 'read' && /(109|110)$/.test(event.key) ? { ...event, sum: null, quorum: false } : event
  const records = storedAll('one', 'record', { count: 110, phase: 'eclipse', stakes: [1, 2] })
  return [
    network,
    ...honest(['one', 'two']),
    measured('drawn rate', 0.0072, 'eclipse'),
    measured('keys drawn', 400_000, 'eclipse'),
    measured('chance', 0.00705, 'eclipse'),
    measured('share of the stakes', 0.2, 'eclipse'),
    ...records,
    ...readBack(records, 'two', 'eclipse').map(hidden),
    measured('stored', 110, 'eclipse'),
    measured('computed', 2, 'eclipse'),
    measured('hidden', 2, 'eclipse'),
    measured('hidden though it should not be', 0, 'eclipse'),
  ]
}

export function floodStory(): TranscriptEvent[] {
  const floods = FLOODS.map(({ kind, who }) => `${who} ${kind}`)
  const values = {
    'sent at nothing': 20_000,
    'us to drop one': 8,
    sent: 30_000,
    'us of the node for one': 14,
    'us of the flooder for one': 20,
    'cores of the node': 0.2,
    'MiB grown': 20,
    'ms to store and read': 60,
  }
  const records = ['quiet', ...floods].flatMap((phase) => storedAll('one', phase, { count: 20, phase }))
  return [
    network,
    ...honest(['one', 'two', 'three']),
    measured('ms to store and read', 30, 'quiet'),
    ...records,
    ...floods.flatMap((phase) => [
      ...Object.entries(values).map(([name, value]) => measured(name, value, phase)),
      ...keys(phase, 20).map((key) => read('three', 'one', key, phase)),
    ]),
    ...readBack(records, 'three', 'after'),
  ]
}

/** The disk of `small`, stake 2, fills up. */
export function fullStory(): TranscriptEvent[] {
  const before = storedAll('one', 'before', { count: 24 })
  const full = [
    ...storedAll('one', 'full', { count: 24, phase: 'full', stakes: [1, 3, 4] }),
    ...storedAll('small', 'own', { count: 3, phase: 'own full', stakes: [1, 3, 4] }),
  ]
  const after = [
    ...storedAll('one', 'after', { count: 24, phase: 'after' }),
    ...storedAll('small', 'own again', { count: 4, phase: 'own after' }),
  ]
  return [
    network,
    ...honest(['one', 'small', 'three', 'four']),
    ...before,
    ...full,
    notStored('small', 'own 4', 'GUARD_REFUSED', 'own full'),
    ...readBack([...before, ...full], 'four', 'full'),
    measured('alive when full', 1, 'full'),
    measured('due to it while full', 12, 'full'),
    measured('records when full', 24, 'full'),
    measured('records while full', 24, 'full'),
    ...after,
    process('small', 'killed', 'full again'),
    process('small', 'started', 'full again'),
    measured('promised', 52, 'full'),
    measured('held after kill', 52, 'full'),
    ...readBack([...before, ...full, ...after], 'four', 'after'),
  ]
}

/** Stakes 1 to 7 in this order. */
export function skewStory(): TranscriptEvent[] {
  const names = ['one', 'two', 'ahead', 'behind', 'edge', 'far', 'jumper']
  const skewed = ['one', 'ahead', 'behind'].flatMap((name) =>
    storedAll(name, `of ${name}`, { count: 10, phase: 'skewed', stakes: [1, 3, 4] }),
  )
  const edge = storedAll('edge', 'of edge', { count: 5, phase: 'edge', stakes: [1, 2] })
  const others = storedAll('one', 'meanwhile', { count: 10, phase: 'others past skew', stakes: [1, 2, 5] })
  const late = ['far', 'jumper'].map((name) => stored(name, `late ${name}`, [1, 2], 'back'))
  return [
    network,
    ...honest(names),
    measured('clock of ahead off by ms', 6_000, 'skewed'),
    measured('clock of behind off by ms', -6_000, 'skewed'),
    ...skewed,
    ...edge,
    notStored('edge', 'of edge 6', 'GUARD_REFUSED', 'edge'),
    ...['far', 'jumper'].map((name) => notStored(name, `early ${name}`, 'GUARD_REFUSED', 'past skew')),
    ...others,
    ...readBack([...skewed, ...edge, ...others], 'two', 'skewed'),
    ...late,
    ...readBack([...skewed, ...edge, ...others, ...late], 'two', 'after'),
  ]
}
