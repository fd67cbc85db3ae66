import { encodeFunctionData } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import type { Address, Hex } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { provePossession } from '../consent.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, read } from './act.ts'
import { registryEvent } from './events.ts'
import { readParams } from './readParams.ts'

const ROTATION_EPOCHS = 2
const SIGNATURE_LIFE_SECONDS = 3_600n

export interface RotateConsequences {
  readonly stakeId: number
  readonly newKey: Address
  /** The new key speaks from this epoch on, the old one no longer. */
  readonly fromEpoch: number
}

/** Replaces a stake's node key two epochs ahead. The old key stays slashable for its tenure. */
export async function rotateKey(
  modules: ActionModules,
  args: { readonly stakeId: number; readonly newPrivateKey: Hex },
  options: ActionOptions = {},
): Promise<ActionResult<RotateConsequences>> {
  const { client, deployment, wallet } = modules
  const newKey = privateKeyToAddress(args.newPrivateKey).toLowerCase() as Address
  const [head, params] = await Promise.all([read(client.getBlock()), readParams(modules)])
  const deadline = head.timestamp + SIGNATURE_LIFE_SECONDS
  const proof = await provePossession(deployment, args.newPrivateKey, wallet.account.address, deadline)
  const epoch = Math.floor(Number(head.timestamp) / params.epochSeconds)
  const data = encodeFunctionData({
    abi: stakeRegistryAbi,
    functionName: 'rotate',
    args: [BigInt(args.stakeId), deadline, proof],
  })
  return act(
    modules,
    {
      to: deployment.registry,
      data,
      foresee: () => ({ stakeId: args.stakeId, newKey, fromEpoch: epoch + ROTATION_EPOCHS }),
      happened: (receipt) => ({
        stakeId: args.stakeId,
        newKey,
        fromEpoch: Number(registryEvent(receipt, 'Rotated').fromEpoch),
      }),
    },
    options,
  )
}
