import { http, namehash, type Transport, zeroAddress } from 'viem'
import type { Address, Hex, Logger, ProtocolParams } from '../../core/index.ts'
import { stakeRegistryAbi } from '../abi.generated.ts'
import { ENS_REGISTRY } from '../constants.ts'
import { parseCoordinatorName } from '../ens.ts'
import { ownArtifact, packagedArtifact } from './artifacts.ts'
import {
  DEFAULT_ENS_NAME,
  DEFAULT_MIN_STAKE_WEI,
  DEFAULT_SUPPLY_WEI,
  DEFAULT_TIMELOCK_SECONDS,
  FAUCET_MAX_PER_CALL_WEI,
  FAUCET_SUPPLY_DIVISOR,
  FAULT_RULES,
  LOCAL_CHAIN_IDS,
  REWARD_BPS,
} from './constants.ts'
import type { DeploymentRecord } from './deployment-file.ts'
import { deployEnsRegistry, pointName, writeBootstrap } from './ens-name.ts'
import { DeployError } from './errors.ts'
import { PRESETS, type PresetName } from './presets.ts'
import { assertRandaoVaries } from './randao.ts'
import { openSender, type Sender } from './sender.ts'

export interface DeployOptions {
  /** Of an account with coins for gas. It gets the token's supply and may propose to the owner. */
  readonly privateKey: Hex
  readonly rpcUrl: string
  /** Default: `dev` on local chains, `public` elsewhere. */
  readonly preset?: PresetName
  /** Instead of a preset. */
  readonly params?: ProtocolParams
  /** Default current-reality.eth. */
  readonly ensName?: string
  /** Default: ENS's own where the chain has it, else a new one. */
  readonly ensRegistry?: Address
  /** Default 1,000 EGI. */
  readonly minStakeWei?: bigint
  /** Default 1,000,000,000 EGI. */
  readonly supplyWei?: bigint
  /** Between announcing and doing, for the owner. Default: none on local chains, two days elsewhere. */
  readonly timelockSeconds?: number
}

export interface DeployModules {
  readonly log?: Logger
  /** Instead of HTTP to `rpcUrl`. */
  readonly transport?: Transport
}

/**
 * Deploys all contracts and points the ENS name at the coordinator. A name that belongs to somebody else is left
 * alone, with a warning that says what its owner should set.
 *
 * The registry's owner is OpenZeppelin's timelock on every chain, so that no key owns it directly: the deployer proposes,
 * anyone executes after the delay.
 *
 * @throws DeployError `RANDAO_NOT_VARYING`, `DEPLOY_UNREACHABLE`, `ARTIFACT_MISSING`, and `DEPLOY_FAILED` naming the step
 * @throws EnsError `ENS_BAD_NAME`
 */
export async function deploy(
  options: DeployOptions,
  { log, transport }: DeployModules = {},
): Promise<DeploymentRecord> {
  const { name, node } = parseCoordinatorName(options.ensName ?? DEFAULT_ENS_NAME)
  const sender = await openSender(transport ?? http(options.rpcUrl), options.privateKey)
  const chainId = await sender.client.getChainId()
  const isLocal = LOCAL_CHAIN_IDS.includes(chainId)
  const params = options.params ?? PRESETS[options.preset ?? (isLocal ? 'dev' : 'public')]
  const supplyWei = options.supplyWei ?? DEFAULT_SUPPLY_WEI
  await assertRandaoVaries(sender)

  const found = await findEnsRegistry(sender, options.ensRegistry)
  const timelockSeconds = options.timelockSeconds ?? (isLocal ? 0 : DEFAULT_TIMELOCK_SECONDS)
  const [timelock, egiToken, permissive] = await Promise.all([
    packagedArtifact('@openzeppelin/contracts/build/contracts/TimelockController.json'),
    ownArtifact('EgiToken.sol'),
    ownArtifact('PermissivePersonVerifier.sol'),
  ])
  const [owner, token, personVerifier, ensRegistry] = await Promise.all([
    sender.create('timelock', timelock, [timelockSeconds, [sender.address], [zeroAddress], zeroAddress]),
    sender.create('EgiToken', egiToken, [sender.address, supplyWei]),
    sender.create('PermissivePersonVerifier', permissive),
    found ?? deployEnsRegistry(sender),
  ])
  log?.info('token and owner deployed', { token: token.address, owner: owner.address, timelockSeconds })

  const core = await deployCore(sender, {
    params,
    token: token.address,
    personVerifier: personVerifier.address,
    owner: owner.address,
    minStakeWei: options.minStakeWei ?? DEFAULT_MIN_STAKE_WEI,
    coordinatorNode: node,
  })
  log?.info('registry and court deployed', { registry: core.registry, court: core.court })

  const [coordinator, universalResolver, faucet] = await Promise.all([
    createOwn(sender, 'EgiCoordinator.sol', [
      token.address,
      core.registry,
      core.court,
      core.lens,
      core.availability,
      zeroAddress,
    ]),
    found === undefined || isLocal ? createOwn(sender, 'ens/LocalUniversalResolver.sol', [ensRegistry]) : null,
    isLocal ? createOwn(sender, 'LocalFaucet.sol', [token.address, FAUCET_MAX_PER_CALL_WEI]) : null,
  ])
  if (faucet !== null) {
    await sender.call('fund the faucet', token.address, egiToken.abi, 'transfer', [
      faucet,
      supplyWei / FAUCET_SUPPLY_DIVISOR,
    ])
  }
  if (await pointName(sender, ensRegistry, name, coordinator)) log?.info('ENS name set', { name, coordinator })
  else
    log?.warn('the ENS name belongs to somebody else: its owner must set its address', {
      name,
      coordinator,
      node: namehash(name),
    })

  const salt = await sender.client.readContract({ address: core.registry, abi: stakeRegistryAbi, functionName: 'salt' })
  return {
    chainId: BigInt(chainId),
    ensRegistry,
    universalResolver,
    ensName: name,
    coordinator,
    ...core,
    token: token.address,
    personVerifier: personVerifier.address,
    owner: owner.address,
    faucet,
    salt,
    coordinatorNode: node,
  }
}

