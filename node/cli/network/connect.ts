import { resolve } from 'node:path'
import type { ChainClient, Deployment } from '../../chain/index.ts'
import { type Address, FAULT, type Hex } from '../../core/index.ts'
import type { Context } from '../context.ts'
import { ConfigError, UsageError } from '../errors.ts'
import { DEFAULT_COORDINATOR, LOCAL_RPC, OPTION } from '../options.ts'
import type { CoordinatorName } from '../values/network.ts'
import { deploymentIn, deploymentPath } from './deployment-file.ts'

/** The options that say which chain and which contracts. */
export const NETWORK = {
  rpc: OPTION.rpc,
  coordinator: OPTION.coordinator,
  ensRegistry: OPTION.ensRegistry,
  deployment: OPTION.deployment,
  registry: OPTION.registry,
  court: OPTION.court,
}

/** Their values, with the data directory that may answer for them. */
export interface NetworkValues {
  readonly dataDir: string
  readonly rpc: readonly string[]
  readonly coordinator: CoordinatorName | undefined
  readonly ensRegistry: Address | undefined
  readonly deployment: string | undefined
  readonly registry: Address | undefined
  readonly court: Address | undefined
}

/** The contracts that a command works with, and how they were found. */
export interface FoundDeployment extends Deployment {
  readonly coordinatorNode: Hex
  readonly ensRegistry: Address | undefined
  readonly faucet: Address | undefined
  /** For people: `deployment file /x/deployment.json`, `ENS name current-reality.eth`. */
  readonly source: string
}

/** A chain that answers, and the contracts on it. */
export interface Connection {
  readonly client: ChainClient
  readonly rpcUrls: readonly string[]
  readonly deployment: FoundDeployment
}

/** Chains of one machine: their coins are worth nothing and everybody knows their keys. */
const LOCAL_CHAIN_IDS = new Set([31_337n, 1_337n])
const ZERO_ADDRESS: Address = `0x${'0'.repeat(40)}`

/** Whether a chain is a local one. */
export function isLocalChain(chainId: bigint): boolean {
  return LOCAL_CHAIN_IDS.has(chainId)
}

/** A client over the RPCs of `--rpc`, in this order. */
export async function openClient(rpc: readonly string[]): Promise<{ client: ChainClient; rpcUrls: readonly string[] }> {
  const { createPublicClient, fallback, http } = await import('viem')
  const rpcUrls = rpc.length === 0 ? [LOCAL_RPC] : rpc
  const transport = fallback(rpcUrls.map((url) => http(url, { retryCount: 1 })))
  return { client: createPublicClient({ transport, pollingInterval: 250, cacheTime: 0 }) as ChainClient, rpcUrls }
}

/**
 * Finds chain and contracts. In this order: `--registry` and `--court`; `--deployment`; what the data directory is
 * pinned to, unless `--coordinator` names another; its deployment file, likewise; the coordinator by its ENS name.
 *
 * @throws {UsageError} when only one of `--registry` and `--court` is given
 * @throws {ConfigError} `DEPLOYMENT_OTHER_CHAIN` when the RPC is on another chain than the file or the pin
 */
export async function connect(values: NetworkValues, context: Context): Promise<Connection> {
  const { explainChainError } = await import('../../chain/index.ts')
  const { client, rpcUrls } = await openClient(values.rpc)
  try {
    const deployment = await findDeployment(values, client, context)
    await checkSalt(deployment, client, rpcUrls)
    return { client, rpcUrls, deployment }
  } catch (error) {
    throw explainChainError(error)
  }
}

async function findDeployment(values: NetworkValues, client: ChainClient, context: Context): Promise<FoundDeployment> {
  const { registry, court } = values
  if ((registry === undefined) !== (court === undefined)) {
    throw new UsageError('REGISTRY_WITHOUT_COURT', '--registry and --court are given together or not at all')
  }
  if (registry !== undefined && court !== undefined) return fromContracts(registry, court, client)
  if (values.deployment !== undefined) return fromFile(resolve(context.process.cwd, values.deployment))
  return (await fromDataDirectory(values)) ?? (await fromCoordinator(values, client))
}

async function fromDataDirectory(values: NetworkValues): Promise<FoundDeployment | undefined> {
  const { readPin } = await import('../../chain/index.ts')
  const isMeant = (name: string, address: Address): boolean => {
    const { coordinator } = values
    if (coordinator === undefined) return true
    return 'name' in coordinator ? coordinator.name === name : coordinator.address === address
  }
  const file = await deploymentIn(values.dataDir)
  const pin = await readPin(values.dataDir)
  if (pin !== undefined && isMeant(pin.name, pin.coordinator)) {
    const known = file?.salt === pin.salt ? file : undefined
    const source = `the pin of ${values.dataDir}`
    return { ...pin, ensRegistry: known?.ensRegistry, faucet: known?.faucet ?? undefined, source }
  }
  if (file === undefined || !isMeant(file.ensName, file.coordinator)) return undefined
  return { ...file, faucet: file.faucet ?? undefined, source: `deployment file ${deploymentPath(values.dataDir)}` }
}

