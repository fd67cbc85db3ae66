import { encodeFunctionData } from 'viem'
import type { Address, Hex } from '../../core/index.ts'
import { faultCourtAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'
import { courtEvent } from './events.ts'

export interface ReleaseConsequences {
  readonly faultId: Hex
  /** Zero when nobody claimed: it burns. */
  readonly beneficiary: Address
  readonly amountWei: bigint
}

/** After the reward window: credits the best claim. Anyone may. */
export async function releaseReward(
  modules: ActionModules,
  args: { readonly faultId: Hex },
  options: ActionOptions = {},
): Promise<ActionResult<ReleaseConsequences>> {
  const { client, deployment } = modules
  const { faultId } = args
  const court = { address: deployment.court, abi: faultCourtAbi } as const
  const data = encodeFunctionData({ abi: faultCourtAbi, functionName: 'release', args: [faultId] })
  return act<ReleaseConsequences>(
    modules,
    {
      to: deployment.court,
      data,
      foresee: async () => {
        const [fault, claim] = await Promise.all([
          client.readContract({ ...court, functionName: 'faultOf', args: [faultId] }),
          client.readContract({ ...court, functionName: 'bestClaimOf', args: [faultId] }),
        ])
        return { faultId, beneficiary: claim.beneficiary, amountWei: fault.escrowed }
      },
      happened: (receipt) => {
        const { beneficiary, amount } = courtEvent(receipt, 'Released')
        return { faultId, beneficiary, amountWei: amount }
      },
    },
    options,
  )
}
