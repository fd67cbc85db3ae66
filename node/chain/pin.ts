import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type Address, EXIT, type Hex, type Logger, type ProtocolParams } from '../core/index.ts'
import { readParams } from './actions/readParams.ts'
import type { ChainClient, Deployment } from './client.ts'
import { parseCoordinatorName, resolveCoordinator } from './ens.ts'
import { EnsError, PinError } from './errors.ts'
import {
  agreedOn,
  type CoordinatorDescription,
  codeHashOf,
  describeCoordinator,
  differenceOf,
  identityOf,
  PARAM_FIELDS,
  type PinSource,
} from './pin-description.ts'
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
  /** The deployment's numbers, which the signing guard keeps to. Absent in files of before they were pinned. */
  readonly params?: ProtocolParams
}

/** A pin with all that a node needs of it. */
export interface CompletePin extends CoordinatorPin {
  readonly params: ProtocolParams
}

export interface PinOptions {
  readonly dataDir: string
  /** ENS name or URL. */
  readonly coordinator: string
  readonly ensRegistry?: Address
}

export interface PinModules {
  readonly client: ChainClient
  /** Every configured RPC by itself: what is pinned, all that answer must say alike. Default: `client` alone. */
  readonly sources?: readonly PinSource[]
  readonly logger: Logger
}

/**
 * The pin of a data directory. The first call resolves the name and writes the pin; every later one reads the file and
 * only checks that the chain is the pinned one. A pin of before the numbers were pinned is completed once.
 * @throws {PinError} `PIN_CORRUPT`, `PIN_OTHER_CHAIN`, `PIN_CODE_CHANGED`, `PIN_PARAMS_CHANGED`, `PIN_DISPUTED`;
 *   {@link EnsError} on first use
 */
export async function pinCoordinator(opts: PinOptions, modules: PinModules): Promise<CompletePin> {
  const pinned = await readPin(opts.dataDir)
  if (pinned !== undefined) {
    await requirePinnedChain(pinned, modules.client)
    return withParams(opts.dataDir, pinned, modules)
  }
  const { name } = parseCoordinatorName(opts.coordinator)
  const { ensRegistry } = opts
  const pin = await describe(modules, name, async (client) => {
    const { coordinator } = await resolveCoordinator(client, opts.coordinator, { ensRegistry })
    return describeCoordinator(client, coordinator)
  })
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
): Promise<CompletePin> {
  const { name } = parseCoordinatorName(opts.coordinator)
  const pin = await describe(modules, name, (client) => describeCoordinator(client, opts.address))
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

/** The numbers of a pin: its own, as the chain must have them too, or now that it has none those that all RPCs tell. */
async function withParams(dataDir: string, pin: CoordinatorPin, modules: PinModules): Promise<CompletePin> {
  const ask = (client: ChainClient) => readParams({ client, deployment: pin })
  if (pin.params === undefined) {
    const complete = { ...pin, params: await agreedOn(sourcesOf(modules), ask, modules.logger) }
    await writePin(dataDir, complete)
    modules.logger.info('numbers of the deployment pinned', { ...complete.params })
    return complete
  }
  const difference = differenceOf(pin.params, await ask(modules.client))
  if (difference === undefined) return { ...pin, params: pin.params }
  const { field, one: pinned, other: found } = difference
  throw new PinError(
    'PIN_PARAMS_CHANGED',
    `the RPC says that ${field} of the registry ${pin.registry} is ${found}; pinned is ${pinned}, and it cannot change`,
    {
      exitCode: EXIT.config,
      hint: 'the RPC lies or is broken: use another one',
      values: { registry: pin.registry, field, pinned, found },
    },
  )
}

async function describe(
  modules: PinModules,
  name: string,
  ask: (client: ChainClient) => Promise<CoordinatorDescription>,
): Promise<CompletePin> {
  const described = await agreedOn(sourcesOf(modules), ask, modules.logger)
  return { name, ...described, deployBlock: await findDeployBlock(modules.client, described.registry) }
}

function sourcesOf({ client, sources }: PinModules): readonly PinSource[] {
  return sources ?? [{ origin: 'the RPC', client }]
}

/** By bisection over old states; 0 where the RPC has none of them, which only makes the first start slower. */
export async function findDeployBlock(client: ChainClient, address: Address): Promise<number> {
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

async function writePin(dataDir: string, pin: CompletePin): Promise<void> {
  const json = JSON.stringify({ version: PIN_VERSION, ...pin, chainId: String(pin.chainId) }, undefined, 2)
  await replaceFile(join(dataDir, PIN_FILE), Buffer.from(`${json}\n`))
}

/** The contract keeps them in 32 bits. */
const MAX_PARAM = 0xffff_ffff
const ADDRESS_FIELDS = ['coordinator', 'registry', 'court', 'token', 'lens', 'availability'] as const
/** Pins made before there were challenges are of deployments without them. */
const NO_ADDRESS = `0x${'00'.repeat(20)}`
const HASH_FIELDS = ['genesisHash', 'codeHash', 'salt', 'coordinatorNode'] as const

function parsePin(text: string): CoordinatorPin {
  const json = JSON.parse(text) as Record<string, unknown>
  const field = (name: string, shape: RegExp): string => {
    const value = name === 'availability' ? (json[name] ?? NO_ADDRESS) : json[name]
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
    ...(json.params === undefined ? {} : { params: parseParams(json.params) }),
  }
}

function parseParams(json: unknown): ProtocolParams {
  const given = Object.entries(json ?? {})
  const known = given.filter(([name]) => (PARAM_FIELDS as readonly string[]).includes(name))
  if (given.length !== PARAM_FIELDS.length || known.length !== PARAM_FIELDS.length) {
    throw new TypeError(`field params does not have exactly ${PARAM_FIELDS.join(', ')}`)
  }
  for (const [name, value] of known) {
    if (!Number.isInteger(value) || value < 0 || value > MAX_PARAM) {
      throw new TypeError(`field params.${name} is not a whole number from 0 to ${MAX_PARAM}`)
    }
  }
  return Object.fromEntries(known) as unknown as ProtocolParams
}
