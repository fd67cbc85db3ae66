import { decodeFunctionResult, encodeFunctionData } from 'viem'
import type { Hex } from '../../core/index.ts'
import { faultCourtAbi, faultVerifierAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'
import { courtEvent } from './events.ts'
import { readStake } from './readStake.ts'

const BASIS_POINTS = 10_000n

export interface SubmitConsequences {
  readonly faultId: Hex
  readonly stakeId: number
  /** Base penalty; while only foreseen, without what the stake was charged before in this penalty period. */
  readonly chargedWei: bigint
  /** The part of it that waits for the earliest commit. */
  readonly escrowedWei: bigint
  readonly tombstones: boolean
}

/** Proves a fault and slashes for it, at once. */
export async function submitEvidence(
  modules: ActionModules,
  args: { readonly faultType: number; readonly evidence: Hex },
  options: ActionOptions = {},
): Promise<ActionResult<SubmitConsequences>> {
  const { client, deployment } = modules
  const court = { address: deployment.court, abi: faultCourtAbi } as const
  const data = encodeFunctionData({ abi: faultCourtAbi, functionName: 'submit', args: [args.faultType, args.evidence] })
  let tombstones = false
  return act(
    modules,
    {
      to: deployment.court,
      data,
      foresee: async (returned) => {
        const faultId = decodeFunctionResult({ abi: faultCourtAbi, functionName: 'submit', data: returned })
        const [verifier, [penaltyBps, tombstonesFor], rewardBps] = await Promise.all([
          client.readContract({ ...court, functionName: 'verifierOf', args: [args.faultType] }),
          client.readContract({ ...court, functionName: 'penaltyOf', args: [args.faultType] }),
          client.readContract({ ...court, functionName: 'rewardBps' }),
        ])
        const [accused] = await client.readContract({
          address: verifier,
          abi: faultVerifierAbi,
          functionName: 'accused',
          args: [args.evidence],
        })
        const stakeId = Number(accused)
        const stake = await readStake(modules, { stakeId })
        const chargedWei = ((stake?.amountWei ?? 0n) * BigInt(penaltyBps)) / BASIS_POINTS
        tombstones = tombstonesFor
        return {
          faultId,
          stakeId,
          chargedWei,
          escrowedWei: (chargedWei * BigInt(rewardBps)) / BASIS_POINTS,
          tombstones,
        }
      },
      happened: (receipt) => {
        const { faultId, stakeId, charged, escrowed } = courtEvent(receipt, 'FaultProven')
        return { faultId, stakeId: Number(stakeId), chargedWei: charged, escrowedWei: escrowed, tombstones }
      },
    },
    options,
  )
}
