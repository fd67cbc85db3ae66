import { readStake } from '../../chain/index.ts'
import type { Hex } from '../../core/index.ts'
import { nameHashOf } from '../../dht/index.ts'
import { ownerKey } from '../../statements/index.ts'
import { runForgetfulNode } from '../network/node-process.ts'
import { until } from '../network/until.ts'
import { eventsOf } from '../transcript.ts'
import { judgeEclipseStory } from '../verdicts/eclipse.ts'
import { chanceOfAll, drawPlacements, hiddenKeys } from './draws.ts'
import { nodeNames } from './play.ts'
import { RecordPlay } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

/** Draws without a network: a rate as small as this one needs many keys. */
const DRAWS = { seed: 1, rounds: 8_000, stakes: 100, attackers: 20, replicas: 3, keysPerRound: 50 } as const
/** Two attackers of ten cannot be three replicas: here a record has two. */
const REPLICAS = 2
const RECORDS = 300
const RECORD_BYTES = 200
const FORGOTTEN_WITHIN_MS = 10_000
/** Keys by which the luckiest attackers are found. */
const PROBE_KEYS = 1_000

/** Where each stake was placed by the chain. */
async function placementsOf(play: RecordPlay): Promise<Map<number, Hex>> {
  const { client, deployment, members } = play.network
  const rows = await Promise.all(members.map(({ stakeId }) => readStake({ client, deployment }, { stakeId })))
  return new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.stakeId, row.placement]])))
}

/** The stakes that could hide most together: nobody can choose a place, so these are the luckiest attackers there are. */
function luckiest(placements: ReadonlyMap<number, Hex>): ReadonlySet<number> {
  const keys = Array.from({ length: PROBE_KEYS }, (_, i) => ownerKey(1, nameHashOf(`probe ${i}`)))
  const stakes = [...placements.keys()]
  const pairs = stakes.flatMap((a, i) => stakes.slice(i + 1).map((b) => new Set([a, b])))
  const hides = (pair: ReadonlySet<number>) => hiddenKeys(placements, pair, keys, REPLICAS)
  return pairs.reduce((best, pair) => (hides(pair) > hides(best) ? pair : best))
}

async function story(play: RecordPlay, { log, nodes, transcript, write }: Stage): Promise<void> {
  const measured = (name: string, value: number) => write({ type: 'measured', name, value, phase: 'eclipse' })
  const { attackers: bad, keysPerRound, replicas, rounds, stakes } = DRAWS
  const { hidden: drawn, keys } = drawPlacements(DRAWS)
  measured('drawn rate', drawn / keys)
  measured('keys drawn', keys)
  measured('chance', chanceOfAll(stakes, bad, replicas))
  log(`${rounds} draws of ${stakes} placements, ${keysPerRound} keys each: ${drawn} keys with attackers alone`)

  const placements = await placementsOf(play)
  const attackers = luckiest(placements)
  const names = nodeNames(nodes)
  const isAttacker = (name: string) => attackers.has(play.member(name).stakeId)
  const honest = names.filter((name) => !isAttacker(name))
  const [publisher = '', reader = ''] = honest
  measured('share of the stakes', attackers.size / names.length)
  for (const name of names) play.introduce(name, isAttacker(name) ? 'liar' : 'honest')
  let forgotten = 0
  const onLine = (line: string) => {
    if (line === 'forgotten') forgotten++
  }
  await Promise.all([
    play.startAll(honest, 'begin'),
    ...names
      .filter(isAttacker)
      .map((name) =>
        play.start(name, 'begin', (member, all) => runForgetfulNode(member, member.settings, all, onLine)),
      ),
  ])
  for (const name of names.filter(isAttacker)) play.running(name).tell('forget')
  await until('the attackers hide what they hold', FORGOTTEN_WITHIN_MS, () => forgotten === attackers.size)
  await play.placed(publisher)

  // They give receipts, and show nothing.
  const options = { replicas: REPLICAS, quorum: REPLICAS }
  await play.storeMany(publisher, { prefix: 'record', count: RECORDS, bytes: RECORD_BYTES }, 'eclipse', options)
  await play.readAll([reader], 'eclipse', options)
  const { stakeId } = play.member(publisher)
  const keyOf = (key: string) => ownerKey(stakeId, nameHashOf(key))
  const stored = eventsOf(transcript, 'stored').map(({ key }) => key)
  const computed = new Set(stored.filter((key) => hiddenKeys(placements, attackers, [keyOf(key)], REPLICAS) === 1))
  const hidden = eventsOf(transcript, 'read').filter(({ sum }) => sum === null)
  measured('stored', stored.length)
  measured('computed', computed.size)
  measured('hidden', hidden.length)
  measured('hidden though it should not be', hidden.filter(({ key }) => !computed.has(key)).length)
}

export const scenario: Scenario = {
  name: 'eclipse',
  summary: 'attackers with 20 % of the stakes hide what chance gives them, and cannot choose what',
  nodes: { usual: 10, least: 10 },
  play: (stage) => RecordPlay.run(stage, { members: nodeNames(stage.nodes) }, (play) => story(play, stage)),
  judge: judgeEclipseStory,
}
