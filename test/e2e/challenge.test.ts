import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createPublicClient, createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ActionModules,
  type ChainClient,
  type Deployment,
  readCredits,
  readDeployment,
  readStake,
  registerStake,
} from '../../node/chain/index.ts'
import { fromHex, type Hex, type Signer, toHex } from '../../node/core/index.ts'
import { createSigner, DomainSeparator, encodePut } from '../../node/statements/index.ts'
import { ownerPut, promise, valueBytes } from '../integration/contracts/promises.ts'
import { createTestProcess, type TestProcess } from '../unit/cli/terminal.ts'
import { say } from '../unit/statements/world.ts'
import { type CliProcess, startCli } from './cli-process.ts'

const keyOf = (byte: string): Hex => `0x${byte.repeat(32)}`
const VALUE = valueBytes(2_500)

let machine: TestProcess
let chain: CliProcess
let rpc: string
let deployment: Deployment
let client: ChainClient
let separator: DomainSeparator
const stakes: { readonly signer: Signer; readonly stakeId: number }[] = []

const file = (name: string): string => join(machine.home, name)

async function cli(words: string, more: readonly string[] = [], code = 0, stdin = '') {
  const argv = [...words.split(' '), '--data-dir', file('a'), '--json', ...more]
  const ran = await machine.run(argv, { stdin })
  expect({ code: ran.code, stderr: ran.code === code ? '' : ran.stderr }, `${words} ${more}`).toEqual({
    code,
    stderr: '',
  })
  return JSON.parse(ran.stdout)
}

async function ask(method: string, params: readonly unknown[] = []): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const answer = await fetch(rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return ((await answer.json()) as { result: unknown }).result
}

async function epochNow(): Promise<number> {
  return Math.floor(Number((await client.getBlock()).timestamp) / 10)
}

let index = 0
/** A receipt of the second stake for a PUT of the first, as `dht receipts --export` prints it, in a file. */
async function receiptFile(name: string): Promise<{ readonly path: string; readonly json: Record<string, unknown> }> {
  const epoch = await epochNow()
  const [writer, replica] = stakes as [(typeof stakes)[0], (typeof stakes)[0]]
  const speaking = {
    writer: writer.signer,
    replica: replica.signer,
    writerStakeId: writer.stakeId,
    epoch,
    index: index++,
    separator,
  }
  const { put, receipt } = promise(ownerPut(VALUE, epoch), speaking)
  const { chainId, registry, salt } = deployment
  const json = {
    version: 1,
    domain: { chainId: String(chainId), registry, salt },
    receipt: toHex(receipt.frame),
    put: toHex(put.frame),
  }
  writeFileSync(file(name), JSON.stringify(json))
  return { path: file(name), json }
}

beforeAll(async () => {
  machine = createTestProcess({ nowMs: () => Date.now() })
  machine.env.SUPRNOVA_PASSWORD = 'correct horse'
  // Each transaction is mined at once, and time goes on when the test says so.
  chain = startCli(['chain', 'start', '--port', '0', '--block-time', '0', '--json'])
  rpc = JSON.parse(await chain.firstLine).rpcUrl
  machine.env.SUPRNOVA_RPC = rpc
  await cli('chain deploy')
  deployment = await readDeployment(join(file('a'), 'deployment.json'))
  const { chainId, registry, salt } = deployment
  separator = new DomainSeparator({ chainId, verifyingContract: registry, salt })
  client = createPublicClient({ transport: http(rpc), pollingInterval: 50, cacheTime: 0 }) as ChainClient
  for (const byte of ['a1', 'a2']) {
    const account = privateKeyToAccount(keyOf(byte))
    await cli('token faucet', ['--to', account.address])
    const modules: ActionModules = { client, deployment, wallet: createWalletClient({ account, transport: http(rpc) }) }
    const nodePrivateKey = keyOf(byte.replace('a', 'b'))
    const { consequences } = await registerStake(modules, {
      ...{ amountWei: 10n ** 21n, nodePrivateKey, personPrivateKey: keyOf(byte.replace('a', 'c')) },
    })
    stakes.push({ signer: createSigner(fromHex(nodePrivateKey)), stakeId: consequences.stakeId })
  }
})
afterAll(async () => {
  chain.child.kill('SIGTERM')
  await chain.ended
  machine.remove()
})

