import { encodeFunctionData } from 'viem'
import type { Address } from '../../core/index.ts'
import { egiTokenAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'

export interface TransferConsequences {
  readonly to: Address
  readonly amountWei: bigint
}

/** Moves EGI of the wallet's account. */
export async function transferToken(
  modules: ActionModules,
  args: TransferConsequences,
  options: ActionOptions = {},
): Promise<ActionResult<TransferConsequences>> {
  const { to, amountWei } = args
  const data = encodeFunctionData({ abi: egiTokenAbi, functionName: 'transfer', args: [to, amountWei] })
  return act(modules, { to: modules.deployment.token, data, foresee: () => ({ to, amountWei }) }, options)
}
