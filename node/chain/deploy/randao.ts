import { RANDAO_SAMPLE_BLOCKS } from './constants.ts'
import { DeployError } from './errors.ts'
import type { Sender } from './sender.ts'

/**
 * Placements are drawn from the RANDAO mix of later blocks: on a chain where it does not vary, everybody could choose.
 * A chain too young to tell is given transactions that do nothing.
 *
 * @throws DeployError `RANDAO_NOT_VARYING`
 */
export async function assertRandaoVaries(sender: Sender): Promise<void> {
  // The genesis block may hold anything, so two blocks after it are the least that tell.
  while ((await sender.client.getBlockNumber()) < 2n) await sender.touch('make a block')
  const head = await sender.client.getBlockNumber()
  const oldest = head < BigInt(RANDAO_SAMPLE_BLOCKS) ? 1n : head - BigInt(RANDAO_SAMPLE_BLOCKS) + 1n
  const numbers = Array.from({ length: Number(head - oldest) + 1 }, (_, index) => oldest + BigInt(index))
  const blocks = await Promise.all(numbers.map((blockNumber) => sender.client.getBlock({ blockNumber })))
  const mixes = new Set(blocks.map((block) => block.mixHash))
  if (mixes.size > 1) return
  throw new DeployError(
    'RANDAO_NOT_VARYING',
    `this chain's blocks ${oldest} to ${head} all have the RANDAO mix ${[...mixes][0] ?? 'none'}: placements could be chosen`,
    { hint: 'deploy to a chain whose prevrandao differs from block to block', values: { mixHash: [...mixes][0] } },
  )
}
