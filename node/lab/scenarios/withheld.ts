import { readStake, stakeRegistryAbi } from '../../chain/index.ts'
import { runForgetfulNode } from '../network/node-process.ts'
import { until } from '../network/until.ts'
import { programPath } from '../program.ts'
import { eventsOf } from '../transcript.ts'
import { judgeWithheldStory } from '../verdicts/withheld.ts'
import { nodeNames } from './play.ts'
import { RecordPlay } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

const CLI = programPath('cli/main')
const RECORDS = 12
const RECORD_BYTES = 3_000
const FORGOTTEN_WITHIN_MS = 10_000
/** The window of thirty seconds, ten blocks, and a busy machine. */
const CONCLUDED_WITHIN_MS = 120_000

/** Writes down what each actor has. */
async function count(play: RecordPlay, when: 'before' | 'after'): Promise<void> {
  const { client, deployment } = play.network
  const registry = { address: deployment.registry, abi: stakeRegistryAbi } as const
  for (const { name, stakeId, accounts } of eventsOf(play.stage.transcript, 'actor')) {
    const stake = stakeId === null ? undefined : await readStake({ client, deployment }, { stakeId })
    const credits = await Promise.all(
      accounts.map((account) => client.readContract({ ...registry, functionName: 'creditsOf', args: [account] })),
    )
    const creditsWei = String(credits.reduce((sum, credit) => sum + credit, 0n))
    play.stage.write({ type: 'money', actor: name, when, bondWei: String(stake?.amountWei ?? 0n), creditsWei })
  }
}

async function story(play: RecordPlay, { log, nodes }: Stage): Promise<void> {
  const names = nodeNames(nodes - 1)
  const cheat = 'forgetful'
  const [publisher = '', reader = ''] = names
  for (const name of names) play.introduce(name, 'honest')
  play.introduce(cheat, 'liar')
  let hasForgotten = false
  await Promise.all([
    play.startAll(names, 'begin'),
    play.start(cheat, 'begin', (member, processes) =>
      runForgetfulNode(member, member.settings, processes, (line) => {
        if (line === 'forgotten') hasForgotten = true
      }),
    ),
  ])
  await play.placed(publisher)
  await play.storeMany(publisher, { prefix: 'record', count: RECORDS, bytes: RECORD_BYTES }, 'begin')
  await count(play, 'before')

  // The cheat keeps its receipts' promises no longer.
  play.running(cheat).tell('forget')
  await until('the cheat has forgotten', FORGOTTEN_WITHIN_MS, () => hasForgotten)
  const { client, dataDir } = play.member(publisher)
  const cheatStake = play.member(cheat).stakeId
  const receipt = (await client.receipts({ limit: 1_000 })).find(({ stakeId }) => stakeId === cheatStake)
  if (receipt === undefined) throw new TypeError('the cheat gave no receipt: store more records')
  log(`${cheat} forgets what it promised; ${publisher} challenges one of its receipts`)

  // One command, as an operator would: challenge, wait, slash.
  const command = ['evidence', 'challenge', receipt.id, '--data-dir', dataDir, '--wait', '--conclude', '--json']
  const challenger = play.network.processes.start({ name: 'evidence challenge', args: [CLI, ...command] })
  await play.logged('Slashed', 1, CONCLUDED_WITHIN_MS)
  await challenger.ended
  await play.readAll([publisher, reader], 'withheld')
  await count(play, 'after')
}

export const scenario: Scenario = {
  name: 'withheld',
  summary: 'a replica drops what it gave a receipt for, is challenged and slashed; the record survives',
  nodes: { usual: 5, least: 4 },
  // Honest nodes would answer for the cheat, whose bytes they hold too, and no promise to the world would be broken:
  // here they answer for themselves alone.
  play: (stage) =>
    RecordPlay.run(stage, { members: [...nodeNames(stage.nodes - 1), 'forgetful'], answers: 'own' }, (play) =>
      story(play, stage),
    ),
  judge: judgeWithheldStory,
}
