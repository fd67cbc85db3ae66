import { privateKeyToAddress } from 'viem/accounts'
import { unbond } from '../../chain/index.ts'
import type { Address } from '../../core/index.ts'
import { until } from '../network/until.ts'
import { eventsOf } from '../transcript.ts'
import { judgeUnstakedStory } from '../verdicts/unstaked.ts'
import { nodeNames, Play, strangerKey } from './play.ts'
import type { Scenario, Stage } from './scenario.ts'

const ACTIVE_WITHIN_MS = 30_000

async function story(play: Play, stage: Stage, honest: readonly string[]): Promise<void> {
  const { log } = stage
  for (const name of honest) play.introduceMember(name, 'honest')
  await Promise.all(honest.map((name) => play.start(name, 'begin')))
  await play.connected(honest, honest.length - 1)
  log(`${honest.length} nodes run`)

  const stranger = strangerKey()
  const leaving = play.member('leaving')
  const early = await play.network.add('early')
  play.introduce('stranger', 'outsider', privateKeyToAddress(stranger).toLowerCase() as Address, null, [])
  play.introduceMember('leaving', 'outsider')
  play.introduceMember('early', 'outsider')
  await unbond(play.network.actions(leaving.operator.privateKey), { stakeId: leaving.stakeId })
  const speakers = await Promise.all([
    play.speaker('stranger', stranger, honest.length),
    play.speaker('leaving', leaving.node.privateKey, honest.length),
    play.speaker('early', early.node.privateKey, honest.length),
  ])
  const names = ['stranger', 'leaving', 'early']
  log('a stranger, a leaving and an early key are connected')

  // Whoever hears the honest message that follows would have heard theirs before it.
  for (const [i, speaker] of speakers.entries()) {
    for (let round = 1; round <= 3; round++) {
      await play.order(names[i] as string, speaker, 'outside', 'say', `${names[i]} speaks ${round}`)
    }
  }
  await play.saidToAll('node-1', honest, 'who is there', 'control')
  await play.ask(honest, 'outside')

  await play.network.activate(early)
  log('the early key is active now')
  let number = 0
  await until('the early key is heard', ACTIVE_WITHIN_MS, async () => {
    await play.order('early', speakers[2], 'activated', 'say', `early is active ${++number}`)
    return eventsOf(stage.transcript, 'heard').some(({ text }) => text.startsWith('early is active'))
  })
  await play.ask(honest, 'end')
  await Promise.all(speakers.map((speaker) => speaker.stop()))
}

export const scenario: Scenario = {
  name: 'unstaked',
  summary: 'Unstaked, unbonding and not yet active keys get nowhere',
  nodes: { usual: 3, least: 2 },
  play: (stage) => {
    const honest = nodeNames(stage.nodes)
    return Play.run(stage, { honest, staked: ['leaving'] }, (play) => story(play, stage, honest))
  },
  judge: judgeUnstakedStory,
}
