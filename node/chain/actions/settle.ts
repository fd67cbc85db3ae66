import { encodeFunctionData, parseAbiItem } from 'viem'
import type { Hex } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, type ReadModules, read } from './act.ts'
import { registryEvent } from './events.ts'

export interface SettleConsequences {
  readonly faultId: Hex
  /** Undefined while only foreseen: it depends on all offenders around the fault. Burns whole. */
  readonly chargedWei: bigint | undefined
}

/** Charges the correlated part of a fault. Anyone may, once its window has passed. */
export async function settle(
  modules: ActionModules,
  args: { readonly faultId: Hex },
  options: ActionOptions = {},
): Promise<ActionResult<SettleConsequences>> {
  const { faultId } = args
  const data = encodeFunctionData({ abi: stakeRegistryAbi, functionName: 'settle', args: [faultId] })
  return act<SettleConsequences>(
    modules,
    {
      to: modules.deployment.registry,
      data,
      foresee: () => ({ faultId, chargedWei: undefined }),
      happened: (receipt) => ({ faultId, chargedWei: registryEvent(receipt, 'Settled').charged }),
    },
    options,
  )
}

const SLASHED = parseAbiItem(
  'event Slashed(uint64 indexed stakeId, bytes32 indexed faultId, uint256 charged, uint256 newAmount, uint64 jailedUntil, bool tombstoned)',
)

/** Faults of a stake whose correlated part is not settled, oldest first. */
export async function unsettledFaults(
  { client, deployment }: ReadModules,
  args: { readonly stakeId: number },
): Promise<{ readonly faultId: Hex; readonly settleableAt: number }[]> {
  const slashes = await read(
    client.getLogs({
      address: deployment.registry,
      event: SLASHED,
      args: { stakeId: BigInt(args.stakeId) },
      fromBlock: BigInt(deployment.deployBlock),
      strict: true,
    }),
  )
  const faults = await read(
    Promise.all(
      slashes.map(async ({ args: { faultId } }) => ({
        faultId,
        settleableAt: Number(
          await client.readContract({
            address: deployment.registry,
            abi: stakeRegistryAbi,
            functionName: 'settleableAt',
            args: [faultId],
          }),
        ),
      })),
    ),
  )
  return faults.filter((fault) => fault.settleableAt !== 0)
}
