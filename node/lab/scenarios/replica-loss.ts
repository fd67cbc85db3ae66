import { unbond } from '../../chain/index.ts'
import { askStatus } from '../network/node-process.ts'
import { until } from '../network/until.ts'
import { eventsOf } from '../transcript.ts'
import { judgeReplicaLossStory } from '../verdicts/replica-loss.ts'
import { nodeNames } from './play.ts'
import { RecordPlay } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

const RECORDS = 60
const RECORD_BYTES = 1024
const REPLICAS = 3
/** The end of an epoch, its lag, two rounds of repair, and a busy machine. */
const REPAIRED_WITHIN_MS = 120_000

/** Waits until the nodes of `names` hold every acknowledged record, and where each of them is, as often as it should be. */
async function repaired(play: RecordPlay, names: readonly string[]): Promise<void> {
  const stored = new Set(eventsOf(play.stage.transcript, 'stored').map(({ actor, key }) => `${actor} ${key}`))
  const due = (stored.size + names.length) * REPLICAS
  await until(`${names.length} nodes hold ${due} copies`, REPAIRED_WITHIN_MS, async () => {
    const held = await Promise.all(names.map(async (name) => (await askStatus(play.member(name)))?.dht.records ?? 0))
    return held.reduce((sum, records) => sum + records, 0) >= due
  })
}

async function story(play: RecordPlay, { log, nodes }: Stage): Promise<void> {
  const names = nodeNames(nodes)
  const [publisher = '', lost = '', first = '', second = ''] = names
  for (const name of names) play.introduce(name, 'honest')
  await play.startAll(names, 'begin')
  await play.placed(publisher)
  await play.storeMany(publisher, { prefix: 'record', count: RECORDS, bytes: RECORD_BYTES }, 'begin')
  await play.readAll([names.at(-1) as string], 'whole')

  // One is gone for good: its operator takes the stake out, and the others make up for it.
  await play.kill(lost, 'lost')
  await unbond(play.network.actions(play.member(lost).operator.privateKey), { stakeId: play.member(lost).stakeId })
  log(`${lost} is killed for good, its stake unbonds`)
  const left = names.filter((name) => name !== lost)
  await repaired(play, left)
  await play.readAll([publisher, names.at(-1) as string], 'one lost')

  // Two at once: with one of three lost before, some records are down to one copy until they come back.
  await Promise.all([play.kill(first, 'two'), play.kill(second, 'two')])
  log(`${first} and ${second} are killed at once`)
  await Promise.all([play.start(first, 'two'), play.start(second, 'two')])
  await play.placed(publisher)
  await play.readAll([publisher, names.at(-1) as string], 'two back')
}

export const scenario: Scenario = {
  name: 'replica-loss',
  summary: 'kill -9 of one replica for good, then of two at once that restart: no acknowledged record is lost',
  nodes: { usual: 6, least: 5 },
  play: (stage) => RecordPlay.run(stage, { members: nodeNames(stage.nodes) }, (play) => story(play, stage)),
  judge: judgeReplicaLossStory,
}
