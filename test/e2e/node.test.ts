import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NodeStatus } from '../../node/api/index.ts'
import { submitEvidence } from '../../node/chain/index.ts'
import { FAULT, fromHex, KIND, type Slot, toHex } from '../../node/core/index.ts'
import { freePort } from '../../node/lab/network/free-port.ts'
import { askStatus, nodeReady, runNode } from '../../node/lab/network/node-process.ts'
import { CHATTER, PrivateNetwork, type StakedMember } from '../../node/lab/network/private-network.ts'
import type { Running } from '../../node/lab/network/processes.ts'
import { createSigner, DomainSeparator, evidenceOfEquivocation, statementDigest } from '../../node/statements/index.ts'
import { startCli } from './cli-process.ts'
import { marksOf, processesNaming } from './left-behind.ts'

let network: PrivateNetwork
let first: StakedMember
let second: StakedMember

beforeAll(async () => {
  const members = ['node-1', 'node-2']
  network = await PrivateNetwork.open({ members, log: () => undefined, signal: new AbortController().signal })
  first = network.members[0] as StakedMember
  second = network.members[1] as StakedMember
})

afterAll(async () => {
  const { path } = network.workspace
  await network.close()
  expect(processesNaming(path)).toEqual([])
  expect(marksOf([first.node.address, second.node.address])).toEqual([])
})

async function begin(member: StakedMember): Promise<Running> {
  const running = runNode(member, network.processes)
  await nodeReady(member, running, 'is ready', ({ phase, guard }) => phase === 'running' && guard.state === 'ready')
  return running
}

/** The command line on a member's data directory. */
async function cli(
  member: StakedMember,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return startCli([...args, '--data-dir', member.dataDir, '--json']).ended
}

/** What `node run` says when it cannot start. */
async function refused(
  member: StakedMember,
  ...args: string[]
): Promise<{ code: number | null; error: { code: string } }> {
  const { code, stdout } = await cli(member, 'node', 'run', ...args)
  return { code, ...JSON.parse(stdout) }
}

describe('a node that cannot start says why and leaves the directory as it was', () => {
  test('a wrong password', async () => {
    const passwordFile = join(network.workspace.path, 'wrong')
    await writeFile(passwordFile, 'no idea\n')
    expect(await refused(first, '--password-file', passwordFile)).toMatchObject({
      code: 3,
      error: { code: 'WRONG_PASSWORD' },
    })
  })

  test('a name that leads nowhere', async () => {
    expect(await refused(first, '--coordinator', 'nowhere.eth')).toMatchObject({
      code: 3,
      error: { code: 'ENS_NO_RESOLVER' },
    })
  })

  test('a chain that does not answer', async () => {
    expect(await refused(first, '--rpc', `http://127.0.0.1:${await freePort()}`)).toMatchObject({
      code: 75,
      error: { code: 'RPC_UNAVAILABLE' },
    })
  })

  test('the node key given as gas key', async () => {
    expect(await refused(first, '--gas-key', first.node.path)).toMatchObject({
      code: 3,
      error: { code: 'CONFIG_INVALID' },
    })
  })

  test('a port of health that is taken', async () => {
    const port = String(network.chain.port)
    expect(await refused(first, '--http', `127.0.0.1:${port}`)).toMatchObject({ code: 3, error: { code: 'HTTP_PORT' } })
  })
})

