import { encodeFunctionData } from 'viem'
import type { Address } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, type ReadModules, read } from './act.ts'
import { registryEvent } from './events.ts'

export interface WithdrawCreditsConsequences {
  readonly to: Address
  readonly amountWei: bigint
}

/** Rewards wait in the registry until they are fetched. */
export async function readCredits({ client, deployment }: ReadModules, account: Address): Promise<bigint> {
  const { registry: address } = deployment
  const call = { address, abi: stakeRegistryAbi, functionName: 'creditsOf', args: [account] } as const
  return read(client.readContract(call))
}

/** Pays the credits of the wallet's account out to `to`. */
export async function withdrawCredits(
  modules: ActionModules,
  args: { readonly to: Address },
  options: ActionOptions = {},
): Promise<ActionResult<WithdrawCreditsConsequences>> {
  const { to } = args
  const data = encodeFunctionData({ abi: stakeRegistryAbi, functionName: 'withdrawCredits', args: [to] })
  return act(
    modules,
    {
      to: modules.deployment.registry,
      data,
      foresee: async () => ({ to, amountWei: await readCredits(modules, modules.wallet.account.address) }),
      happened: (receipt) => ({ to, amountWei: registryEvent(receipt, 'CreditsWithdrawn').amount }),
    },
    options,
  )
}
