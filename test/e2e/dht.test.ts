import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readChallenge } from '../../node/chain/index.ts'
import type { Hex } from '../../node/core/index.ts'
import { openLightClient, SuprnovaDHT } from '../../node/index.ts'
import { ensureContractsBuilt } from '../../node/lab/index.ts'
import { PRIVATE_PASSWORD } from '../../node/lab/network/member.ts'
import { nodeReady, runForgetfulNode, runNode } from '../../node/lab/network/node-process.ts'
import { PrivateNetwork, type StakedMember } from '../../node/lab/network/private-network.ts'
import type { Running } from '../../node/lab/network/processes.ts'
import { until } from '../../node/lab/network/until.ts'
import { PROGRAM, startCli } from './cli-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NODES = ['one', 'two', 'three', 'four']
/** Honest until it is told to forget, by the last test. */
const CHEAT = 'four'
const PLACED_WITHIN_MS = 60_000
/** Past what three nodes give a reader at once. */
const LARGE_BYTES = process.env.SUPRNOVA_LONG === '1' ? 64 * 1024 * 1024 : 10 * 1024 * 1024

let network: PrivateNetwork
let cheat: Running
let hasForgotten = false
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'suprnova-dht-'))
  await ensureContractsBuilt({ log: () => {} })
  const signal = new AbortController().signal
  network = await PrivateNetwork.open({ members: [...NODES, 'program'], log: () => {}, signal })
  const running = members(NODES).map((member) => {
    if (member.name !== CHEAT) return { member, process: runNode(member, network.processes) }
    cheat = runForgetfulNode(member, member.settings, network.processes, (line) => {
      if (line === 'forgotten') hasForgotten = true
    })
    return { member, process: cheat }
  })
  for (const { member, process } of running)
    await nodeReady(member, process, 'runs', ({ phase }) => phase === 'running')
  await until('records can be placed', PLACED_WITHIN_MS, async () => {
    const stakes = await Promise.all(members(NODES).map(async ({ client }) => (await client.status()).dht.stakes))
    return stakes.every((count) => count === NODES.length + 1)
  })
})

afterAll(async () => {
  await network.close()
  await rm(folder, { recursive: true, force: true })
})

function members(names: readonly string[]): StakedMember[] {
  return names.map((name) => network.members.find((member) => member.name === name) as StakedMember)
}

function stakeOf(name: string): number {
  return members([name])[0]?.stakeId ?? 0
}

async function cli(name: string, ...args: string[]) {
  const [member] = members([name])
  return cliIn(member?.dataDir ?? '', ...args)
}

async function cliIn(dataDir: string, ...args: string[]) {
  const { code, stderr, stdout } = await startCli([...args, '--data-dir', dataDir, '--json']).ended
  return { code, stderr, json: stdout === '' ? undefined : JSON.parse(stdout) }
}

