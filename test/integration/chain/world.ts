import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import {
  createPublicClient,
  createWalletClient,
  custom,
  type Hex,
  labelhash,
  namehash,
  parseEther,
  zeroAddress,
  zeroHash,
} from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import {
  type ChainClient,
  type ChainWallet,
  type Deployment,
  identityOf,
  stakeRegistryAbi,
} from '../../../node/chain/index.ts'
import type { Address, Timers } from '../../../node/core/index.ts'
import { key, openContracts } from '../contracts/fixture.ts'

export const NAME = 'current-reality.eth'
export const COORDINATOR_URL = `https://${NAME}`

const require = createRequire(import.meta.url)

function published(path: string): { abi: readonly unknown[]; bytecode: Hex } {
  return JSON.parse(readFileSync(require.resolve(path), 'utf8'))
}

/** All contracts, a coordinator, and the real ENS registry and resolver with its name, on a chain of this process. */
export async function openWorld() {
  const deployed = await openContracts()
  const { connection, contracts, publicClient, networkHelpers } = deployed
  const { viem, provider } = connection
  const [owner] = await viem.getWalletClients()
  if (owner === undefined) throw new Error('the chain has no accounts')
  const transport = custom(provider, { retryCount: 0 })
  const client = createPublicClient({ transport, pollingInterval: 10, cacheTime: 0 }) as ChainClient
  const { token, registry, challenges, court, lens } = contracts
  const pointers = [
    token.address,
    registry.address,
    court.address,
    lens.address,
    challenges.address,
    zeroAddress,
  ] as const
  const deployCoordinator = async () => lower((await viem.deployContract('EgiCoordinator', [...pointers])).address)
  const coordinator = await deployCoordinator()

  const ens = published('@ensdomains/ens/build/contracts/ENSRegistry.json')
  const resolverOf = published('@ensdomains/resolver/build/contracts/PublicResolver.json')
  const deploy = async (artifact: { abi: readonly unknown[]; bytecode: Hex }, args: readonly unknown[] = []) => {
    const hash = await owner.deployContract({ abi: artifact.abi as never, bytecode: artifact.bytecode, args } as never)
    const { contractAddress } = await publicClient.waitForTransactionReceipt({ hash })
    return lower(contractAddress as Hex)
  }
  const ensRegistry = await deploy(ens)
  const resolver = await deploy(resolverOf, [ensRegistry])
  const send = async (address: Address, abi: readonly unknown[], functionName: string, args: readonly unknown[]) => {
    const hash = await owner.writeContract({ address, abi, functionName, args } as never)
    await publicClient.waitForTransactionReceipt({ hash })
  }
  const me = owner.account.address
  await send(ensRegistry, ens.abi, 'setSubnodeOwner', [zeroHash, labelhash('eth'), me])
  const giveName = (label: string, to: Address) =>
    send(ensRegistry, ens.abi, 'setSubnodeRecord', [namehash('eth'), labelhash(label), me, to, 0n])
  await giveName('current-reality', resolver)
  const setAddress = (name: string, address: Address) => send(resolver, SET_ADDR, 'setAddr', [namehash(name), address])
  const setText = (name: string, text: string, value: string) =>
    send(resolver, resolverOf.abi, 'setText', [namehash(name), text, value])
  await setAddress(NAME, coordinator)

  const { chainId, genesisHash } = await identityOf(client)
  const deployment: Deployment = {
    chainId,
    coordinator,
    registry: lower(registry.address),
    court: lower(court.address),
    token: lower(token.address),
    lens: lower(lens.address),
    availability: lower(contracts.challenges.address),
    salt: await client.readContract({ address: registry.address, abi: stakeRegistryAbi, functionName: 'salt' }),
    deployBlock: 0,
  }

  /** A fresh account with ether, whose key this test holds. */
  async function gasKey(label: string): Promise<PrivateKeyAccount> {
    const account = key(`gas ${label}`)
    const hash = await owner?.sendTransaction({ to: account.address, value: parseEther('10') })
    await publicClient.waitForTransactionReceipt({ hash: hash as Hex })
    return account
  }

  return {
    ...deployed,
    provider,
    networkHelpers,
    client,
    owner: createWalletClient({ account: owner.account.address, transport }) as ChainWallet,
    coordinator,
    deployCoordinator,
    ensRegistry,
    resolver,
    giveName,
    setAddress,
    setText,
    chainId,
    genesisHash,
    deployment,
    gasKey,
    wallet: (index: number): ChainWallet =>
      createWalletClient({ account: deployed.operator(index).account.address, transport }),
    close: () => connection.close(),
  }
}
export type World = Awaited<ReturnType<typeof openWorld>>

/** Node and person keys that are the same in every run. */
export const privateKeyOf = (n: number): Hex => `0x${(n + 1).toString(16).padStart(64, '0')}`
export const addressOf = (privateKey: Hex): Address => lower(privateKeyToAccount(privateKey).address)

/** This machine's timers. */
export const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

const SET_ADDR = [
  {
    type: 'function',
    name: 'setAddr',
    stateMutability: 'nonpayable',
    inputs: [{ type: 'bytes32' }, { type: 'address' }],
    outputs: [],
  },
] as const

function lower(address: string): Address {
  return address.toLowerCase() as Address
}
