import { parseEther, parseEventLogs } from 'viem'
import { availabilityChallengeAbi } from '../../../node/chain/abi.generated.ts'
import type { Contracts } from './fixture.ts'
import { chunkAndPath, ownerPut, promise, separatorOf, shown, signerFor, valueBytes } from './promises.ts'

const VALUE = valueBytes(65_536)
/** The longest index there is. */
const LAST = 63

/**
 * The gas of a challenge from opening to payment, in a contract that others used before: a value of 64 KiB, the longest
 * path, every byte of the chunk other than zero.
 */
export async function measureChallenges(world: Contracts, gas: Record<string, number>): Promise<void> {
  const { contracts, gasOf, networkHelpers, operator } = world
  const { challenges } = contracts
  const answerer = operator(9).account
  // Stakes of their own: others of this file were slashed or left.
  const [writer, replica] = [await stakeOf(world, 10), await stakeOf(world, 11)]
  const separator = separatorOf(world)
  const epoch = Number(await contracts.registry.read.currentEpoch())
  const promised = (index: number) =>
    promise(ownerPut(VALUE, epoch), {
      ...{ epoch, index, separator },
      ...{ writer: signerFor('node 10'), replica: signerFor('node 11'), writerStakeId: writer },
    })
  const open = async (index: number, chunkIndex: number) => {
    const { put, receipt } = promised(index)
    const args = [shown(receipt.frame, separator), shown(put.frame, separator), chunkIndex] as const
    const hash = await challenges.write.open(args, { value: parseEther('0.1') })
    const { logs } = await world.publicClient.getTransactionReceipt({ hash })
    const [opened] = parseEventLogs({ abi: availabilityChallengeAbi, eventName: 'Opened', logs })
    return { hash, challengeId: opened!.args.challengeId }
  }
  const answer = async (challengeId: `0x${string}`, chunkIndex: number) => {
    const { chunk, path } = chunkAndPath(VALUE, chunkIndex)
    return challenges.write.answer([challengeId, chunk, path], { account: answerer })
  }

  const first = await open(0, LAST)
  gas['open a challenge'] = await gasOf(first.hash)
  gas['answer a challenge with the last chunk of 64 KiB'] = await gasOf(await answer(first.challengeId, LAST))
  // The first coin ever burnt makes the account that nobody has.
  await challenges.write.collect([first.challengeId])

  const second = await open(0, 0)
  const { put: later } = promised(1)
  gas['answer a challenge with a later PUT'] = await gasOf(
    await challenges.write.answerSuperseded([second.challengeId, shown(later.frame, separator)], { account: answerer }),
  )
  gas['collect what an answer is paid'] = await gasOf(await challenges.write.collect([second.challengeId]))

  const third = await open(2, 0)
  const again = await open(2, 1)
  const [seconds] = await challenges.read.answerableUntil([again.challengeId])
  await networkHelpers.mine(20)
  await networkHelpers.time.increaseTo(seconds + 1n)
  gas['conclude a challenge, slashing'] = await gasOf(await challenges.write.conclude([third.challengeId]))
  gas['conclude another challenge of that receipt'] = await gasOf(await challenges.write.conclude([again.challengeId]))
  gas['collect the bond of a challenge nobody answered'] = await gasOf(
    await challenges.write.collect([third.challengeId]),
  )
  if ((await contracts.registry.read.stakeOf([BigInt(replica)])).jailedUntil === 0n)
    throw new Error('nobody was slashed')
}

/** Registers and activates operator `index`. @returns its stake id */
async function stakeOf(world: Contracts, index: number): Promise<number> {
  const { registry } = world.contracts
  await world.register(index)
  const { stakeId } = await registry.read.keyRecord([signerFor(`node ${index}`).address])
  const { drawBlock } = await registry.read.stakeOf([stakeId])
  await world.networkHelpers.mineUpTo(drawBlock + 1n)
  await registry.write.activate([stakeId, await world.headerRlp(drawBlock)])
  return Number(stakeId)
}
