import type { ProtocolParams } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { type ReadModules, read } from './act.ts'

/** The deployment's immutable numbers. Read once; they never change. */
export async function readParams({ client, deployment }: ReadModules): Promise<ProtocolParams> {
  return read(client.readContract({ address: deployment.registry, abi: stakeRegistryAbi, functionName: 'params' }))
}