describe('records from the command line', () => {
  test('put by one process, got by another, verified', async () => {
    const put = await cli('one', 'dht', 'put', 'greeting', '--value', 'hello')
    expect(put.code).toBe(0)
    expect(put.json.receipts.length).toBeGreaterThanOrEqual(2)
    const stakeId = members(['one'])[0]?.stakeId
    const got = await cli('three', 'dht', 'get', 'greeting', '--owner', String(stakeId))
    expect(got.code).toBe(0)
    expect(Buffer.from(got.json.value, 'base64').toString()).toBe('hello')
    expect(got.json.quorum).toBe(true)
  })

  test('a file over many parts comes out byte for byte', async () => {
    const value = randomBytes(1_500_000)
    const from = join(folder, 'value')
    const to = join(folder, 'copy')
    await writeFile(from, value)
    const put = await cli('two', 'dht', 'put', 'large', from)
    expect(put.json).toMatchObject({ size: value.length, parts: Math.ceil(value.length / 65_536) })
    const got = await cli('four', 'dht', 'get', 'large', '--owner', String(members(['two'])[0]?.stakeId), '--out', to)
    expect(got.code).toBe(0)
    expect((await readFile(to)).equals(value)).toBe(true)
  })

  test('what nobody stored ends with 75 and says what that means', async () => {
    const { code, json, stderr } = await cli('one', 'dht', 'get', 'nothing of this name')
    expect(code).toBe(75)
    expect(stderr).toContain('nobody showed a record')
    expect(json.error.hint).toContain('give --owner')
    const given = await cli('one', 'dht', 'get', 'nothing of this name', '--owner', String(stakeOf('two')))
    expect(given).toMatchObject({ code: 75, json: { error: { code: 'DHT_NOT_FOUND' } } })
    expect(given.json.error.hint).not.toContain('--owner')
  })

  test('closest, peers, receipts, announce and query answer', async () => {
    await cli('one', 'dht', 'put', 'shown', '--value', 'x')
    const closest = await cli('one', 'dht', 'closest', 'shown')
    expect(closest.json.replicas).toHaveLength(3)
    const elsewhere = await cli('four', 'dht', 'closest', 'shown', '--owner', String(members(['one'])[0]?.stakeId))
    expect(elsewhere.json.replicas).toEqual(closest.json.replicas)
    expect((await cli('one', 'dht', 'peers', 'shown')).json.peers.length).toBeGreaterThanOrEqual(1)
    const receipts = await cli('one', 'dht', 'receipts', '--record-name', 'shown')
    expect(receipts.json.receipts.length).toBeGreaterThanOrEqual(2)
    const [{ id }] = receipts.json.receipts
    expect((await cli('one', 'dht', 'receipts', '--export', id)).json).toMatchObject({ version: 1 })
    await cli('two', 'dht', 'announce', 'scout', '103', '104', '0', '--capability', 'look')
    const found = await cli('three', 'dht', 'query', '100', '100', '0', '--radius', '5')
    expect(found.json.agents).toMatchObject([{ position: [103, 104, 0], capabilities: ['look'] }])
    expect((await cli('three', 'dht', 'query', '100', '100', '0', '--radius', '4.9')).json.agents).toEqual([])
  })

  test('agents are found in the world that is named, and in no other', async () => {
    const query = async (...args: string[]) => {
      const { code, json } = await cli('four', 'dht', 'query', ...args)
      const positions = json.agents?.map(({ position }: { position: number[] }) => position.join(' ')).sort()
      return { code, found: positions ?? json.error.code }
    }
    await cli('one', 'dht', 'announce', 'king', '4', '0', '--world', 'chess')
    await cli('two', 'dht', 'announce', 'queen', '3', '7', '--world', 'chess')
    await cli('three', 'dht', 'announce', 'bird', '-300.5', '-4', '0', '--world', '3d')
    // The board lies in one cell: each square sees all that is no further than the radius, the edge included.
    expect(await query('4', '0', '--world', 'chess', '--radius', '0')).toEqual({ code: 0, found: ['4 0'] })
    expect(await query('3', '0', '--world', 'chess', '--radius', '7')).toEqual({ code: 0, found: ['3 7', '4 0'] })
    expect(await query('3', '0', '--world', 'chess', '--radius', '6.999')).toEqual({ code: 0, found: ['4 0'] })
    const inSpace = await query('-300', '-1', '4', '--world', '3d', '--radius', '5.1')
    expect(inSpace).toEqual({ code: 0, found: ['-300.5 -4 0'] })
    // Another radius makes another world.
    const chess = { name: 'chess', dimension: 2, baseLevel: 24, maxSpeed: 0, stalenessSeconds: 0 }
    const board = JSON.stringify({ ...chess, radius: 8 })
    expect(await query('4', '0', '--world', board, '--radius', '1')).toEqual({ code: 0, found: ['4 0'] })
    const other = JSON.stringify({ ...chess, radius: 7 })
    expect(await query('4', '0', '--world', other, '--radius', '1')).toEqual({ code: 0, found: [] })
    expect(await query('4', '0', '1', '--world', 'chess')).toEqual({ code: 2, found: 'DHT_BAD_POSITION' })
  })

  test('a state is renewed before its end, kept alive, and let go', async () => {
    const put = await cli('one', 'dht', 'put', 'lasting', '--value', 'still here', '--keep')
    expect((await cli('one', 'dht', 'renew')).json.states).toHaveLength(1)
    const again = await cli('one', 'dht', 'renew', 'lasting', '--no-keep')
    expect(again.json).toMatchObject({ recordKey: put.json.recordKey, kept: false, size: 10 })
    expect(again.json.expiryEpoch).toBeGreaterThanOrEqual(put.json.expiryEpoch)
    expect((await cli('one', 'dht', 'renew')).json.states).toEqual([])
    expect(await cli('one', 'dht', 'renew', 'nothing of this name')).toMatchObject({
      code: 75,
      json: { error: { code: 'DHT_NOTHING_TO_RENEW' } },
    })
  })

  test('bytes go through pipes as they are, and a store that is interrupted is none', async () => {
    const [member] = members(['two'])
    const dataDir = ['--data-dir', member?.dataDir ?? '']
    const value = randomBytes(200_000)
    const put = pipe(['dht', 'put', 'piped', ...dataDir])
    put.child.stdin?.end(value)
    expect((await put.ended).code).toBe(0)
    const got = await pipe(['dht', 'get', 'piped', ...dataDir]).ended
    expect(got.stdout.equals(value)).toBe(true)

    const broken = pipe(['dht', 'put', 'piped', ...dataDir])
    broken.child.stdin?.write(randomBytes(9 * 1024 * 1024))
    await broken.told('MiB sent')
    broken.child.kill('SIGINT')
    expect((await broken.ended).code).toBe(130)
    const kept = await pipe(['dht', 'get', 'piped', ...dataDir]).ended
    expect(kept.stdout.equals(value)).toBe(true)
  })

  test('bad input is refused by name', async () => {
    expect((await cli('one', 'dht', 'put', 'name', '/no/such/file')).code).toBe(3)
    expect((await cli('one', 'dht', 'query', 'here')).code).toBe(2)
    expect((await cli('one', 'dht', 'query', '0', '--radius', '100000')).code).toBe(2)
    expect((await cli('one', 'dht', 'receipts', '--export', '0x12')).code).toBe(2)
  })
})

