import { encodeFunctionData } from 'viem'
import type { Address } from '../../core/index.ts'
import { localFaucetAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'

export interface FaucetConsequences {
  readonly to: Address
  readonly amountWei: bigint
}

/** Asks a local chain's faucet for EGI. Public chains have none. */
export async function faucet(
  modules: ActionModules,
  args: { readonly faucet: Address; readonly to: Address; readonly amountWei: bigint },
  options: ActionOptions = {},
): Promise<ActionResult<FaucetConsequences>> {
  const { to, amountWei } = args
  const data = encodeFunctionData({ abi: localFaucetAbi, functionName: 'give', args: [to, amountWei] })
  return act(modules, { to: args.faucet, data, foresee: () => ({ to, amountWei }) }, options)
}
