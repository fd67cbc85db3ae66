import { encodeFunctionData } from 'viem'
import { egiTokenAbi, stakeRegistryAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, read } from './act.ts'
import { registryEvent } from './events.ts'
import { readStake } from './readStake.ts'

export interface TopUpConsequences {
  readonly stakeId: number
  readonly addedWei: bigint
  readonly newAmountWei: bigint
  /** Whether an allowance is, or was, given first; a simulation then prices that transaction only. */
  readonly approvalNeeded: boolean
}

/** Adds tokens of the wallet's account to any stake before it unbonds, giving the registry an allowance first where needed. */
export async function topUp(
  modules: ActionModules,
  args: { readonly stakeId: number; readonly amountWei: bigint },
  options: ActionOptions = {},
): Promise<ActionResult<TopUpConsequences>> {
  const { client, deployment, wallet } = modules
  const { stakeId, amountWei } = args
  const allowance = await read(
    client.readContract({
      address: deployment.token,
      abi: egiTokenAbi,
      functionName: 'allowance',
      args: [wallet.account.address, deployment.registry],
    }),
  )
  const approvalNeeded = allowance < amountWei
  const foresee = async () => {
    const newAmountWei = ((await readStake(modules, { stakeId }))?.amountWei ?? 0n) + amountWei
    return { stakeId, addedWei: amountWei, newAmountWei, approvalNeeded }
  }
  if (approvalNeeded) {
    const data = encodeFunctionData({
      abi: egiTokenAbi,
      functionName: 'approve',
      args: [deployment.registry, amountWei],
    })
    const approval = await act(modules, { to: deployment.token, data, foresee }, options)
    if (!approval.sent) return approval
  }
  const data = encodeFunctionData({ abi: stakeRegistryAbi, functionName: 'topUp', args: [BigInt(stakeId), amountWei] })
  return act(
    modules,
    {
      to: deployment.registry,
      data,
      foresee,
      happened: (receipt) => {
        const { added, newAmount } = registryEvent(receipt, 'ToppedUp')
        return { stakeId, addedWei: added, newAmountWei: newAmount, approvalNeeded }
      },
    },
    options,
  )
}
