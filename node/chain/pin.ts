import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { keccak256 } from 'viem'
import { type Address, EXIT, type Hex, type Logger } from '../core/index.ts'
import { stakeRegistryAbi } from './abi.generated.ts'
import type { ChainClient, Deployment } from './client.ts'
import { parseCoordinatorName, readCoordinator, resolveCoordinator } from './ens.ts'
import { EnsError, PinError } from './errors.ts'
import { replaceFile } from './replace-file.ts'

const PIN_VERSION = 1
export const PIN_FILE = 'coordinator.json'
/** What {@link acceptCoordinator} replaced. */
export const PREVIOUS_PIN_FILE = 'coordinator.previous.json'

/** The coordinator a data directory belongs to, for ever unless the operator moves it. */
export interface CoordinatorPin extends Deployment {
  /** The name that led here first. Never asked again to decide anything. */
  readonly name: string
  /** keccak256 of block 0's header: tells chains with one id apart. */
  readonly genesisHash: Hex
  /** keccak256 of the coordinator's code, its immutable pointers included. */
  readonly codeHash: Hex
  /** The namehash the contracts were deployed for. */
  readonly coordinatorNode: Hex
}

export interface PinOptions {
  readonly dataDir: string
  /** ENS name or URL. */
  readonly coordinator: string
  readonly ensRegistry?: Address
}

export interface PinModules {
  readonly client: ChainClient
  readonly logger: Logger
}

/**
 * The pin of a data directory. The first call resolves the name and writes the pin; every later one reads the file and
 * only checks that the chain is the pinned one.
 * @throws {PinError} `PIN_CORRUPT`, `PIN_OTHER_CHAIN`, `PIN_CODE_CHANGED`; {@link EnsError} on first use
 */
export async function pinCoordinator(opts: PinOptions, modules: PinModules): Promise<CoordinatorPin> {
  const pinned = await readPin(opts.dataDir)
  if (pinned !== undefined) {
    await requirePinnedChain(pinned, modules.client)
    return pinned
  }
  const found = await resolveCoordinator(modules.client, opts.coordinator, { ensRegistry: opts.ensRegistry })
  const pin = await describe(modules.client, found.coordinator, found.name)
  await writePin(opts.dataDir, pin)
  modules.logger.info('coordinator pinned', {
    name: pin.name,
    coordinator: pin.coordinator,
    chainId: String(pin.chainId),
  })
  return pin
}

/**
 * Moves a data directory to the coordinator at `address`: the only way a pin changes. The pin that was, readable or not,
 * stays beside it as `coordinator.previous.json`.
 */
export async function acceptCoordinator(
  opts: PinOptions & { readonly address: Address },
  modules: PinModules,
): Promise<CoordinatorPin> {
  const { name } = parseCoordinatorName(opts.coordinator)
  const pin = await describe(modules.client, opts.address, name)
  try {
    await rename(join(opts.dataDir, PIN_FILE), join(opts.dataDir, PREVIOUS_PIN_FILE))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await writePin(opts.dataDir, pin)
  modules.logger.warn('coordinator moved by the operator', { coordinator: pin.coordinator })
  return pin
}

/** One way in which the name and the chain now differ from the pin. For health and logs; decides nothing. */
export interface PinDifference {
  readonly field: 'name' | 'coordinator'
  readonly pinned: string
  readonly found: string
}

/**
 * Asks the name where it leads now. A pinned node carries on whatever the answer is.
 * @returns the differences; a name that no longer leads to a coordinator is one
 * @throws when the chain does not answer
 */
export async function comparePin(
  pin: CoordinatorPin,
  client: ChainClient,
  options: { readonly coordinator: string; readonly ensRegistry?: Address },
): Promise<PinDifference[]> {
  const differences: PinDifference[] = []
  const { name } = parseCoordinatorName(options.coordinator)
  if (name !== pin.name) differences.push({ field: 'name', pinned: pin.name, found: name })
  let found: string
  try {
    found = (await resolveCoordinator(client, options.coordinator, { ensRegistry: options.ensRegistry })).coordinator
  } catch (error) {
    if (!(error instanceof EnsError)) throw error
    found = error.message
  }
  if (found !== pin.coordinator) differences.push({ field: 'coordinator', pinned: pin.coordinator, found })
  return differences
}

/**
 * The pin in `dataDir`, or `undefined` before the first use.
 * @throws {PinError} `PIN_CORRUPT`; the file stays as it is
 */
export async function readPin(dataDir: string): Promise<CoordinatorPin | undefined> {
  const file = join(dataDir, PIN_FILE)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return parsePin(text)
  } catch (error) {
    throw new PinError('PIN_CORRUPT', `${file} is not a coordinator pin: ${(error as Error).message}`, {
      exitCode: EXIT.config,
      hint: 'restore the file from a backup, or start with --accept-coordinator ADDRESS to pin anew; nothing was changed',
      values: { file },
      cause: error,
    })
  }
}

