import { encodeFunctionData } from 'viem'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, read } from './act.ts'
import { registryEvent } from './events.ts'
import { readParams } from './readParams.ts'
import { readStake } from './readStake.ts'

export interface UnbondConsequences {
  readonly stakeId: number
  readonly amountWei: bigint
  /** Unix seconds from which it can be withdrawn; slashable until then. */
  readonly readyAt: number
}

/** Begins the only exit, of the whole stake. The node key is silent from the next block on. */
export async function unbond(
  modules: ActionModules,
  args: { readonly stakeId: number },
  options: ActionOptions = {},
): Promise<ActionResult<UnbondConsequences>> {
  const { stakeId } = args
  const data = encodeFunctionData({ abi: stakeRegistryAbi, functionName: 'unbond', args: [BigInt(stakeId)] })
  return act(
    modules,
    {
      to: modules.deployment.registry,
      data,
      foresee: async () => {
        const [stake, params, head] = await Promise.all([
          readStake(modules, args),
          readParams(modules),
          read(modules.client.getBlock()),
        ])
        const readyAt = Number(head.timestamp) + params.unbondingSeconds
        return { stakeId, amountWei: stake?.amountWei ?? 0n, readyAt }
      },
      happened: (receipt) => {
        const { amount, readyAt } = registryEvent(receipt, 'UnbondingStarted')
        return { stakeId, amountWei: amount, readyAt: Number(readyAt) }
      },
    },
    options,
  )
}
