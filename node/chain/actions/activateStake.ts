import { encodeFunctionData } from 'viem'
import { EXIT, type Hex } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { ChainError } from '../errors.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, read } from './act.ts'
import { headerRlp } from './block-header.ts'
import { registryEvent } from './events.ts'
import { readStake } from './readStake.ts'

export interface ActivateConsequences {
  readonly stakeId: number
  readonly drawBlock: number
  /** Undefined while only foreseen: the contract draws it. */
  readonly placement: Hex | undefined
}

/**
 * Shows the registry the header of a stake's draw block, which draws the placement. Anyone may.
 * @throws {ChainError} `STAKE_UNKNOWN`; `STAKE_DRAW_NOT_YET` (exit code 75) until the block after the draw block is mined
 */
export async function activateStake(
  modules: ActionModules,
  args: { readonly stakeId: number },
  options: ActionOptions = {},
): Promise<ActionResult<ActivateConsequences>> {
  const { client, deployment } = modules
  const stake = await readStake(modules, args)
  if (stake === undefined) {
    throw new ChainError('STAKE_UNKNOWN', `there is no stake ${args.stakeId}`, { values: args })
  }
  const headNumber = Number(await read(client.getBlockNumber({ cacheTime: 0 })))
  // A trial call runs as of the head, and a block does not know its own hash: the head must be past the draw block.
  const missingBlocks = stake.drawBlock + 1 - headNumber
  if (missingBlocks > 0) {
    throw new ChainError(
      'STAKE_DRAW_NOT_YET',
      `stake ${args.stakeId} is drawn by block ${stake.drawBlock}; the chain is at block ${headNumber}`,
      {
        exitCode: EXIT.tryAgain,
        hint: `run the command again in ${missingBlocks} blocks`,
        values: { ...args, drawBlock: stake.drawBlock, headNumber },
      },
    )
  }
  const header = await read(headerRlp(client, stake.drawBlock))
  const data = encodeFunctionData({
    abi: stakeRegistryAbi,
    functionName: 'activate',
    args: [BigInt(args.stakeId), header],
  })
  const { drawBlock } = stake
  return act<ActivateConsequences>(
    modules,
    {
      to: deployment.registry,
      data,
      foresee: () => ({ stakeId: args.stakeId, drawBlock, placement: undefined }),
      happened: (receipt) => ({
        stakeId: args.stakeId,
        drawBlock,
        placement: registryEvent(receipt, 'Activated').placement,
      }),
    },
    options,
  )
}
