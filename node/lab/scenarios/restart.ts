import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runShiftedNode } from '../network/node-process.ts'
import type { StakedMember } from '../network/private-network.ts'
import type { Processes, Running } from '../network/processes.ts'
import { until } from '../network/until.ts'
import { HURTS, type Hurt, judgeRestartStory } from '../verdicts/restart.ts'
import { Play } from './play.ts'
import type { Scenario, Stage } from './scenario.ts'

const JUMP_MS = 3_600_000
/** Two full epochs of ten seconds, the rest of one, and a busy machine. */
const SPEAKS_AGAIN_WITHIN_MS = 60_000
const NOTICED_WITHIN_MS = 20_000

const STORE = 'store'
/** Said, and seen, before and after each hurt. */
const STATEMENTS = 3

const onShiftedClock = (member: StakedMember, processes: Processes): Running =>
  runShiftedNode(member, member.settings, processes)

/** Says a few things, as a node in normal life does, seen by the observer. */
async function talk(play: Play, hurt: Hurt, when: 'before' | 'after'): Promise<void> {
  await play.observed(hurt)
  await play.saySeen(hurt, `${hurt} ${when}`, `${hurt}/${when}`, STATEMENTS)
}

/** Tries until the guard lets the node speak again; each refusal is written down. */
async function talkAgain(play: Play, hurt: Hurt): Promise<void> {
  await until(`${hurt} speaks again`, SPEAKS_AGAIN_WITHIN_MS, () =>
    play.say(hurt, `${hurt} speaks again`, `${hurt}/after`),
  )
  await talk(play, hurt, 'after')
}

const programOf = (hurt: Hurt) => (hurt === 'clock-jump' ? onShiftedClock : undefined)

async function hurtAndHeal(play: Play, hurt: Hurt, running: Running): Promise<void> {
  const { dataDir } = play.member(hurt)
  const store = join(dataDir, STORE)
  const backup = join(play.network.workspace.path, 'backup')
  await talk(play, hurt, 'before')
  if (hurt === 'restored-backup') {
    await play.stop(hurt, hurt)
    await cp(store, backup, { recursive: true })
    await play.start(hurt, hurt)
    await talk(play, hurt, 'before')
  }
  if (hurt === 'clock-jump') {
    running.tell(`jump ${JUMP_MS}`)
    await until(
      'the jump is noticed',
      NOTICED_WITHIN_MS,
      async () => !(await play.say(hurt, 'from the future', `${hurt}/after`)),
    )
    running.tell('jump 0')
  }
  await play.kill(hurt, hurt)
  if (hurt === 'lost-guard') await rm(store, { recursive: true })
  if (hurt === 'restored-backup') {
    await rm(store, { recursive: true })
    await cp(backup, store, { recursive: true })
  }
  await play.start(hurt, hurt, programOf(hurt))
  await talkAgain(play, hurt)
}

async function story(play: Play, { log }: Stage, others: readonly string[]): Promise<void> {
  for (const name of [...HURTS, ...others]) play.introduceMember(name, 'honest')
  await Promise.all(others.map((name) => play.start(name, 'begin')))
  await Promise.all(
    HURTS.map(async (hurt) => {
      await hurtAndHeal(play, hurt, await play.start(hurt, hurt, programOf(hurt)))
      log(`${hurt}: the node speaks again`)
    }),
  )
  for (const name of others) await play.say(name, `${name} was here all the time`, 'end')
  await play.ask([...HURTS, ...others], 'end')
}

export const scenario: Scenario = {
  name: 'restart',
  summary: 'kill -9, a lost guard, a restored backup, a clock jump: an honest node never becomes slashable',
  nodes: { usual: HURTS.length, least: HURTS.length },
  play: (stage) => {
    const others = Array.from({ length: stage.nodes - HURTS.length }, (_, i) => `bystander-${i + 1}`)
    return Play.run(stage, { honest: [...HURTS, ...others] }, (play) => story(play, stage, others))
  },
  judge: judgeRestartStory,
}
