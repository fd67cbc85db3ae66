import { multiaddr } from '@multiformats/multiaddr'
import {
  BaseError,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
  toFunctionSelector,
  zeroAddress,
} from 'viem'
import { namehash, normalize } from 'viem/ens'
import { type Address, EXIT, type Hex } from '../core/index.ts'
import { egiCoordinatorAbi, ensRegistryAbi, publicResolverAbi } from './abi.generated.ts'
import type { ChainClient } from './client.ts'
import {
  BOOTSTRAP_TEXT_KEY,
  ENS_REGISTRY,
  MAX_BOOTSTRAP_ADDRESSES,
  MAX_BOOTSTRAP_TEXT_CHARS,
  PROTOCOL_VERSION,
} from './constants.ts'
import { EnsError } from './errors.ts'

const ERC165_ID = '0x01ffc9a7'
const NO_INTERFACE_ID = '0xffffffff'
const MAX_NAME_CHARS = 255
/** What a name may be wrapped in; anything more of a URL (port, path, user) is an error. */
const NAME_OR_URL = /^(?:https:\/\/)?([^\s/?#:@]+)\/?$/u

/** XOR of the selectors that {@link IEgiCoordinator} adds to ERC-165. */
export const EGI_COORDINATOR_INTERFACE_ID: Hex = interfaceId([
  'protocolVersion()',
  'token()',
  'registry()',
  'court()',
  'lens()',
  'availability()',
  'meshes()',
])

/** The contracts a coordinator points at. Zero where the deployment has none. */
export interface CoordinatorPointers {
  readonly coordinator: Address
  readonly token: Address
  readonly registry: Address
  readonly court: Address
  readonly lens: Address
  readonly availability: Address
  readonly meshes: Address
}

/** Where a name leads to. */
export interface ResolvedCoordinator extends CoordinatorPointers {
  /** Normalised. */
  readonly name: string
  /** The name's namehash. */
  readonly node: Hex
  readonly resolver: Address
  /** Multiaddrs to dial first. Hints only: whoever owns the name wrote them. */
  readonly bootstrap: readonly string[]
  /** Entries of the text record that are not multiaddrs, or past the bound. */
  readonly bootstrapIgnored: number
}

/**
 * The ENS name in `current-reality.eth` or `https://current-reality.eth`, normalised (ENSIP-15).
 * @throws {EnsError} `ENS_BAD_NAME`
 */
export function parseCoordinatorName(nameOrUrl: string): { name: string; node: Hex } {
  const found = NAME_OR_URL.exec(nameOrUrl)?.[1]
  const bad = (why: string, cause?: unknown) =>
    new EnsError('ENS_BAD_NAME', `coordinator ${JSON.stringify(nameOrUrl.slice(0, MAX_NAME_CHARS))} ${why}`, {
      exitCode: EXIT.config,
      hint: 'give an ENS name such as current-reality.eth, or https:// and that name',
      values: { coordinator: nameOrUrl.slice(0, MAX_NAME_CHARS) },
      cause,
    })
  if (found === undefined) throw bad('is neither an ENS name nor https:// and an ENS name')
  if (found.length > MAX_NAME_CHARS) throw bad(`is longer than ${MAX_NAME_CHARS} characters`)
  try {
    const name = normalize(found)
    if (!name.includes('.') || name.split('.').includes('')) throw bad('is not a dotted ENS name')
    return { name, node: namehash(name) }
  } catch (error) {
    throw error instanceof EnsError ? error : bad('is not a valid ENS name', error)
  }
}

/**
 * Asks ENS where a coordinator is (registry, resolver, `addr`) and checks that it is one. Wildcard and off-chain resolvers
 * are not followed: a coordinator's name is on chain.
 * @throws {EnsError} `ENS_BAD_NAME`, `ENS_NO_REGISTRY`, `ENS_NO_RESOLVER`, `ENS_NO_ADDRESS`, and what {@link readCoordinator} throws
 *
 * @example
 *   const { coordinator, registry } = await resolveCoordinator(client, 'https://current-reality.eth')
 */
export async function resolveCoordinator(
  client: ChainClient,
  nameOrUrl: string,
  options: { ensRegistry?: Address } = {},
): Promise<ResolvedCoordinator> {
  const { name, node } = parseCoordinatorName(nameOrUrl)
  const ensRegistry = options.ensRegistry ?? ENS_REGISTRY
  if ((await client.getCode({ address: ensRegistry })) === undefined) {
    throw new EnsError('ENS_NO_REGISTRY', `there is no ENS registry at ${ensRegistry} on this chain`, {
      exitCode: EXIT.config,
      hint: 'check --rpc; a local chain names its ENS registry in the deployment file',
      values: { ensRegistry },
    })
  }
  const resolver = await client.readContract({
    address: ensRegistry,
    abi: ensRegistryAbi,
    functionName: 'resolver',
    args: [node],
  })
  if (resolver === zeroAddress || (await client.getCode({ address: resolver })) === undefined) {
    throw new EnsError('ENS_NO_RESOLVER', `ENS name ${name} has no resolver`, {
      exitCode: EXIT.config,
      hint: 'check the spelling of --coordinator and that --rpc is on the right chain',
      values: { name, resolver },
    })
  }
  const address = await orUndefined(
    client.readContract({ address: resolver, abi: publicResolverAbi, functionName: 'addr', args: [node] }),
  )
  if (address === undefined || address === zeroAddress) {
    throw new EnsError('ENS_NO_ADDRESS', `ENS name ${name} has no address record`, {
      exitCode: EXIT.config,
      hint: 'the owner of the name must set its address to the coordinator',
      values: { name, resolver },
    })
  }
  const pointers = await readCoordinator(client, address)
  const text = await orUndefined(
    client.readContract({
      address: resolver,
      abi: publicResolverAbi,
      functionName: 'text',
      args: [node, BOOTSTRAP_TEXT_KEY],
    }),
  )
  const { addresses, ignored } = parseBootstrap(text ?? '')
  return { name, node, resolver: lower(resolver), ...pointers, bootstrap: addresses, bootstrapIgnored: ignored }
}

/**
 * The pointers of the coordinator at `address`.
 * @throws {EnsError} `ENS_NOT_A_COORDINATOR` when no code is there or ERC-165 denies the interface;
 *   `ENS_WRONG_PROTOCOL` when it is of another protocol version
 */
export async function readCoordinator(client: ChainClient, address: Address): Promise<CoordinatorPointers> {
  const supports = (id: Hex) =>
    orUndefined(client.readContract({ address, abi: egiCoordinatorAbi, functionName: 'supportsInterface', args: [id] }))
  const isCoordinator =
    (await client.getCode({ address })) !== undefined &&
    (await supports(ERC165_ID)) === true &&
    (await supports(NO_INTERFACE_ID)) === false &&
    (await supports(EGI_COORDINATOR_INTERFACE_ID)) === true
  if (!isCoordinator) {
    throw new EnsError('ENS_NOT_A_COORDINATOR', `${address} is not an EGI coordinator`, {
      exitCode: EXIT.config,
      hint: 'the name leads to something else; ask whoever owns it',
      values: { address },
    })
  }
  const read = { address, abi: egiCoordinatorAbi } as const
  const protocolVersion = await client.readContract({ ...read, functionName: 'protocolVersion' })
  if (protocolVersion !== PROTOCOL_VERSION) {
    throw new EnsError(
      'ENS_WRONG_PROTOCOL',
      `coordinator ${address} speaks protocol version ${protocolVersion}, this node version ${PROTOCOL_VERSION}`,
      { exitCode: EXIT.config, hint: 'update this node', values: { address, protocolVersion } },
    )
  }
  const [token, registry, court, lens, availability, meshes] = await Promise.all([
    client.readContract({ ...read, functionName: 'token' }),
    client.readContract({ ...read, functionName: 'registry' }),
    client.readContract({ ...read, functionName: 'court' }),
    client.readContract({ ...read, functionName: 'lens' }),
    client.readContract({ ...read, functionName: 'availability' }),
    client.readContract({ ...read, functionName: 'meshes' }),
  ])
  return {
    coordinator: lower(address),
    token: lower(token),
    registry: lower(registry),
    court: lower(court),
    lens: lower(lens),
    availability: lower(availability),
    meshes: lower(meshes),
  }
}

/** The multiaddrs in a `suprnova.bootstrap` text record, at most {@link MAX_BOOTSTRAP_ADDRESSES}, each once. */
export function parseBootstrap(text: string): { addresses: string[]; ignored: number } {
  const entries = text
    .slice(0, MAX_BOOTSTRAP_TEXT_CHARS)
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const addresses = [...new Set(entries.filter(isMultiaddr))].slice(0, MAX_BOOTSTRAP_ADDRESSES)
  return { addresses, ignored: entries.length - addresses.length }
}

function isMultiaddr(text: string): boolean {
  try {
    return multiaddr(text).getComponents().length > 0
  } catch (error) {
    if (error instanceof Error) return false
    throw error
  }
}

/** `undefined` when the contract refused or is not of that kind; what went wrong on the way to it is thrown. */
async function orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    const refused =
      error instanceof BaseError &&
      error.walk(
        (cause) => cause instanceof ContractFunctionRevertedError || cause instanceof ContractFunctionZeroDataError,
      )
    if (refused) return undefined
    throw error
  }
}

function interfaceId(signatures: readonly string[]): Hex {
  const id = signatures.reduce((xor, signature) => xor ^ BigInt(toFunctionSelector(signature)), 0n)
  return `0x${id.toString(16).padStart(8, '0')}`
}

function lower(address: string): Address {
  return address.toLowerCase() as Address
}
