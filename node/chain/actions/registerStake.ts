import { decodeFunctionResult, encodeFunctionData, parseSignature } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { type Address, EXIT, type Hex } from '../../core/index.ts'
import { egiTokenAbi, stakeRegistryAbi } from '../abi.generated.ts'
import { proveConsent, provePossession } from '../consent.ts'
import { ChainError } from '../errors.ts'
import { type ActionModules, type ActionOptions, type ActionResult, act, read } from './act.ts'
import { registryEvent } from './events.ts'
import { readParams } from './readParams.ts'

/** How long the signatures stay good: long enough for a slow block, short enough to be forgotten. */
const SIGNATURES_LIFE_SECONDS = 3_600n

export interface RegisterStake {
  readonly amountWei: bigint
  /** Signs its proof of possession here; never used to pay. */
  readonly nodePrivateKey: Hex
  readonly personPrivateKey: Hex
  /** For the deployment's person verifier. */
  readonly personProof?: Hex
}

export interface RegisterConsequences {
  readonly stakeId: number
  readonly operator: Address
  readonly nodeKey: Address
  readonly amountWei: bigint
  readonly fromEpoch: number
  /** The block whose randomness draws the placement; activate after it. */
  readonly drawBlock: number
}

/**
 * Bonds EGI of the wallet's account behind a node key, with a permit, the key's proof of possession and the person's consent.
 *
 * @example
 *   const { consequences } = await registerStake(modules, { amountWei: parseEther('1000'), nodePrivateKey, personPrivateKey })
 */
export async function registerStake(
  modules: ActionModules,
  args: RegisterStake,
  options: ActionOptions = {},
): Promise<ActionResult<RegisterConsequences>> {
  const { client, deployment, wallet } = modules
  const operator = wallet.account.address.toLowerCase() as Address
  const nodeKey = privateKeyToAddress(args.nodePrivateKey).toLowerCase() as Address
  if (nodeKey === operator) {
    throw new ChainError('STAKE_KEY_IS_OPERATOR', `node key and operator are both ${operator}`, {
      exitCode: EXIT.config,
      hint: 'keep the operator cold: give the node a key of its own',
      values: { operator },
    })
  }
  const [head, params] = await Promise.all([read(client.getBlock()), readParams(modules)])
  const deadline = head.timestamp + SIGNATURES_LIFE_SECONDS
  const [possession, consent, permit] = await Promise.all([
    provePossession(deployment, args.nodePrivateKey, operator, deadline),
    proveConsent(deployment, args.personPrivateKey, operator, nodeKey, deadline, args.personProof),
    signPermit(modules, args.amountWei, deadline),
  ])
  const data = encodeFunctionData({
    abi: stakeRegistryAbi,
    functionName: 'register',
    args: [args.amountWei, deadline, possession, consent, permit],
  })
  return act(
    modules,
    {
      to: deployment.registry,
      data,
      foresee: (returned) => ({
        stakeId: Number(decodeFunctionResult({ abi: stakeRegistryAbi, functionName: 'register', data: returned })),
        operator,
        nodeKey,
        amountWei: args.amountWei,
        fromEpoch: Math.floor(Number(head.timestamp) / params.epochSeconds),
        drawBlock: Number(head.number) + 1 + params.drawDelayBlocks,
      }),
      happened: (receipt) => {
        const { stakeId, fromEpoch, drawBlock } = registryEvent(receipt, 'Registered')
        return {
          stakeId: Number(stakeId),
          operator,
          nodeKey,
          amountWei: args.amountWei,
          fromEpoch: Number(fromEpoch),
          drawBlock: Number(drawBlock),
        }
      },
    },
    options,
  )
}

async function signPermit({ client, deployment, wallet }: ActionModules, value: bigint, deadline: bigint) {
  const token = { address: deployment.token, abi: egiTokenAbi } as const
  const owner = wallet.account.address
  const [nonce, name] = await read(
    Promise.all([
      client.readContract({ ...token, functionName: 'nonces', args: [owner] }),
      client.readContract({ ...token, functionName: 'name' }),
    ]),
  )
  const signature = await wallet.signTypedData({
    account: wallet.account,
    domain: { name, version: '1', chainId: deployment.chainId, verifyingContract: deployment.token },
    types: {
      Permit: [
        { name: 'owner', type: 'address' },
        { name: 'spender', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
      ],
    },
    primaryType: 'Permit',
    message: { owner, spender: deployment.registry, value, nonce, deadline },
  })
  const { r, s, yParity } = parseSignature(signature)
  return { deadline, v: yParity + 27, r, s }
}
