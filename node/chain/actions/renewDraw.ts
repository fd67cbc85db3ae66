import { encodeFunctionData } from 'viem'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, read } from './act.ts'
import { registryEvent } from './events.ts'
import { readParams } from './readParams.ts'
import { readStake } from './readStake.ts'

/** What a missed draw costs: 1 % of the stake. */
const MISSED_DRAW_DIVISOR = 100n

export interface RenewDrawConsequences {
  readonly stakeId: number
  readonly drawBlock: number
  /** Burns. */
  readonly chargedWei: bigint
}

/** Sets a missed draw anew. Anyone may; it costs the stake 1 %. */
export async function renewDraw(
  modules: ActionModules,
  args: { readonly stakeId: number },
  options: ActionOptions = {},
): Promise<ActionResult<RenewDrawConsequences>> {
  const { stakeId } = args
  const data = encodeFunctionData({ abi: stakeRegistryAbi, functionName: 'renewDraw', args: [BigInt(stakeId)] })
  return act(
    modules,
    {
      to: modules.deployment.registry,
      data,
      foresee: async () => {
        const [stake, params, head] = await Promise.all([
          readStake(modules, args),
          readParams(modules),
          read(modules.client.getBlockNumber({ cacheTime: 0 })),
        ])
        const drawBlock = Number(head) + 1 + params.drawDelayBlocks
        return { stakeId, drawBlock, chargedWei: (stake?.amountWei ?? 0n) / MISSED_DRAW_DIVISOR }
      },
      happened: (receipt) => {
        const event = registryEvent(receipt, 'DrawRenewed')
        return { stakeId, drawBlock: Number(event.drawBlock), chargedWei: event.charged }
      },
    },
    options,
  )
}
