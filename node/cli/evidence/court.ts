import type { ReadModules } from '../../chain/index.ts'
import type { Address, Hex } from '../../core/index.ts'

/** What the court knows of a fault. Times in unix seconds. */
export interface CourtFault {
  readonly stakeId: number
  readonly slashedBlock: number
  readonly slashedAt: number
  readonly escrowedWei: bigint
  readonly released: boolean
  /** Who has the best claim so far. */
  readonly beneficiary: Address | undefined
  /** From when the reward can be released. */
  readonly releasableAt: number
}

/** Reads a fault from the court; undefined when it was not proven there. */
export async function readFault({ client, deployment }: ReadModules, faultId: Hex): Promise<CourtFault | undefined> {
  const { explainChainError, faultCourtAbi, readParams } = await import('../../chain/index.ts')
  const court = { address: deployment.court, abi: faultCourtAbi } as const
  try {
    const [fault, claim, params] = await Promise.all([
      client.readContract({ ...court, functionName: 'faultOf', args: [faultId] }),
      client.readContract({ ...court, functionName: 'bestClaimOf', args: [faultId] }),
      readParams({ client, deployment }),
    ])
    if (fault.slashedBlock === 0n) return undefined
    return {
      stakeId: Number(fault.stakeId),
      slashedBlock: Number(fault.slashedBlock),
      slashedAt: Number(fault.slashedAt),
      escrowedWei: fault.escrowed,
      released: fault.released,
      beneficiary: claim.commitBlock === 0n ? undefined : (claim.beneficiary.toLowerCase() as Address),
      releasableAt: Number(fault.slashedAt) + params.rewardWindowSeconds,
    }
  } catch (error) {
    throw explainChainError(error)
  }
}
