import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensureContractsBuilt } from '../../node/lab/index.ts'
import { nodeReady, runNode } from '../../node/lab/network/node-process.ts'
import { PrivateNetwork, type StakedMember } from '../../node/lab/network/private-network.ts'
import { until } from '../../node/lab/network/until.ts'
import { startCli } from './cli-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NODES = ['one', 'two', 'three', 'four']
const PLACED_WITHIN_MS = 60_000

let network: PrivateNetwork
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'suprnova-dht-'))
  await ensureContractsBuilt({ log: () => {} })
  const signal = new AbortController().signal
  network = await PrivateNetwork.open({ members: [...NODES, 'program'], log: () => {}, signal })
  const running = members(NODES).map((member) => ({ member, process: runNode(member, network.processes) }))
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

async function cli(name: string, ...args: string[]) {
  const [member] = members([name])
  const { code, stderr, stdout } = await startCli([...args, '--data-dir', member?.dataDir ?? '', '--json']).ended
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
    const { code, stderr } = await cli('one', 'dht', 'get', 'nothing of this name')
    expect(code).toBe(75)
    expect(stderr).toContain('nobody showed a record')
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

  test('bad input is refused by name', async () => {
    expect((await cli('one', 'dht', 'put', 'name', '/no/such/file')).code).toBe(3)
    expect((await cli('one', 'dht', 'query', 'here')).code).toBe(2)
    expect((await cli('one', 'dht', 'query', '0', '--radius', '100000')).code).toBe(2)
    expect((await cli('one', 'dht', 'receipts', '--export', '0x12')).code).toBe(2)
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