async function fromFile(path: string): Promise<FoundDeployment> {
  const { readDeployment } = await import('../../chain/index.ts')
  const file = await readDeployment(path)
  return { ...file, faucet: file.faucet ?? undefined, source: `deployment file ${path}` }
}

async function fromCoordinator(values: NetworkValues, client: ChainClient): Promise<FoundDeployment> {
  const { readCoordinator, resolveCoordinator } = await import('../../chain/index.ts')
  const named = values.coordinator ?? { name: DEFAULT_COORDINATOR }
  const ensRegistry = values.ensRegistry ?? (await deploymentIn(values.dataDir))?.ensRegistry
  const found =
    'address' in named
      ? await readCoordinator(client, named.address)
      : await resolveCoordinator(client, named.name, ensRegistry === undefined ? {} : { ensRegistry })
  const { coordinator, token, registry, court, lens, availability } = found
  const source = 'address' in named ? `coordinator ${named.address}` : `ENS name ${named.name}`
  return {
    ...(await domainOf(registry, client)),
    coordinator,
    token,
    registry,
    court,
    lens,
    availability,
    deployBlock: 0,
    ensRegistry,
    faucet: undefined,
    source,
  }
}

/** The court's verifier of fault type 3 is the contract that takes challenges. */
async function availabilityOf(court: Address, client: ChainClient): Promise<Address> {
  const { faultCourtAbi } = await import('../../chain/index.ts')
  const verifier = await client.readContract({
    ...{ address: court, abi: faultCourtAbi, functionName: 'verifierOf' },
    args: [FAULT.unavailability],
  } as const)
  return verifier.toLowerCase() as Address
}

/** Only what court and registry say of themselves: enough to take evidence to court. */
async function fromContracts(registry: Address, court: Address, client: ChainClient): Promise<FoundDeployment> {
  const { stakeRegistryAbi } = await import('../../chain/index.ts')
  const domain = await domainOf(registry, client)
  const [token, itsCourt] = await Promise.all([
    client.readContract({ address: registry, abi: stakeRegistryAbi, functionName: 'token' }),
    client.readContract({ address: registry, abi: stakeRegistryAbi, functionName: 'court' }),
  ])
  if (itsCourt.toLowerCase() !== court) {
    throw new ConfigError(
      'COURT_OF_ANOTHER_REGISTRY',
      `registry ${registry} answers to court ${itsCourt.toLowerCase()}, not to ${court}`,
      {
        hint: 'give the court of this registry',
        values: { registry, court, itsCourt },
      },
    )
  }
  return {
    ...domain,
    registry,
    court,
    token: token.toLowerCase() as Address,
    coordinator: ZERO_ADDRESS,
    lens: ZERO_ADDRESS,
    availability: await availabilityOf(court, client),
    deployBlock: 0,
    ensRegistry: undefined,
    faucet: undefined,
    source: `registry ${registry}`,
  }
}

async function domainOf(
  registry: Address,
  client: ChainClient,
): Promise<{ chainId: bigint; salt: Hex; coordinatorNode: Hex }> {
  const { stakeRegistryAbi } = await import('../../chain/index.ts')
  const read = { address: registry, abi: stakeRegistryAbi } as const
  const [chainId, salt, coordinatorNode] = await Promise.all([
    client.getChainId(),
    client.readContract({ ...read, functionName: 'salt' }),
    client.readContract({ ...read, functionName: 'coordinatorNode' }),
  ])
  return { chainId: BigInt(chainId), salt, coordinatorNode }
}

/** The salt differs from deployment to deployment, also on local chains that give the same addresses every time. */
async function checkSalt(deployment: FoundDeployment, client: ChainClient, rpcUrls: readonly string[]): Promise<void> {
  const { stakeRegistryAbi } = await import('../../chain/index.ts')
  const { registry } = deployment
  const isThere = (await client.getCode({ address: registry })) !== undefined
  const salt = isThere
    ? await client.readContract({ address: registry, abi: stakeRegistryAbi, functionName: 'salt' })
    : undefined
  if (salt === deployment.salt) return
  throw new ConfigError(
    'DEPLOYMENT_OTHER_CHAIN',
    isThere
      ? `${deployment.source} is of another deployment than the one at ${rpcUrls[0]}`
      : `${deployment.source} names a registry that does not exist at ${rpcUrls[0]}`,
    {
      hint: 'was the local chain started anew? Deploy again, use another --data-dir, or name the right --rpc',
      values: { registry, source: deployment.source, salt: deployment.salt, found: salt },
    },
  )
}
