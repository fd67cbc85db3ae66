import { encodeFunctionData } from 'viem'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'

export interface UnjailConsequences {
  readonly stakeId: number
}

/** Ends a jail that has run its time; the bond must be back at the minimum it registered under. */
export async function unjail(
  modules: ActionModules,
  args: { readonly stakeId: number },
  options: ActionOptions = {},
): Promise<ActionResult<UnjailConsequences>> {
  const { stakeId } = args
  const data = encodeFunctionData({ abi: stakeRegistryAbi, functionName: 'unjail', args: [BigInt(stakeId)] })
  return act(modules, { to: modules.deployment.registry, data, foresee: () => ({ stakeId }) }, options)
}
