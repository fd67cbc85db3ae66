import { labelhash, namehash, zeroAddress } from 'viem'
import type { Address } from '../../core/index.ts'
import { ensRegistryAbi, publicResolverAbi } from '../abi.generated.ts'
import { BOOTSTRAP_TEXT_KEY, MAX_BOOTSTRAP_TEXT_CHARS } from '../constants.ts'
import { packagedArtifact } from './artifacts.ts'
import { DeployError } from './errors.ts'
import type { Sender } from './sender.ts'

const RESOLVER_ARTIFACT = '@ensdomains/resolver/build/contracts/PublicResolver.json'

/** A fresh ENS registry; the sender owns its root, and so every name in it. */
export async function deployEnsRegistry(sender: Sender): Promise<Address> {
  const artifact = await packagedArtifact('@ensdomains/ens/build/contracts/ENSRegistry.json')
  return (await sender.create('ENS registry', artifact)).address
}

/**
 * Points `name` at `coordinator`, making the name and its resolver first where the sender may.
 * @returns whether it could; otherwise the name belongs to somebody else and nothing was changed.
 */
export async function pointName(
  sender: Sender,
  ensRegistry: Address,
  name: string,
  coordinator: Address,
): Promise<boolean> {
  if (!(await claimName(sender, ensRegistry, name))) return false
  const node = namehash(name)
  let resolver = await resolverOf(sender, ensRegistry, name)
  if (resolver === undefined) {
    resolver = (await sender.create('public resolver', await packagedArtifact(RESOLVER_ARTIFACT), [ensRegistry]))
      .address
    await sender.call(`resolver of ${name}`, ensRegistry, ensRegistryAbi, 'setResolver', [node, resolver])
  }
  await sender.call(`address of ${name}`, resolver, publicResolverAbi, 'setAddr', [node, coordinator])
  return true
}

/**
 * Writes the multiaddrs that nodes dial first into the name's text record.
 * @throws DeployError `ENS_NO_RESOLVER`, `BOOTSTRAP_TOO_LONG`, `DEPLOY_FAILED` when the sender does not own the name
 */
export async function writeBootstrap(
  sender: Sender,
  ensRegistry: Address,
  name: string,
  multiaddrs: readonly string[],
): Promise<void> {
  const text = multiaddrs.join(',')
  if (text.length > MAX_BOOTSTRAP_TEXT_CHARS) {
    throw new DeployError(
      'BOOTSTRAP_TOO_LONG',
      `bootstrap text has ${text.length} characters, at most ${MAX_BOOTSTRAP_TEXT_CHARS}`,
      {
        hint: 'name fewer addresses: a few nodes are enough to find the rest',
      },
    )
  }
  const resolver = await resolverOf(sender, ensRegistry, name)
  if (resolver === undefined) {
    throw new DeployError('ENS_NO_RESOLVER', `the ENS name ${name} has no resolver`, {
      hint: 'deploy first, or set one',
    })
  }
  await sender.call(`${BOOTSTRAP_TEXT_KEY} of ${name}`, resolver, publicResolverAbi, 'setText', [
    namehash(name),
    BOOTSTRAP_TEXT_KEY,
    text,
  ])
}

/** Makes the sender the owner of `name` by way of the nearest parent it owns. Never takes a name from another owner. */
async function claimName(sender: Sender, ensRegistry: Address, name: string): Promise<boolean> {
  const labels = name.split('.')
  const nodeFrom = (index: number) => namehash(labels.slice(index).join('.'))
  let owned = 0
  for (; owned <= labels.length; owned += 1) {
    const owner = await sender.client.readContract({
      address: ensRegistry,
      abi: ensRegistryAbi,
      functionName: 'owner',
      args: [nodeFrom(owned)],
    })
    if (owner.toLowerCase() === sender.address) break
    if (owner !== zeroAddress) return false
  }
  if (owned > labels.length) return false
  for (let index = owned - 1; index >= 0; index -= 1) {
    await sender.call(`owner of ${labels.slice(index).join('.')}`, ensRegistry, ensRegistryAbi, 'setSubnodeOwner', [
      nodeFrom(index + 1),
      labelhash(labels[index] as string),
      sender.address,
    ])
  }
  return true
}

async function resolverOf(sender: Sender, ensRegistry: Address, name: string): Promise<Address | undefined> {
  const resolver = await sender.client.readContract({
    address: ensRegistry,
    abi: ensRegistryAbi,
    functionName: 'resolver',
    args: [namehash(name)],
  })
  return resolver === zeroAddress ? undefined : (resolver.toLowerCase() as Address)
}
