import { encodeFunctionData } from 'viem'
import type { Address, Hex } from '../../core/index.ts'
import { faultCourtAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'
import { commitmentOf } from './commitmentOf.ts'

export interface ClaimReward {
  readonly faultType: number
  readonly faultId: Hex
  readonly evidence: Hex
  readonly reporter: Address
  readonly beneficiary: Address
  readonly salt: Hex
}

export interface ClaimConsequences {
  readonly faultId: Hex
  readonly beneficiary: Address
  readonly commitBlock: number
}

/** Asks for the reward of a proven fault with a commit from before its slash. Anyone may send it; the beneficiary is the commit's. */
export async function claimReward(
  modules: ActionModules,
  args: ClaimReward,
  options: ActionOptions = {},
): Promise<ActionResult<ClaimConsequences>> {
  const { client, deployment } = modules
  const { faultType, faultId, evidence, reporter, beneficiary, salt } = args
  const data = encodeFunctionData({
    abi: faultCourtAbi,
    functionName: 'claim',
    args: [faultType, evidence, reporter, beneficiary, salt],
  })
  return act(
    modules,
    {
      to: deployment.court,
      data,
      foresee: async () => {
        const commitBlock = await client.readContract({
          address: deployment.court,
          abi: faultCourtAbi,
          functionName: 'commitBlockOf',
          args: [commitmentOf(args)],
        })
        return { faultId, beneficiary, commitBlock: Number(commitBlock) }
      },
    },
    options,
  )
}
