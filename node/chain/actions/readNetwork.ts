import type { Hex } from '../../core/index.ts'
import { registryLensAbi } from '../abi.generated.ts'
import { type ReadModules, read } from './act.ts'

/** Sums over the whole registry at one block. Amounts in wei, times in unix seconds. */
export interface NetworkSummary {
  readonly blockNumber: bigint
  readonly timestamp: bigint
  readonly stakeCount: bigint
  readonly currentEpoch: bigint
  readonly bonded: bigint
  readonly unbonding: bigint
  readonly credits: bigint
  readonly escrow: bigint
  readonly burnable: bigint
  readonly minStake: bigint
  readonly salt: Hex
  readonly registrationsPausedUntil: bigint
}

/** The registry as `RegistryLens.network` sums it up. */
export async function readNetwork({ client, deployment }: ReadModules): Promise<NetworkSummary> {
  return read(client.readContract({ address: deployment.lens, abi: registryLensAbi, functionName: 'network' }))
}