describe('a reader without stake, key or directory', () => {
  /** What a stranger is told: a name, an RPC and where names begin. */
  const byRpc = () => [
    ...['--light', '--rpc', network.chain.rpcUrl, '--coordinator', `https://${network.deployment.ensName}`],
    ...['--ens-registry', network.deployment.ensRegistry],
  ]

  test('reads by RPC from the command line, and leaves nothing', async () => {
    await cli('one', 'dht', 'put', 'open letter', '--value', 'to whom it may concern')
    const nowhere = join(folder, 'nowhere')
    const got = await cliIn(nowhere, 'dht', 'get', 'open letter', '--owner', String(stakeOf('one')), ...byRpc())
    expect(got.code, got.stderr).toBe(0)
    expect(Buffer.from(got.json.value, 'base64').toString()).toBe('to whom it may concern')
    expect(got.json).toMatchObject({ quorum: true, writer: stakeOf('one'), registry: { source: 'rpc' } })
    expect(existsSync(nowhere)).toBe(false)
    expect((await cliIn(nowhere, 'dht', 'get', 'open letter', ...byRpc())).code).toBe(2)
    const away = await cliIn(nowhere, 'dht', 'get', 'no such', '--owner', String(stakeOf('one')), ...byRpc())
    expect(away).toMatchObject({ code: 75, json: { error: { code: 'DHT_NOT_FOUND' } } })
  })

  test('reads from a snapshot that a node wrote, byte for byte what was stored', async () => {
    const value = randomBytes(300_000)
    const [from, file, to] = ['letter', 'registry.json', 'letter copy'].map((name) => join(folder, name))
    await writeFile(from ?? '', value)
    await cli('two', 'dht', 'put', 'long letter', from ?? '')
    const written = await cli('three', 'coordinator', 'snapshot', '--out', file ?? '')
    expect(written.json).toMatchObject({ stakes: NODES.length + 1, out: file })
    const owner = ['--owner', String(stakeOf('two'))]
    const read = ['dht', 'get', 'long letter', ...owner, '--snapshot', file ?? '', '--out', to ?? '']
    const got = await cliIn(join(folder, 'nowhere'), ...read)
    expect(got.code, got.stderr).toBe(0)
    expect(got.json).toMatchObject({ size: value.length, quorum: true, registry: { source: 'snapshot' } })
    expect((await readFile(to ?? '')).equals(value)).toBe(true)
    await writeFile(file ?? '', '{"format":"another"}')
    expect(await cliIn(folder, ...read)).toMatchObject({ code: 3, json: { error: { code: 'SNAPSHOT_INVALID' } } })
  })

  test('works out, verifies and finds what nodes do, in a program', async () => {
    await cli('one', 'dht', 'put', 'promised', '--value', 'kept')
    await cli('two', 'dht', 'announce', 'lamp', '203', '204', '0', '--capability', 'shine')
    const snapshot = (await cli('one', 'coordinator', 'snapshot')).json
    const light = await openLightClient({ snapshot })
    try {
      const owner = stakeOf('one')
      const found = await light.retrieveState('promised', { owner })
      expect(Buffer.from(found?.value ?? []).toString()).toBe('kept')
      expect(found).toMatchObject({ quorum: true, writerStakeId: owner, size: 4 })
      expect(light.registry).toMatchObject({ source: 'snapshot', isExact: true, block: snapshot.block })
      const closest = await cli('four', 'dht', 'closest', 'promised', '--owner', String(owner))
      expect(light.routingTable.findClosest('promised', owner)).toEqual(closest.json.replicas)
      expect(await light.queryLocal([200, 200, 0], 5)).toMatchObject([{ position: [203, 204, 0] }])
      expect(light.hashPosition([3, 4, 0])).toBe(light.routingTable.getRange([3, 4, 0], 0)[0]?.recordKey)
      expect((await light.discoverPeers({ key: 'promised', owner })).peers.length).toBeGreaterThanOrEqual(1)

      const [{ id, stakeId }] = (await cli('one', 'dht', 'receipts', '--record-name', 'promised')).json.receipts
      const receipt = (await cli('one', 'dht', 'receipts', '--export', id)).json
      const { recordKey } = closest.json
      expect(light.verifyReceipt(receipt)).toMatchObject({ stakeId, writerStakeId: owner, recordKey, size: 4 })
      const other = { ...receipt, stakeId: stakeId === 1 ? 2 : 1 }
      expect(() => light.verifyReceipt(other)).toThrow(expect.objectContaining({ code: 'RECEIPT_VOID' }))
      const elsewhere = { ...receipt, domain: { ...receipt.domain, chainId: '1' } }
      expect(() => light.verifyReceipt(elsewhere)).toThrow('another deployment')
    } finally {
      await light.close()
    }
  })

  // What the snapshot says of keys decides who is believed; its age, what a quorum means.
  test('believes a record by no other key than the registry names, and no quorum of an old snapshot', async () => {
    await cli('one', 'dht', 'put', 'signed', '--value', 'by one')
    const snapshot = (await cli('two', 'coordinator', 'snapshot')).json
    const [one, two] = [stakeOf('one'), stakeOf('two')]
    const publicKeyOf = (stakeId: number) => snapshot.keys.find((key: { stakeId: number }) => key.stakeId === stakeId)
    const keys = snapshot.keys.map((key: { stakeId: number }) =>
      key.stakeId === one ? { ...key, publicKey: publicKeyOf(two).publicKey } : key,
    )
    const misled = await openLightClient({ snapshot: { ...snapshot, keys } })
    try {
      expect(await misled.retrieveState('signed', { owner: one })).toBeUndefined()
    } finally {
      await misled.close()
    }
    const old = await openLightClient({ snapshot: { ...snapshot, exactThroughEpoch: 1 } })
    try {
      expect(await old.retrieveState('signed', { owner: one })).toMatchObject({ size: 6, quorum: false })
    } finally {
      await old.close()
    }
  })

  // Nodes serve a reader 1 MiB a second and four at once: more than that must come late, not fail.
  test('reads a large value slowly', { timeout: 600_000 }, async () => {
    const value = randomBytes(LARGE_BYTES)
    const from = join(folder, 'slow')
    await writeFile(from, value)
    expect((await cli('two', 'dht', 'put', 'slow', from)).code).toBe(0)
    const light = await openLightClient({ snapshot: (await cli('two', 'coordinator', 'snapshot')).json })
    try {
      const found = await light.retrieveState('slow', { owner: stakeOf('two') })
      expect(Buffer.from(found?.value ?? []).equals(value)).toBe(true)
    } finally {
      await light.close()
    }
  })
})

