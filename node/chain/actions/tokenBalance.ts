import type { Address } from '../../core/index.ts'
import { egiTokenAbi } from '../abi.generated.ts'
import { type ReadModules, read } from './act.ts'

/** EGI of an account, in wei. */
export async function tokenBalance({ client, deployment }: ReadModules, account: Address): Promise<bigint> {
  const { token: address } = deployment
  const call = { address, abi: egiTokenAbi, functionName: 'balanceOf', args: [account] } as const
  return read(client.readContract(call))
}
