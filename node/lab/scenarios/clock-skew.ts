import { askStatus, runShiftedNode } from '../network/node-process.ts'
import { until } from '../network/until.ts'
import { judgeClockSkewStory } from '../verdicts/clock-skew.ts'
import { type Begin, RecordPlay, sample } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

/** How far each clock is set off, in milliseconds; the skew is ten seconds. */
const OFF_MS = { ahead: 6_000, behind: -6_000, edge: 10_000, far: 3_600_000, jumper: 45_000 } as const
type Shifted = keyof typeof OFF_MS
const SHIFTED = Object.keys(OFF_MS) as Shifted[]
const RECORDS = 10
const RECORD_BYTES = 500
/** Two full epochs of ten seconds, the rest of one, and a busy machine. */
const SIGNS_AGAIN_WITHIN_MS = 90_000
const NOTICED_WITHIN_MS = 30_000

/** Those that are off from the start; the others are set off later, as a clock that jumps. */
const STARTS_OFF: readonly Shifted[] = ['ahead', 'behind', 'edge']

function tellOffset(play: RecordPlay, name: Shifted, offsetMs: number): void {
  play.stage.write({ type: 'measured', name: `clock of ${name} off by ms`, value: offsetMs, phase: 'skewed' })
}

function setClock(play: RecordPlay, name: Shifted, offsetMs: number): void {
  play.running(name).tell(`jump ${offsetMs}`)
  tellOffset(play, name, offsetMs)
}

/** Begins a node on its own clock. */
async function startShifted(play: RecordPlay, name: Shifted): Promise<void> {
  const offsetMs = STARTS_OFF.includes(name) ? OFF_MS[name] : 0
  if (offsetMs !== 0) tellOffset(play, name, offsetMs)
  const begin: Begin = (member, processes) => runShiftedNode(member, member.settings, processes, offsetMs)
  await play.start(name, 'begin', begin)
}

async function guardOf(play: RecordPlay, name: string) {
  return (await askStatus(play.member(name)))?.guard.state
}

async function story(play: RecordPlay, { log, nodes }: Stage): Promise<void> {
  const exact = Array.from({ length: nodes - SHIFTED.length }, (_, i) => `exact-${i + 1}`)
  const [publisher = '', reader = ''] = exact
  for (const name of [...exact, ...SHIFTED]) play.introduce(name, 'honest')
  await Promise.all([play.startAll(exact, 'begin'), ...SHIFTED.map((name) => startShifted(play, name))])
  // Not the one at the border, whose guard may refuse as long as it is there.
  for (const name of [publisher, ...SHIFTED.filter((shifted) => shifted !== 'edge')]) await play.placed(name)

  // 1. A little off: as if all clocks were right.
  const slightly = ['ahead', 'behind'] as const
  for (const name of [publisher, ...slightly]) {
    await play.storeMany(name, { prefix: `of ${name}`, count: RECORDS, bytes: RECORD_BYTES }, 'skewed')
  }
  log(`${slightly.join(' and ')} are off by less than the skew, and store and promise as before`)

  // 2. About the skew: it signs or it does not, as its reference says at that moment.
  await play.storeMany('edge', { prefix: 'of edge', count: RECORDS, bytes: RECORD_BYTES }, 'edge')

  // 3. Far off, and one that comes back at once: neither signs.
  for (const name of ['far', 'jumper'] as const) {
    setClock(play, name, OFF_MS[name])
    await until(`the guard of ${name} notices`, NOTICED_WITHIN_MS, async () => (await guardOf(play, name)) !== 'ready')
    await play.storeMany(name, { prefix: `early ${name}`, count: 3, bytes: RECORD_BYTES }, 'past skew')
  }
  setClock(play, 'jumper', 0)
  await play.storeMany('jumper', { prefix: 'back too early', count: 1, bytes: RECORD_BYTES }, 'past skew')
  await play.storeMany(publisher, { prefix: 'meanwhile', count: RECORDS, bytes: RECORD_BYTES }, 'others past skew')
  log('far and jumper sign nothing')
  await play.readAll([reader, ...slightly], 'skewed')

  // 4. Right again: two full epochs later they sign.
  setClock(play, 'far', 0)
  for (const name of ['far', 'jumper'] as const) {
    await until(`${name} signs again`, SIGNS_AGAIN_WITHIN_MS, async () => (await guardOf(play, name)) === 'ready')
    await play.store(name, `late ${name}`, sample(`late ${name}`, RECORD_BYTES), 'back')
    log(`${name} signs again`)
  }
  await play.readAll([reader, 'far', 'jumper'], 'after')
}

export const scenario: Scenario = {
  name: 'clock-skew',
  summary:
    'clocks off by less than, about and far more than the skew, and one that jumps: who may not know the time signs nothing',
  nodes: { usual: SHIFTED.length + 2, least: SHIFTED.length + 2 },
  play: (stage) => {
    const exact = Array.from({ length: stage.nodes - SHIFTED.length }, (_, i) => `exact-${i + 1}`)
    return RecordPlay.run(stage, { members: [...exact, ...SHIFTED] }, (play) => story(play, stage))
  },
  judge: judgeClockSkewStory,
}