describe('the package', () => {
  // As npm would lay it out: what is packed, beside the packages it depends on.
  test('packed and installed in an empty folder, runs the example with types', async () => {
    const app = join(folder, 'app')
    const modules = join(app, 'node_modules')
    await mkdir(modules, { recursive: true })
    const pack = spawnSync('npm', ['pack', '--pack-destination', folder], { cwd: ROOT, encoding: 'utf8' })
    expect(pack.status, pack.stderr).toBe(0)
    const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? ''
    expect(spawnSync('tar', ['-xzf', join(folder, archive), '-C', modules]).status).toBe(0)
    spawnSync('mv', [join(modules, 'package'), join(modules, 'suprnova')])
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))
    for (const name of [...Object.keys(dependencies), '@types/node']) {
      await mkdir(join(modules, name, '..'), { recursive: true })
      await symlink(join(ROOT, 'node_modules', name), join(modules, name))
    }
    await writeFile(join(app, 'package.json'), '{"type":"module"}')
    await writeFile(
      join(app, 'typed.ts'),
      `import { SuprnovaDHT } from 'suprnova'
       const dht = new SuprnovaDHT({ biometricId: 'b', egiCoordinator: 'c.eth' })
       export const read: Promise<{ value: Uint8Array | undefined }> = dht.retrieveState('key')
       // @ts-expect-error a radius is a number
       void dht.queryLocal([1, 2, 3], 'near')`,
    )
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--skipLibCheck', '--types', 'node', 'typed.ts']
    const types = spawnSync(process.execPath, [tsc, ...options], { cwd: app, encoding: 'utf8' })
    expect(types.status, types.stdout).toBe(0)

    const packed = join(modules, 'suprnova/node/cli/suprnova.mjs')
    expect((await startCli(['--version', '--json'], { program: packed, cwd: app }).ended).code).toBe(0)
    const chain = await startCli(['chain', 'start', '--port', '0', '--json'], { program: packed, cwd: app }).ended
    expect(chain.code).toBe(3)
    expect(JSON.parse(chain.stdout).error).toMatchObject({ code: 'PACKAGE_MISSING', values: { package: 'hardhat' } })

    await writeFile(join(app, 'example.mjs'), await readFile(new URL('./programs/example.mjs', import.meta.url)))
    const [program] = members(['program'])
    const lines = await outputOf(join(app, 'example.mjs'), { SUPRNOVA_DATA_DIR: program?.dataDir ?? '' })
    const said = Object.assign({}, ...lines.map((line) => JSON.parse(line)))
    expect(said).toMatchObject({
      read: { text: 'hello', quorum: true },
      agents: [{ position: [3, 4, 0], capabilities: ['look'] }],
      ...{ cell: true, random: 3, closest: 3, done: true },
    })
    expect(said.receipts).toBeGreaterThanOrEqual(2)
    expect(said.peers.found).toBeGreaterThanOrEqual(1)
  })
})

