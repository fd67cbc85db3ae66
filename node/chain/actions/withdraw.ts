import { encodeFunctionData } from 'viem'
import type { Address, Hex } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { ContractRefusedError } from '../errors.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act } from './act.ts'
import { registryEvent } from './events.ts'
import { readStake } from './readStake.ts'
import { settle, unsettledFaults } from './settle.ts'

export interface WithdrawConsequences {
  readonly stakeId: number
  readonly to: Address
  /** While only foreseen, with faults to settle: an upper bound. */
  readonly amountWei: bigint
  readonly settledFaults: readonly Hex[]
}

/**
 * Pays an unbonded stake out, after settling what is not settled.
 * A simulation with faults to settle prices their settlement only: the payment can be tried only after it.
 */
export async function withdraw(
  modules: ActionModules,
  args: { readonly stakeId: number; readonly to: Address },
  options: ActionOptions = {},
): Promise<ActionResult<WithdrawConsequences>> {
  try {
    return await payOut(modules, args, [], options)
  } catch (error) {
    if (!(error instanceof ContractRefusedError) || error.code !== 'CONTRACT_UNSETTLED') throw error
  }
  const faults = await unsettledFaults(modules, args)
  let gas = 0n
  let feeWei = 0n
  for (const { faultId } of faults) {
    const settled = await settle(modules, { faultId }, options)
    gas += settled.gas
    feeWei += settled.feeWei
  }
  const settledFaults = faults.map((fault) => fault.faultId)
  if (options.simulate !== true) return payOut(modules, args, settledFaults, options)
  const amountWei = (await readStake(modules, args))?.amountWei ?? 0n
  return { sent: false, gas, feeWei, consequences: { ...args, amountWei, settledFaults } }
}

async function payOut(
  modules: ActionModules,
  args: { readonly stakeId: number; readonly to: Address },
  settledFaults: readonly Hex[],
  options: ActionOptions,
): Promise<ActionResult<WithdrawConsequences>> {
  const { stakeId, to } = args
  const data = encodeFunctionData({ abi: stakeRegistryAbi, functionName: 'withdraw', args: [BigInt(stakeId), to] })
  return act(
    modules,
    {
      to: modules.deployment.registry,
      data,
      foresee: async () => {
        const stake = await readStake(modules, args)
        return { stakeId, to, amountWei: stake?.amountWei ?? 0n, settledFaults }
      },
      happened: (receipt) => ({ stakeId, to, amountWei: registryEvent(receipt, 'Withdrawn').amount, settledFaults }),
    },
    options,
  )
}