async function requirePinnedChain(pin: CoordinatorPin, client: ChainClient): Promise<void> {
  const { chainId, genesisHash } = await identityOf(client)
  if (chainId !== pin.chainId || genesisHash !== pin.genesisHash) {
    throw new PinError(
      'PIN_OTHER_CHAIN',
      `this data directory belongs to chain ${pin.chainId} with genesis ${pin.genesisHash}, the RPC is on chain ${chainId} with genesis ${genesisHash}`,
      {
        exitCode: EXIT.config,
        hint: 'give the RPC of the pinned chain, or another --data-dir',
        values: { pinned: pin.chainId, found: chainId, pinnedGenesis: pin.genesisHash, foundGenesis: genesisHash },
      },
    )
  }
  const codeHash = await codeHashOf(client, pin.coordinator)
  if (codeHash !== pin.codeHash) {
    throw new PinError(
      'PIN_CODE_CHANGED',
      `the code at the pinned coordinator ${pin.coordinator} is not the pinned one`,
      {
        exitCode: EXIT.config,
        hint: 'the RPC may be behind or lying; try another one',
        values: { coordinator: pin.coordinator, pinned: pin.codeHash, found: codeHash },
      },
    )
  }
}

async function describe(client: ChainClient, coordinator: Address, name: string): Promise<CoordinatorPin> {
  const { chainId, genesisHash } = await identityOf(client)
  const pointers = await readCoordinator(client, coordinator)
  const registry = { address: pointers.registry, abi: stakeRegistryAbi } as const
  const [codeHash, salt, coordinatorNode, deployBlock] = await Promise.all([
    codeHashOf(client, pointers.coordinator),
    client.readContract({ ...registry, functionName: 'salt' }),
    client.readContract({ ...registry, functionName: 'coordinatorNode' }),
    findDeployBlock(client, pointers.registry),
  ])
  const { coordinator: address, registry: at, court, token, lens } = pointers
  return {
    name,
    chainId,
    genesisHash,
    coordinator: address,
    codeHash,
    salt,
    coordinatorNode,
    registry: at,
    court,
    token,
    lens,
    deployBlock,
  }
}

/** Chain id and hash of block 0. */
export async function identityOf(client: ChainClient): Promise<{ chainId: bigint; genesisHash: Hex }> {
  const [chainId, genesis] = await Promise.all([client.getChainId(), client.getBlock({ blockNumber: 0n })])
  return { chainId: BigInt(chainId), genesisHash: genesis.hash }
}

async function codeHashOf(client: ChainClient, address: Address): Promise<Hex> {
  return keccak256((await client.getCode({ address })) ?? '0x')
}

/** By bisection over old states; 0 where the RPC has none of them, which only makes the first start slower. */
async function findDeployBlock(client: ChainClient, address: Address): Promise<number> {
  let without = -1
  let withCode = Number(await client.getBlockNumber({ cacheTime: 0 }))
  try {
    while (withCode - without > 1) {
      const middle = Math.floor((without + withCode) / 2)
      const code = await client.getCode({ address, blockNumber: BigInt(middle) })
      if (code === undefined) without = middle
      else withCode = middle
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return 0
  }
  return withCode
}

async function writePin(dataDir: string, pin: CoordinatorPin): Promise<void> {
  const json = JSON.stringify({ version: PIN_VERSION, ...pin, chainId: String(pin.chainId) }, undefined, 2)
  await replaceFile(join(dataDir, PIN_FILE), Buffer.from(`${json}\n`))
}

const ADDRESS_FIELDS = ['coordinator', 'registry', 'court', 'token', 'lens'] as const
const HASH_FIELDS = ['genesisHash', 'codeHash', 'salt', 'coordinatorNode'] as const

function parsePin(text: string): CoordinatorPin {
  const json = JSON.parse(text) as Record<string, unknown>
  const field = (name: string, shape: RegExp): string => {
    const value = json[name]
    if (typeof value !== 'string' || !shape.test(value)) throw new TypeError(`field ${name} does not match ${shape}`)
    return value
  }
  if (json.version !== PIN_VERSION) throw new TypeError(`field version is not ${PIN_VERSION}`)
  const { deployBlock } = json
  if (!Number.isSafeInteger(deployBlock) || (deployBlock as number) < 0) {
    throw new TypeError('field deployBlock is not a block number')
  }
  const addresses = Object.fromEntries(ADDRESS_FIELDS.map((name) => [name, field(name, /^0x[0-9a-f]{40}$/)]))
  const hashes = Object.fromEntries(HASH_FIELDS.map((name) => [name, field(name, /^0x[0-9a-f]{64}$/)]))
  return {
    name: field('name', /^.{1,255}$/),
    chainId: BigInt(field('chainId', /^\d{1,78}$/)),
    deployBlock: deployBlock as number,
    ...(addresses as Record<(typeof ADDRESS_FIELDS)[number], Address>),
    ...(hashes as Record<(typeof HASH_FIELDS)[number], Hex>),
  }
}
