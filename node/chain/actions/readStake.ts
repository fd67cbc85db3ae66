import type { ContractFunctionReturnType } from 'viem'
import type { Address, Hex, StakeStatus } from '../../core/index.ts'
import { registryLensAbi, stakeRegistryAbi } from '../abi.generated.ts'
import { type ReadModules, read } from './act.ts'

const STATUSES: readonly (StakeStatus | undefined)[] = [undefined, 'pending', 'active', 'unbonding', 'withdrawn']

/** One stake as the registry has it now. Times in unix seconds, 0 for "not". */
export interface StakeDetails {
  readonly stakeId: number
  readonly operator: Address
  readonly person: Address
  readonly status: StakeStatus
  readonly tombstoned: boolean
  readonly jailedUntil: number
  readonly readyAt: number
  readonly drawBlock: number
  /** Faults whose correlated part is to be settled before a withdrawal. */
  readonly unsettledFaults: number
  readonly amountWei: bigint
  readonly minStakeWei: bigint
  /** Zero until drawn. */
  readonly placement: Hex
  readonly nodeKey: Address
  readonly keyFromEpoch: number
}

/**
 * Reads one stake, by its id or by its operator. Asks the registry itself: who knows nothing but registry and court, as
 * whoever takes evidence to them, needs no lens.
 * @returns `undefined` when there is none
 */
export async function readStake(
  modules: ReadModules,
  which: { readonly stakeId: number } | { readonly operator: Address },
): Promise<StakeDetails | undefined> {
  const stakeId = 'stakeId' in which ? which.stakeId : await stakeIdOf(modules, which.operator)
  if (stakeId === 0) return undefined
  const { client, deployment } = modules
  const registry = { address: deployment.registry, abi: stakeRegistryAbi } as const
  const stake = await read(client.readContract({ ...registry, functionName: 'stakeOf', args: [BigInt(stakeId)] }))
  if (STATUSES[stake.status] === undefined) return undefined
  const key = await read(client.readContract({ ...registry, functionName: 'keyRecord', args: [stake.nodeKey] }))
  return detailsOf(stakeId, stake, key)
}

/** Stakes `fromId` up to and without `fromId + count`, cut off at the newest, in one call. */
export async function readStakes(
  { client, deployment }: ReadModules,
  fromId: number,
  count: number,
): Promise<StakeDetails[]> {
  const views = await read(
    client.readContract({
      address: deployment.lens,
      abi: registryLensAbi,
      functionName: 'stakes',
      args: [BigInt(fromId), BigInt(count)],
    }),
  )
  return views.map(({ stakeId, stake, key }) => detailsOf(Number(stakeId), stake, key))
}

type StakeStruct = ContractFunctionReturnType<typeof stakeRegistryAbi, 'view', 'stakeOf'>
type KeyStruct = ContractFunctionReturnType<typeof stakeRegistryAbi, 'view', 'keyRecord'>

function detailsOf(stakeId: number, stake: StakeStruct, key: KeyStruct): StakeDetails {
  return {
    stakeId,
    operator: lower(stake.operator),
    person: lower(stake.person),
    status: STATUSES[stake.status] as StakeStatus,
    tombstoned: stake.tombstoned,
    jailedUntil: Number(stake.jailedUntil),
    readyAt: Number(stake.readyAt),
    drawBlock: Number(stake.drawBlock),
    unsettledFaults: stake.unsettled,
    amountWei: stake.amount,
    minStakeWei: stake.minStake,
    placement: stake.placement,
    nodeKey: lower(stake.nodeKey),
    keyFromEpoch: Number(key.fromEpoch),
  }
}

async function stakeIdOf({ client, deployment }: ReadModules, operator: Address): Promise<number> {
  const { registry: address } = deployment
  const call = { address, abi: stakeRegistryAbi, functionName: 'stakeOfOperator', args: [operator] } as const
  return Number(await read(client.readContract(call)))
}

function lower(address: string): Address {
  return address.toLowerCase() as Address
}