// Catches a failed start that keeps the lock, a node without its monitor, and a key or directory used twice.
test('one node, one directory, one key; health and metrics; an orderly end', async () => {
  const port = await freePort()
  const config = join(first.dataDir, 'suprnova.json')
  const before = await readFile(config, 'utf8')
  await writeFile(config, JSON.stringify({ ...JSON.parse(before), http: `127.0.0.1:${port}` }))
  const running = await begin(first)
  await writeFile(config, before)

  expect((await stat(join(first.dataDir, 'node.sock'))).mode & 0o777).toBe(0o600)
  expect(await refused(first)).toMatchObject({ code: 4, error: { code: 'LOCKED' } })
  expect(await refused(second, '--node-key', first.node.path)).toMatchObject({ code: 4, error: { code: 'LOCKED' } })

  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return { status: response.status, text: await response.text() }
  }
  expect(await get('/metrics')).toMatchObject({
    status: 200,
    text: expect.stringMatching(/^suprnova_chain_stakes_count 2$/m),
  })
  expect(await get('/health')).toMatchObject({ status: 503, text: expect.stringContaining('no peer is connected') })

  const other = await begin(second)
  await nodeReady(first, running, 'has a peer', ({ peers }) => peers.length === 1)
  expect(await get('/health')).toEqual({ status: 200, text: '{"ok":true,"problems":[]}\n' })
  expect(await get('/ready')).toEqual({ status: 200, text: '{"ok":true,"problems":[]}\n' })

  expect(await cli(first, 'node', 'stop')).toMatchObject({ code: 0 })
  expect(await running.ended).toEqual({ code: 0, signal: null })
  await expect(stat(join(first.dataDir, 'node.sock'))).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await cli(first, 'node', 'status')).toMatchObject({ code: 75 })
  await other.stop()
})

// Catches a guard that hands out an index again after a kill: positions would repeat within an epoch.
test('a killed node goes on where it was, in the same slots never', async () => {
  const listener = await begin(second)
  const positions: string[] = []
  const ears = new AbortController()
  const listening = (async () => {
    for await (const line of second.client.subscribe(CHATTER, ears.signal))
      if ('position' in line) positions.push(line.position)
  })()
  for (let life = 1; life <= 2; life++) {
    const running = await begin(first)
    await nodeReady(first, running, 'has a peer', ({ peers }) => peers.length === 1)
    const wanted = positions.length + 3
    const payload = new Uint8Array(Buffer.from(`life ${life}`))
    await expect
      .poll(() => first.client.publish(CHATTER, payload).then(() => positions.length), { timeout: 30_000 })
      .toBeGreaterThanOrEqual(wanted)
    await running.kill()
  }
  ears.abort()
  await listening
  expect(new Set(positions).size).toBe(positions.length)
  await listener.stop()
})

// Catches a slashed node that signs on, and one that says nothing about it.
test('a node whose own stake is slashed drains, and says so loudly', async () => {
  const running = await begin(second)
  const domain = new DomainSeparator({
    chainId: network.deployment.chainId,
    verifyingContract: network.deployment.registry,
    salt: network.deployment.salt,
  })
  const { timestamp } = await network.client.getBlock()
  const epoch = timestamp / BigInt(network.params.epochSeconds)
  const signer = createSigner(fromHex(second.node.privateKey))
  const slot: Slot = {
    signer: signer.address,
    kind: KIND.gossip,
    scope: new Uint8Array(32),
    position: (epoch << 32n) | 60_000n,
  }
  const say = (byte: number) => {
    const content = new Uint8Array(32).fill(byte)
    return { content, signature: signer.sign(statementDigest(domain, { ...slot, content })) }
  }
  const evidence = toHex(evidenceOfEquivocation(domain, slot, say(1), say(2)))
  await submitEvidence(network.actions(first.gas.privateKey), { faultType: FAULT.equivocation, evidence })

  // The stake and the slash are read apart from each other.
  const drains = ({ phase, slashes }: NodeStatus) => phase === 'draining' && slashes.length > 0
  const status = await nodeReady(second, running, 'drains', drains)
  expect(status.stake).toMatchObject({ tombstoned: true, maySpeak: false, amountWei: String(950n * 10n ** 18n) })
  expect(status.problems[0]).toMatch(/stake 2 was slashed and is tombstoned/)
  expect(status.guard.state).toBe('draining')
  expect(status.slashes).toMatchObject([{ stakeId: 2, tombstoned: true, chargedWei: String(50n * 10n ** 18n) }])
  await expect(second.client.publish(CHATTER, new Uint8Array([1]))).rejects.toMatchObject({ code: 'STAKE_SILENT' })
  expect(running.lastWords().join('\n')).toMatch(/"level":"error","message":"stake 2 was slashed/)
  await running.stop()

  // It stays silent after a restart.
  const again = runNode(second, network.processes)
  await nodeReady(second, again, 'drains again', ({ phase }) => phase === 'draining')
  await again.stop()
  expect(await askStatus(second)).toBeUndefined()
})
