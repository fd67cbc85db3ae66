import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { createPublicClient, http } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deploy, PRESETS, stakeRegistryAbi } from '../../../node/chain/index.ts'
import type { Hex } from '../../../node/core/index.ts'
import { localAccount } from '../../../node/lab/local-chain.ts'

const CHAIN_ID = 424_242
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch
const binary = join(
  dirname(createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${process.platform}-${ARCHITECTURE}/package.json`)),
  'bin/anvil',
)
let anvil: ChildProcess
let rpcUrl: string

beforeAll(async () => {
  anvil = spawn(
    binary,
    [
      '--port',
      '0',
      '--chain-id',
      String(CHAIN_ID),
      '--mnemonic',
      'test test test test test test test test test test test junk',
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  for await (const line of createInterface({ input: anvil.stdout as NonNullable<ChildProcess['stdout']> })) {
    const address = /^Listening on (\S+)$/.exec(line)?.[1]
    if (address === undefined) continue
    rpcUrl = `http://${address}`
    break
  }
})

afterAll(async () => {
  const ended = once(anvil, 'exit')
  anvil.kill()
  await ended
})

describe('a chain this project did not start', () => {
  it('takes a deployment with public parameters, a delayed owner, no faucet and an ENS of its own', async () => {
    const deployment = await deploy({ rpcUrl, privateKey: localAccount(0).privateKey })
    expect(deployment.chainId).toBe(BigInt(CHAIN_ID))
    expect(deployment.faucet).toBeNull()
    const client = createPublicClient({ transport: http(rpcUrl) })
    const params = await client.readContract({
      address: deployment.registry,
      abi: stakeRegistryAbi,
      functionName: 'params',
    })
    expect(params).toEqual(PRESETS.public)
    const delay = await client.readContract({
      address: deployment.owner,
      abi: [
        { type: 'function', name: 'getMinDelay', inputs: [], outputs: [{ type: 'uint256' }], stateMutability: 'view' },
      ],
      functionName: 'getMinDelay',
    })
    expect(delay).toBe(172_800n)
    const found = await client.getEnsAddress({
      name: deployment.ensName,
      universalResolverAddress: deployment.universalResolver as Hex,
    })
    expect(found?.toLowerCase()).toBe(deployment.coordinator)
  })
})
