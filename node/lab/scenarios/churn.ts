import { readStake, unbond } from '../../chain/index.ts'
import { askStatus } from '../network/node-process.ts'
import { until } from '../network/until.ts'
import { usageOf } from '../network/usage.ts'
import { judgeChurnStory, REPLACED_SHARE } from '../verdicts/churn.ts'
import { nodeNames } from './play.ts'
import { crowd, RecordPlay } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

const RECORDS = 60
const RECORD_BYTES = 1024
/** Nodes that begin at a time: each loads for a second or two. */
const STARTS_AT_ONCE = 4
/** Nodes that leave and come together: all at once could take every replica of a record with them. */
const WAVE = 4
/** Epochs after which a change of stakes is in all tables, and what moved by it is handed over and compared again. */
const SETTLED_EPOCHS = 3
const SETTLED_WITHIN_MS = 240_000
const DRAWN_WITHIN_MS = 60_000
const MIB = 1024 * 1024

/** Waits until `name` sees the stakes as they were some epochs ago. */
async function settled(play: RecordPlay, name: string): Promise<void> {
  const epoch = async () => (await askStatus(play.member(name)))?.chain.epoch ?? 0
  const due = (await epoch()) + SETTLED_EPOCHS
  await until(`epoch ${due} begins`, SETTLED_WITHIN_MS, async () => (await epoch()) >= due)
}

/** Makes, registers, activates and starts a node, as its operator would. */
async function come(play: RecordPlay, name: string): Promise<void> {
  const { network } = play
  const member = await network.add(name)
  const { stakeId } = member
  await until(`the place of ${name} can be drawn`, DRAWN_WITHIN_MS, async () => {
    const stake = await readStake({ client: network.client, deployment: network.deployment }, { stakeId })
    const head = await network.client.getBlockNumber({ cacheTime: 0 })
    return stake !== undefined && head > BigInt(stake.drawBlock)
  })
  await network.activate(member)
  play.introduce(name, 'honest')
  await play.start(name, 'churn')
}

/** The operators of `leaving` unbond. One of them is gone at once; the others hand over what they hold, and are gone then. */
async function replaceWave(play: RecordPlay, leaving: readonly string[], coming: readonly string[]): Promise<void> {
  const [sudden = '', ...orderly] = leaving
  await Promise.all(
    leaving.map((name) => {
      const { operator, stakeId } = play.member(name)
      return unbond(play.network.actions(operator.privateKey), { stakeId })
    }),
  )
  await play.kill(sudden, 'churn')
  await Promise.all(coming.map((name) => come(play, name)))
  await settled(play, coming[0] as string)
  for (const name of orderly) await play.kill(name, 'churn')
  play.stage.log(`${leaving.join(', ')} left, ${coming.join(', ')} came`)
}

/** What a node costs that has nothing to do, on the average over all of them. */
async function atRest(play: RecordPlay, names: readonly string[], witness: string): Promise<void> {
  const usage = () => names.map((name) => usageOf(play.running(name).pid))
  const before = usage()
  const startedAt = performance.now()
  await settled(play, witness)
  const tookMs = performance.now() - startedAt
  const after = usage()
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const cpuMs = sum(after.map(({ cpuMs: spent }, i) => spent - (before[i]?.cpuMs ?? 0)))
  const measured = (name: string, value: number) => play.stage.write({ type: 'measured', name, value, phase: 'rest' })
  measured('cores of a node at rest', cpuMs / names.length / tookMs)
  measured('MiB of a node at rest', sum(after.map(({ residentBytes }) => residentBytes)) / names.length / MIB)
}

async function story(play: RecordPlay, { log, nodes }: Stage): Promise<void> {
  const names = nodeNames(nodes)
  const publisher = names[0] as string
  const reader = names.at(-1) as string
  for (const name of names) play.introduce(name, 'honest')
  await crowd(names.length, (index) => play.start(names[index] as string, 'begin'), STARTS_AT_ONCE)
  log(`${names.length} nodes run`)
  await play.placed(publisher)
  await atRest(play, names, publisher)
  await play.storeMany(publisher, { prefix: 'record', count: RECORDS, bytes: RECORD_BYTES }, 'begin')
  await play.readAll([reader], 'before')

  const count = Math.round(names.length * REPLACED_SHARE)
  // Neither the one whose address stands in the name, nor the one that reads.
  const leaving = names.slice(1, count + 1)
  const coming = Array.from({ length: count }, (_, i) => `new-${i + 1}`)
  for (let at = 0; at < count; at += WAVE) {
    await replaceWave(play, leaving.slice(at, at + WAVE), coming.slice(at, at + WAVE))
  }
  await play.readAll([reader, coming.at(-1) as string], 'after')
}

export const scenario: Scenario = {
  name: 'churn',
  summary: `${REPLACED_SHARE * 100} % of the nodes are replaced within minutes, and all records are still read back`,
  nodes: { usual: 40, least: 10 },
  play: (stage) => RecordPlay.run(stage, { members: nodeNames(stage.nodes) }, (play) => story(play, stage)),
  judge: judgeChurnStory,
}
