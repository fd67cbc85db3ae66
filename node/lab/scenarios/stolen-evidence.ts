import { judgeStolenEvidenceStory } from '../verdicts/stolen-evidence.ts'
import { Copier } from './copier.ts'
import { nodeNames, Play } from './play.ts'
import type { Scenario, Stage } from './scenario.ts'

/** Long enough that a copier sees a transaction before it is mined. */
const BLOCK_TIME_MS = 2_000

async function story(play: Play, { log, write }: Stage, honest: readonly string[]): Promise<void> {
  for (const name of honest) play.introduceMember(name, 'honest')
  play.introduceMember('liar', 'liar')
  const copier = new Copier(play.network, write)
  play.introduce('copier', 'copier', copier.address, null, [copier.address])
  await Promise.all(honest.map((name) => play.start(name, 'begin')))
  await play.connected(honest, Math.min(honest.length, 4))
  log(`${honest.length} nodes run, a copier sits in the mempool`)
  await play.count('before')
  await copier.begin()

  const speaker = await play.speaker('liar', play.member('liar').node.privateKey, honest.length)
  await play.order('liar', speaker, 'lie', 'twice', 'the stone is white', 'the stone is black')
  await play.logged('FaultProven')
  log('the fault is proven')
  await play.logged('Claimed')
  await copier.claimAll()
  log('the copier has claimed')
  await play.logged('Released')
  log('the reward is paid')
  await play.count('after')
  await play.ask(honest, 'end')
  await speaker.stop()
}

export const scenario: Scenario = {
  name: 'stolen-evidence',
  summary: 'A copier in the mempool runs in front of an honest submission and gains nothing',
  nodes: { usual: 2, least: 2 },
  play: (stage) => {
    const honest = nodeNames(stage.nodes)
    return Play.run(stage, { honest, staked: ['liar'], blockTimeMs: BLOCK_TIME_MS }, (play) =>
      story(play, stage, honest),
    )
  },
  judge: judgeStolenEvidenceStory,
}
