import { keccak256 } from 'viem'
import { type Address, EXIT, type Hex, type Logger, type ProtocolParams } from '../core/index.ts'
import { stakeRegistryAbi } from './abi.generated.ts'
import type { ChainClient } from './client.ts'
import { explainChainError } from './contract-errors.ts'
import { readCoordinator } from './ens.ts'
import { PinError, RpcUnavailableError } from './errors.ts'

/** One configured RPC by itself, asked what it says about a coordinator. */
export interface PinSource {
  /** Without what may be a secret in the URL. */
  readonly origin: string
  readonly client: ChainClient
}

/** All that is pinned of a coordinator, as one RPC tells it. */
export interface CoordinatorDescription {
  readonly chainId: bigint
  readonly genesisHash: Hex
  readonly coordinator: Address
  readonly codeHash: Hex
  readonly salt: Hex
  readonly coordinatorNode: Hex
  readonly registry: Address
  readonly court: Address
  readonly token: Address
  readonly lens: Address
  readonly availability: Address
  readonly params: ProtocolParams
}

/** The numbers a deployment is made of; each fits 32 bits. */
export const PARAM_FIELDS = [
  ...(['epochSeconds', 'putLimit', 'gossipLimit', 'receiptLimit', 'receiptLifeSeconds', 'responseSeconds'] as const),
  ...(['responseBlocks', 'evidenceWindowSeconds', 'skewSeconds', 'unbondingSeconds', 'rewardWindowSeconds'] as const),
  ...(['jailSeconds', 'correlationSeconds', 'drawDelayBlocks'] as const),
] satisfies readonly (keyof ProtocolParams)[]

/** Asks one RPC for all of it. */
export async function describeCoordinator(client: ChainClient, coordinator: Address): Promise<CoordinatorDescription> {
  const identity = await identityOf(client)
  const pointers = await readCoordinator(client, coordinator)
  const registry = { address: pointers.registry, abi: stakeRegistryAbi } as const
  const [codeHash, salt, coordinatorNode, params] = await Promise.all([
    codeHashOf(client, pointers.coordinator),
    client.readContract({ ...registry, functionName: 'salt' }),
    client.readContract({ ...registry, functionName: 'coordinatorNode' }),
    client.readContract({ ...registry, functionName: 'params' }),
  ])
  const { coordinator: address, registry: at, court, token, lens, availability } = pointers
  return {
    ...identity,
    coordinator: address,
    codeHash,
    salt,
    coordinatorNode,
    registry: at,
    court,
    token,
    lens,
    availability,
    params,
  }
}

/** Chain id and hash of block 0. */
export async function identityOf(client: ChainClient): Promise<{ chainId: bigint; genesisHash: Hex }> {
  const [chainId, genesis] = await Promise.all([client.getChainId(), client.getBlock({ blockNumber: 0n })])
  return { chainId: BigInt(chainId), genesisHash: genesis.hash }
}

/** keccak256 of the code at `address`. */
export async function codeHashOf(client: ChainClient, address: Address): Promise<Hex> {
  return keccak256((await client.getCode({ address })) ?? '0x')
}

/**
 * What all RPCs that answer say alike. What is pinned is believed for ever, so one voice against it is enough to stop.
 * @throws {PinError} `PIN_DISPUTED` naming who says what; the RPC's own error when none answers
 */
export async function agreedOn<Answer extends object>(
  sources: readonly PinSource[],
  ask: (client: ChainClient) => Promise<Answer>,
  logger: Logger,
): Promise<Answer> {
  const told = await Promise.all(
    sources.map(async ({ origin, client }) => {
      try {
        return { origin, answer: await ask(client), error: undefined }
      } catch (error) {
        return { origin, answer: undefined, error: explainChainError(error) }
      }
    }),
  )
  for (const { origin, error } of told) {
    if (error instanceof RpcUnavailableError) logger.warn('rpc was not heard before pinning', { origin })
  }
  const heard = told.filter(({ error }) => !(error instanceof RpcUnavailableError))
  const first = heard.find(({ answer }) => answer !== undefined)
  if (first?.answer === undefined) throw heard[0]?.error ?? told[0]?.error
  for (const { origin, answer, error } of heard) {
    const says = (what: string, one: unknown, other: unknown) => disputed(what, [first.origin, one], [origin, other])
    if (answer === undefined) throw says('the coordinator', 'it is there', error?.message)
    const difference = differenceOf(first.answer, answer)
    if (difference !== undefined) throw says(difference.field, difference.one, difference.other)
  }
  return first.answer
}

/** The first field, nested ones by their path, in which two answers of one shape differ. */
export function differenceOf(
  one: object,
  other: object,
  path = '',
): { readonly field: string; readonly one: unknown; readonly other: unknown } | undefined {
  for (const [name, value] of Object.entries(one)) {
    const found = (other as Record<string, unknown>)[name]
    const field = `${path}${name}`
    if (typeof value === 'object' && value !== null && typeof found === 'object' && found !== null) {
      const inner = differenceOf(value, found, `${field}.`)
      if (inner !== undefined) return inner
    } else if (value !== found) return { field, one: value, other: found }
  }
  return undefined
}

function disputed(what: string, [origin, one]: [string, unknown], [against, other]: [string, unknown]): PinError {
  return new PinError(
    'PIN_DISPUTED',
    `the RPCs contradict each other about ${what}: ${origin} says ${one}, ${against} says ${other}`,
    {
      exitCode: EXIT.config,
      hint: 'find out which one is right and leave the other out of --rpc; nothing was pinned',
      values: { what, origin, one, against, other },
    },
  )
}
