import { askStatus } from '../network/node-process.ts'
import { SmallDisk } from '../network/small-disk.ts'
import { until } from '../network/until.ts'
import { eventsOf } from '../transcript.ts'
import { judgeDiskFullStory } from '../verdicts/disk-full.ts'
import { nodeNames } from './play.ts'
import { RecordPlay, sample } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

/** Twice what a node keeps free of records, so that it begins with some room. */
const DISK_BYTES = 256 * 1024 * 1024
const RECORDS = 24
const RECORD_BYTES = 4_000
/** More than a block of its guard, so that what was reserved before is used up. */
const OWN_RECORDS_MOST = 200
const WITHIN_MS = 30_000

/** Records that a node holds, current versions alone. */
async function heldBy(play: RecordPlay, name: string): Promise<number> {
  return (await askStatus(play.member(name)))?.dht.records ?? 0
}

/** Records acknowledged so far for which `name` gave a receipt. */
function promisedBy(play: RecordPlay, name: string): number {
  const { stakeId } = play.member(name)
  const records = eventsOf(play.stage.transcript, 'stored').filter(({ stakes }) => stakes.includes(stakeId))
  return new Set(records.map(({ actor, key }) => `${actor} ${key}`)).size
}

/** Of the records stored in `phase`, those that `name` should hold by its place. */
async function dueTo(play: RecordPlay, name: string, phase: string): Promise<number> {
  const { stakeId } = play.member(name)
  let due = 0
  for (const { actor, key } of eventsOf(play.stage.transcript, 'stored').filter((event) => event.phase === phase)) {
    const { replicas } = await play.member(actor).client.closest(key)
    if (replicas.some((replica) => replica.stakeId === stakeId)) due++
  }
  return due
}

async function story(play: RecordPlay, { log, nodes }: Stage): Promise<void> {
  const names = nodeNames(nodes)
  const [publisher = '', small = ''] = names
  const reader = names.at(-1) as string
  const measured = (name: string, value: number) => play.stage.write({ type: 'measured', name, value, phase: 'full' })
  for (const name of names) play.introduce(name, 'honest')
  const disk = await SmallDisk.under(play.member(small).dataDir, DISK_BYTES, play.network.workspace)
  await play.startAll(names, 'begin')
  for (const name of [publisher, small]) await play.placed(name)
  await play.storeMany(publisher, { prefix: 'before', count: RECORDS, bytes: RECORD_BYTES }, 'begin')

  await disk.fill()
  log(`the disk of ${small} is full`)
  await until(`${small} says so`, WITHIN_MS, async () => (await askStatus(play.member(small)))?.dht.full)
  const heldWhenFull = await heldBy(play, small)
  await play.storeMany(publisher, { prefix: 'full', count: RECORDS, bytes: RECORD_BYTES }, 'full')
  // It signs what its guard has reserved, and then no more.
  for (let i = 1; i <= OWN_RECORDS_MOST; i++) {
    if (!(await play.store(small, `own ${i}`, sample(`own ${i}`, 100), 'own full'))) break
  }
  await play.readAll([small, reader], 'full')
  measured('alive when full', play.running(small).alive() ? 1 : 0)
  measured('due to it while full', await dueTo(play, small, 'full'))
  measured('records when full', heldWhenFull)
  measured('records while full', await heldBy(play, small))

  await disk.free()
  log('there is space again')
  await until(`${small} says so`, WITHIN_MS, async () => (await askStatus(play.member(small)))?.dht.full === false)
  await play.storeMany(publisher, { prefix: 'after', count: RECORDS, bytes: RECORD_BYTES }, 'after')
  await play.storeMany(small, { prefix: 'own again', count: 4, bytes: 100 }, 'own after')

  // Whatever it promised is on its disk, and not only in its memory.
  await disk.fill()
  await play.kill(small, 'full again')
  await disk.free()
  await play.start(small, 'full again')
  measured('promised', promisedBy(play, small))
  measured('held after kill', await heldBy(play, small))
  await play.placed(publisher)
  await play.readAll([small, reader], 'after')
}

export const scenario: Scenario = {
  name: 'disk-full',
  summary:
    'a replica whose disk is full promises and signs no more, keeps what it promised, and goes on once there is space',
  nodes: { usual: 5, least: 5 },
  play: (stage) => RecordPlay.run(stage, { members: nodeNames(stage.nodes) }, (play) => story(play, stage)),
  judge: judgeDiskFullStory,
}
