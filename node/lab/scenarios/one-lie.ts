import { nodeNames, Play } from './play.ts'
import type { Stage } from './scenario.ts'

/**
 * The story of both faults: honest nodes talk, a staked key without a guard breaks a rule, and everything follows from
 * that without a person's hand.
 */
export function playOneLie(
  stage: Stage,
  lie: { readonly order: 'twice' | 'beyond'; readonly texts: readonly string[] },
): Promise<void> {
  const honest = nodeNames(stage.nodes)
  return Play.run(stage, { honest, staked: ['liar'] }, async (play) => {
    const { log } = stage
    for (const name of honest) play.introduceMember(name, 'honest')
    play.introduceMember('liar', 'liar')
    await Promise.all(honest.map((name) => play.start(name, 'begin')))
    log(`${honest.length} nodes run`)
    await play.connected(honest, Math.min(honest.length, 4))
    await play.saidToAll('node-1', honest, 'all is well', 'before')
    await play.count('before')

    const speaker = await play.speaker('liar', play.member('liar').node.privateKey, honest.length)
    await play.order('liar', speaker, 'lie', lie.order, ...lie.texts)
    log('the liar has spoken')
    await play.logged('FaultProven')
    log('the fault is proven')
    await play.knowFault(honest)
    await play.readEvidence('node-1')

    // Whoever hears the honest message that follows would have heard the liar's before it.
    await play.order('liar', speaker, 'after', 'say', 'believe me once more')
    await play.saidToAll('node-1', honest, 'nobody listens', 'after')
    await play.logged('Released')
    log('the reward is paid')
    await play.count('after')
    await play.ask(honest, 'end')
    await speaker.stop()
  })
}