describe('a promise that is broken', () => {
  const KEPT_MOST = 40

  test('is challenged by the read that finds it, once, and the value is read all the same', async () => {
    const [program, forgetful] = members(['program', CHEAT]) as [StakedMember, StakedMember]
    const dht = new SuprnovaDHT({
      ...{ biometricId: 'b', egiCoordinator: program.settings.coordinator, dataDir: program.dataDir },
      ...{ rpcUrls: [program.settings.rpcUrl], ensRegistry: program.settings.ensRegistry },
      keystore: { path: program.node.path, password: PRIVATE_PASSWORD },
      gasKeystore: { path: program.gas.path, password: PRIVATE_PASSWORD },
      ...{ listen: [program.settings.listen], topics: program.settings.topics },
    })
    await dht.start()
    try {
      // Until the cheat is a replica, and has promised two versions: the older one is no longer owed.
      let key = ''
      const isPromised = () => dht.receipts(key).filter(({ stakeId }) => stakeId === forgetful.stakeId).length === 2
      for (let i = 0; i < KEPT_MOST && !isPromised(); i++) {
        key = `promised ${i}`
        for (const value of ['older', 'newer']) await (await dht.storeState(key, value)).rest
      }
      expect(isPromised()).toBe(true)
      expect(await dht.retrieveState(key, { challenge: true })).toMatchObject({ missing: [], challenges: [] })

      cheat.tell('forget')
      await until('the cheat has forgotten', PLACED_WITHIN_MS, async () => hasForgotten)
      const readUntil = (how: 'challenges' | 'unchallenged') =>
        until(`a read finds it: ${how}`, PLACED_WITHIN_MS, async () => {
          const found = await dht.retrieveState(key, { challenge: true })
          return found[how].length > 0 ? found : undefined
        })
      await rename(program.gas.path, `${program.gas.path}.away`)
      const unpaid = await readUntil('unchallenged')
      expect(unpaid).toMatchObject({ quorum: true, challenges: [], unchallenged: [{ stakeId: forgetful.stakeId }] })
      expect(unpaid.unchallenged[0]?.error).toMatchObject({ values: { path: program.gas.path } })
      expect(Buffer.from(unpaid.value ?? []).toString()).toBe('newer')

      await rename(`${program.gas.path}.away`, program.gas.path)
      const read = await readUntil('challenges')
      expect(read).toMatchObject({ quorum: true, missing: [forgetful.stakeId] })
      expect(Buffer.from(read.value ?? []).toString()).toBe('newer')
      expect(read.challenges).toHaveLength(1)
      const row = await readChallenge(network, read.challenges[0] as Hex)
      expect(row).toMatchObject({ stakeId: forgetful.stakeId })
      expect((await dht.retrieveState(key, { challenge: true })).challenges).toEqual([])
    } finally {
      await dht.stop()
    }
  })
})

/** A command between pipes. */
function pipe(argv: readonly string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...argv], { stdio: ['pipe', 'pipe', 'pipe'] })
  // Whoever is interrupted reads no more.
  child.stdin.on('error', () => undefined)
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (chunk) => stdout.push(chunk))
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<{ code: number | null; stdout: Buffer }>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(stdout) }))
  })
  /** Resolves once stderr says `words`. */
  const told = (words: string) => until(`it says ${words}`, PLACED_WITHIN_MS, async () => stderr.includes(words))
  return { child, ended, told }
}

async function outputOf(script: string, env: Record<string, string>): Promise<string[]> {
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk) => stdout.push(chunk))
  child.stderr.on('data', (chunk) => stderr.push(chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect(code, Buffer.concat(stderr).toString()).toBe(0)
  return Buffer.concat(stdout).toString().trim().split('\n')
}
