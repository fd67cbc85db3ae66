import { openChallenge } from '../../chain/index.ts'
import { fromHex } from '../../core/index.ts'
import { DomainSeparator } from '../../statements/index.ts'
import { eventsOf } from '../transcript.ts'
import { CHALLENGED, judgeAnsweredStory } from '../verdicts/answered.ts'
import { nodeNames } from './play.ts'
import { RecordPlay, sample } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

const RECORD_BYTES = 5_000
const ANSWERED_WITHIN_MS = 90_000

/** Challenges the receipt that `replica` gave for the record called `key`. */
async function challenge(
  play: RecordPlay,
  { by, key, phase, replica }: { by: string; key: string; phase: string; replica: string },
): Promise<void> {
  const { client, gas } = play.member(by)
  const { stakeId } = play.member(replica)
  const listed = (await client.receipts({ key, limit: 100 })).filter((receipt) => receipt.stakeId === stakeId)
  // The oldest: of a record that was stored twice, the one of its first version.
  const file = await client.receipt(listed.at(-1)?.id ?? '0x')
  const { chainId, registry: verifyingContract, salt } = file.domain
  const result = await openChallenge(play.network.actions(gas.privateKey), {
    receipt: fromHex(file.receipt),
    put: fromHex(file.put),
    chunkIndex: 2,
    separator: new DomainSeparator({ chainId: BigInt(chainId), verifyingContract, salt }),
  })
  const { challengeId } = result.consequences
  play.stage.write({ type: 'challenged', actor: by, stakeId, challengeId, phase })
  play.stage.log(`${replica} is challenged (${phase})`)
}

async function story(play: RecordPlay, { nodes, transcript }: Stage): Promise<void> {
  const names = nodeNames(nodes)
  const [publisher = ''] = names
  for (const name of names) play.introduce(name, 'honest')
  await play.startAll(names, 'begin')
  await play.placed(publisher)
  for (const key of CHALLENGED) await play.store(publisher, key, sample(key, RECORD_BYTES), 'begin')
  // A newer version of one of them: the old one's receipts are still out.
  await play.store(publisher, 'superseded', sample('superseded by this', RECORD_BYTES), 'begin')
  const holders = (key: string) =>
    (eventsOf(transcript, 'stored').find((event) => event.key === key)?.stakes ?? [])
      .map((stakeId) => play.ofStake(stakeId).name)
      .filter((name) => name !== publisher)
  const victim = holders('overloaded')[0] ?? ''
  await challenge(play, { by: publisher, key: 'honest', phase: 'honest', replica: holders('honest')[0] ?? '' })
  await challenge(play, {
    by: publisher,
    key: 'superseded',
    phase: 'superseded',
    replica: holders('superseded')[0] ?? '',
  })
  await play.logged('Answered', 2, ANSWERED_WITHIN_MS)

  // Stopped dead, as a machine under far too much load is; a co-replica answers for it from half of the window on.
  const stoppedAt = performance.now()
  process.kill(play.running(victim).pid, 'SIGSTOP')
  try {
    await challenge(play, { by: publisher, key: 'overloaded', phase: 'overloaded', replica: victim })
    await play.logged('Answered', 3, ANSWERED_WITHIN_MS)
  } finally {
    process.kill(play.running(victim).pid, 'SIGCONT')
  }
  play.stage.write({
    type: 'measured',
    name: 'stopped for ms',
    value: performance.now() - stoppedAt,
    phase: 'overloaded',
  })
}

export const scenario: Scenario = {
  name: 'answered',
  summary: 'an honest, a superseded and an overloaded replica under challenge are never slashed',
  nodes: { usual: 5, least: 4 },
  play: (stage) => RecordPlay.run(stage, { members: nodeNames(stage.nodes) }, (play) => story(play, stage)),
  judge: judgeAnsweredStory,
}