/**
 * Writes the multiaddrs that nodes dial first into the text record of the deployment's name.
 * @throws DeployError `ENS_NO_RESOLVER`, `BOOTSTRAP_TOO_LONG`, `DEPLOY_FAILED`
 */
export async function setBootstrap(
  deployment: DeploymentRecord,
  options: { readonly rpcUrl: string; readonly privateKey: Hex; readonly multiaddrs: readonly string[] },
  { transport }: Pick<DeployModules, 'transport'> = {},
): Promise<void> {
  const sender = await openSender(transport ?? http(options.rpcUrl), options.privateKey)
  await writeBootstrap(sender, deployment.ensRegistry, deployment.ensName, options.multiaddrs)
}

interface CoreOptions {
  readonly params: ProtocolParams
  readonly token: Address
  readonly personVerifier: Address
  readonly owner: Address
  readonly minStakeWei: bigint
  readonly coordinatorNode: Hex
}

/** Registry and court name each other for ever, so the registry is given the address at which the court will stand. */
async function deployCore(sender: Sender, options: CoreOptions) {
  const artifacts = {
    registry: await ownArtifact('StakeRegistry.sol'),
    equivocation: await ownArtifact('faults/EquivocationVerifier.sol'),
    overrun: await ownArtifact('faults/OverrunVerifier.sol'),
    availability: await ownArtifact('AvailabilityChallenge.sol'),
    lens: await ownArtifact('RegistryLens.sol'),
    court: await ownArtifact('FaultCourt.sol'),
  }
  const predictedCourt = sender.addressAfter(Object.keys(artifacts).indexOf('court'))
  const registry = await sender.create('StakeRegistry', artifacts.registry, [
    options.params,
    options.token,
    predictedCourt,
    options.personVerifier,
    options.minStakeWei,
    options.owner,
    options.coordinatorNode,
  ])
  const [equivocation, overrun, availability, lens] = await Promise.all([
    sender.create('EquivocationVerifier', artifacts.equivocation, [registry.address]),
    sender.create('OverrunVerifier', artifacts.overrun, [registry.address]),
    sender.create('AvailabilityChallenge', artifacts.availability, [registry.address]),
    sender.create('RegistryLens', artifacts.lens, [registry.address]),
  ])
  const verifiers = {
    equivocation: equivocation.address,
    overrun: overrun.address,
    unavailability: availability.address,
  }
  const rules = FAULT_RULES.map((rule) => ({ ...rule, verifier: verifiers[rule.verifier] }))
  const court = await sender.create('FaultCourt', artifacts.court, [registry.address, rules, REWARD_BPS])
  if (court.address !== predictedCourt) {
    throw new DeployError(
      'DEPLOY_FAILED',
      `the court stands at ${court.address}, the registry expects ${predictedCourt}`,
      {
        hint: 'the account sent something else meanwhile: deploy again from an account that does nothing else',
        values: { step: 'FaultCourt', court: court.address, predictedCourt },
      },
    )
  }
  return {
    registry: registry.address,
    court: court.address,
    lens: lens.address,
    availability: availability.address,
    verifiers,
    deployBlock: Number(registry.blockNumber),
  }
}

async function createOwn(sender: Sender, source: string, args: readonly unknown[]): Promise<Address> {
  return (await sender.create(source, await ownArtifact(source), args)).address
}

async function findEnsRegistry(sender: Sender, given: Address | undefined): Promise<Address | undefined> {
  const address = given ?? ENS_REGISTRY
  const code = await sender.client.getCode({ address })
  if (code !== undefined) return address
  if (given === undefined) return undefined
  throw new DeployError('ENS_REGISTRY_MISSING', `there is no ENS registry at ${given} on this chain`, {
    hint: 'give the address of one, or none: then a new one is deployed',
    values: { ensRegistry: given },
  })
}