const KEY = ['--key', 'dev:3']
const amountOf = async () => (await readStake({ client, deployment }, { stakeId: stakes[1]!.stakeId }))?.amountWei

describe('a challenge from the command line', () => {
  it('is tried, opened, and answered from a file by anybody, without a node', async () => {
    const { json, path } = await receiptFile('receipt.json')
    const { stakeId } = stakes[1]!
    const dry = await cli('evidence challenge', [path, ...KEY, '--chunk', '2', '--dry-run'])
    expect(dry).toMatchObject({ sent: false, consequences: { stakeId, chunkIndex: 2 } })
    // From standard input too.
    const opened = await cli('evidence challenge', ['-', ...KEY, '--chunk', '2'], 0, JSON.stringify(json))
    expect(opened).toMatchObject({ sent: true, consequences: { stakeId, chunkIndex: 2 } })
    const { challengeId } = opened.consequences
    expect(challengeId).toBe(dry.consequences.challengeId)
    expect((await cli('evidence challenge', [path, ...KEY, '--chunk', '2'], 75)).error.code).toBe(
      'CONTRACT_ALREADY_OPEN',
    )

    writeFileSync(file('value'), VALUE)
    writeFileSync(
      file('other'),
      VALUE.map((byte) => byte ^ 1),
    )
    writeFileSync(file('short'), VALUE.subarray(0, 100))
    const answer = (more: readonly string[], code = 0) =>
      cli('evidence answer', [challengeId, '--key', 'dev:4', ...more], code)
    expect((await answer([], 2)).error.code).toBe('ANSWER_MISSING')
    expect((await answer(['--value', file('other')], 5)).error).toMatchObject({
      code: 'CONTRACT_WRONG_CHUNK',
      hint: 'give the value exactly as it was stored',
    })
    expect((await answer(['--value', file('short')], 2)).error.code).toBe('NO_SUCH_CHUNK')
    expect(await answer(['--value', file('value'), '--dry-run'])).toMatchObject({ sent: false })
    expect(await answer(['--value', file('value')])).toMatchObject({ sent: true })
    expect((await answer(['--value', file('value')], 5)).error).toMatchObject({ code: 'CHALLENGE_NOT_OPEN' })
    const unknown = await cli('evidence answer', [keyOf('ee'), '--key', 'dev:4', '--value', file('value')], 5)
    expect(unknown.error).toMatchObject({ code: 'CHALLENGE_NOT_OPEN', hint: expect.stringContaining('check its id') })
    expect(await amountOf()).toBe(10n ** 21n)
  })

  it('is answered with a later PUT, which its receipt brings along', async () => {
    const { path } = await receiptFile('first.json')
    const { challengeId } = (await cli('evidence challenge', [path, ...KEY, '--chunk', '0'])).consequences
    const answer = (given: string, code = 0) =>
      cli('evidence answer', [challengeId, '--key', 'dev:4', '--superseded', given], code)
    expect((await answer(path, 5)).error.code).toBe('CONTRACT_NOT_SUPERSEDED')
    const later = await receiptFile('later.json')
    const elsewhere = { ...later.json, domain: { ...(later.json.domain as object), chainId: '1' } }
    writeFileSync(file('elsewhere.json'), JSON.stringify(elsewhere))
    expect((await answer(file('elsewhere.json'), 3)).error.code).toBe('RECEIPT_FOR_ANOTHER_DEPLOYMENT')
    expect(await answer(later.path)).toMatchObject({ sent: true })
  })

  it('waits for the deadline, slashes for silence, pays the publisher and takes the bond back: one command', async () => {
    const { path } = await receiptFile('silent.json')
    const before = await client.getBalance({ address: DEV_3 })
    const argv = ['evidence', 'challenge', path, ...KEY, '--wait', '--conclude', '--json', '--data-dir', file('a')]
    const running = startCli(argv, { env: { SUPRNOVA_RPC: rpc } })
    const opened = JSON.parse(await running.firstLine)
    expect(opened).toMatchObject({ stakeId: stakes[1]!.stakeId, challengeId: expect.stringMatching(/^0x/) })
    await ask('evm_setIntervalMining', [50])
    await ask('evm_increaseTime', [60])
    const { code, stderr, stdout } = await running.ended
    await ask('evm_setIntervalMining', [0])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout.slice(stdout.indexOf('\n')))).toMatchObject({ sent: true })
    expect(await amountOf()).toBe(9n * 10n ** 20n)
    expect(await readCredits({ client, deployment }, privateKeyToAccount(keyOf('a1')).address)).toBe(10n ** 19n)
    // The gas alone is gone.
    expect(before - (await client.getBalance({ address: DEV_3 }))).toBeLessThan(10n ** 16n)
    expect((await cli('evidence challenge', [path, ...KEY, '--chunk', '1'], 5)).error.code).toBe(
      'CONTRACT_ALREADY_BROKEN',
    )
    const answer = ['--key', 'dev:4', '--value', file('value')]
    expect((await cli('evidence answer', [opened.challengeId, ...answer], 5)).error).toMatchObject({
      code: 'CHALLENGE_NOT_OPEN',
      values: { status: 'collected' },
    })
  })

  it('that cannot be is refused in words, with what to do', async () => {
    const { json, path } = await receiptFile('refused.json')
    const changed = (name: string, changes: Record<string, unknown>): string => {
      writeFileSync(file(name), JSON.stringify({ ...json, ...changes }))
      return file(name)
    }
    const refused = async (given: string, code: number, more: readonly string[] = []) => {
      const { error } = await cli('evidence challenge', [given, ...KEY, ...more], code)
      expect(error.hint, error.code).toBeTruthy()
      return error.code as string
    }
    expect(await refused(file('none.json'), 3)).toBe('FILE_UNREADABLE')
    writeFileSync(file('text.json'), 'hello')
    expect(await refused(file('text.json'), 2)).toBe('NOT_A_RECEIPT')
    expect(await refused(changed('v.json', { version: 2 }), 2)).toBe('NOT_A_RECEIPT')
    expect(await refused(changed('cut.json', { receipt: (json.receipt as string).slice(0, 100) }), 2)).toBe(
      'NOT_A_RECEIPT',
    )
    expect(await refused(changed('swapped.json', { receipt: json.put, put: json.receipt }), 2)).toBe('NOT_A_RECEIPT')
    const other = (await receiptFile('another.json')).json
    expect(await refused(changed('foreign.json', { put: other.put }), 5)).toBe('CONTRACT_FOREIGN_PUT')
    const stranger = say(createSigner(fromHex(keyOf('dd'))), {
      ...{ kind: 1, epoch: await epochNow(), bodies: [encodePut(ownerPut(VALUE, 5))], separator },
    })
    expect(await refused(changed('stranger.json', { put: toHex(stranger.frame) }), 5)).toMatch(/^CONTRACT_/)
    expect(await refused(keyOf('ab'), 75)).toBe('NODE_NOT_RUNNING')
    expect(await cli('evidence challenge', [path, ...KEY, '--chunk', '3'], 2)).toMatchObject({
      error: { code: 'NO_SUCH_CHUNK', message: 'the value has 3 chunks, so there is no chunk 3' },
    })
    await ask('evm_increaseTime', [700])
    await ask('evm_mine')
    expect(await refused(path, 5)).toBe('CONTRACT_RECEIPT_OVER')
    expect(readFileSync(path, 'utf8')).toContain('receipt')
  })
})

/** The account of `dev:3` on a local chain. */
const DEV_3 = '0x90F79bf6EB2c4f870365E785982E1f101E93b906'
