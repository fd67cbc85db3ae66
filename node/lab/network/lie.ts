import { SpeakerProcess } from '../peers/speaker-process.ts'
import type { ChainEvent } from './chain-log.ts'
import { egi } from './picture.ts'
import type { PrivateNetwork, StakedMember } from './private-network.ts'
import { CHATTER } from './private-network.ts'
import type { Processes, Running } from './processes.ts'

/** How a liar is shown caught: who, what, blocks, milliseconds, reward. */
export interface LieStory {
  readonly liar: StakedMember
  /** Head of the chain when the second statement was sent. */
  readonly headAtLie: number
  /** Unix milliseconds at which the second statement was sent. */
  readonly liedAtMs: number
}

/**
 * Ends a member's node and lets a program without a guard say two things in one slot with its key: what a thief of the
 * key could do, or an operator that changed the program.
 */
export async function tellLie(
  network: PrivateNetwork,
  liar: StakedMember,
  node: Running,
  processes: Processes,
): Promise<LieStory> {
  await node.stop()
  const minPeers = network.members.length - 1
  const options = { ...network.barePeer(liar.name, liar.node.privateKey), topic: CHATTER, minPeers }
  const speaker = new SpeakerProcess(`${liar.name}, lying`, options, processes)
  await speaker.ready()
  const headAtLie = Number(await network.client.getBlockNumber({ cacheTime: 0 }))
  const { atMs } = await speaker.order('twice', 'the stone is white', 'the stone is black')
  return { liar, headAtLie, liedAtMs: atMs }
}

/** Puts a chain event of the story into words; `undefined` for those that do not matter to it. */
export function wordsOf(
  event: ChainEvent,
  story: LieStory,
  members: readonly StakedMember[],
  nowMs: number,
): string | undefined {
  const { args, blockNumber, name } = event
  const blocks = blockNumber - story.headAtLie
  if (name === 'Committed')
    return `  a commitment is mined in block ${blockNumber}, ${blocks} after the lie: whoever it is, the reward is theirs to claim`
  if (name === 'FaultProven') {
    return `  fault ${short(args.faultId)} is proven in block ${blockNumber}: ${blocks} blocks and ${nowMs - story.liedAtMs} ms after the lie`
  }
  if (name === 'Slashed') {
    return `  ${story.liar.name} (stake ${args.stakeId}) loses ${egi(BigInt(args.charged as string))} EGI and ${args.tombstoned ? 'is silent for ever' : 'is jailed'}`
  }
  if (name === 'Released') {
    const winner = members.find(({ operator }) => operator.address === args.beneficiary)
    return `  reward: ${egi(BigInt(args.amount as string))} EGI to the operator of ${winner?.name ?? args.beneficiary}, who committed first`
  }
  return undefined
}

function short(hex: string | boolean | undefined): string {
  return `${String(hex).slice(0, 10)}…`
}
