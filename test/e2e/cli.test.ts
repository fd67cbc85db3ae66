import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readDeployment } from '../../node/chain/index.ts'
import { fromHex, type Hex, KIND } from '../../node/core/index.ts'
import {
  bundleOf,
  createSigner,
  DomainSeparator,
  encodeBundle,
  equivocationOffence,
  positionOf,
  statementDigest,
} from '../../node/statements/index.ts'
import { createTestProcess, type TestProcess } from '../unit/cli/terminal.ts'
import { type CliProcess, startCli } from './cli-process.ts'

const PASSWORD = 'correct horse'
const LIAR_KEY = `0x${'11'.repeat(32)}` as const
const NOBODY = `0x${'12'.repeat(20)}`

let machine: TestProcess
let chain: CliProcess
let rpc: string
const nodes: CliProcess[] = []

/** Runs a command in the data directory `who`, and expects it to end with `code`. */
async function cli(who: string, words: string, more: readonly string[] = [], code = 0) {
  const argv = [...words.split(' '), '--data-dir', join(machine.home, who), '--json', ...more]
  const ran = await machine.run(argv)
  expect({ code: ran.code, stderr: ran.code === code ? '' : ran.stderr }, words).toEqual({ code, stderr: '' })
  return { json: JSON.parse(ran.stdout), stderr: ran.stderr }
}

/** One JSON-RPC request. */
async function ask(method: string, params: readonly unknown[] = []): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const answer = await fetch(rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return ((await answer.json()) as { result: unknown }).result
}

/** Moves the chain on. Only while no node runs. */
async function travel(seconds: number): Promise<void> {
  await ask('evm_increaseTime', [seconds])
  await ask('evm_mine')
}

function runNode(who: string, more: readonly string[] = []): CliProcess {
  const argv = [
    'node',
    'run',
    '--data-dir',
    join(machine.home, who),
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '--json',
    ...more,
  ]
  const node = startCli(argv, { env: { SUPRNOVA_PASSWORD: PASSWORD } })
  nodes.push(node)
  return node
}

const light = ['--private-network']

beforeAll(async () => {
  machine = createTestProcess({ nowMs: () => Date.now() })
  machine.env.SUPRNOVA_PASSWORD = PASSWORD
  // Each transaction is mined at once, so that this takes seconds.
  chain = startCli(['chain', 'start', '--port', '0', '--block-time', '0', '--json'])
  rpc = JSON.parse(await chain.firstLine).rpcUrl
  machine.env.SUPRNOVA_RPC = rpc
})
afterAll(async () => {
  for (const { child, ended } of [...nodes, chain]) {
    child.kill('SIGTERM')
    await ended
  }
  machine.remove()
})

describe('an operator', () => {
  it('deploys, and does not deploy over the note of a deployment', async () => {
    const { json } = await cli('a', 'chain deploy')
    expect(json).toMatchObject({ chainId: '31337', ensName: 'current-reality.eth' })
    const again = await cli('a', 'chain deploy', [], 3)
    expect(again.json.error).toMatchObject({ code: 'FILE_EXISTS', hint: expect.stringContaining('--force') })
    expect((await cli('a', 'chain status')).json).toMatchObject({ stakeCount: '0', coordinator: json.coordinator })
    expect((await cli('a', 'coordinator show')).json).toMatchObject({ params: { epochSeconds: 10 } })
  })

  it('makes keys, takes from the faucet, registers after a dry run, and activates', async () => {
    const deployment = readFileSync(join(machine.home, 'a', 'deployment.json'))
    for (const who of ['a', 'b']) {
      const made = (await cli(who, 'init', ['--yes', ...light])).json
      writeFileSync(join(machine.home, who, 'deployment.json'), deployment)
      await cli(who, 'token faucet')
      expect((await cli(who, 'token balance')).json).toMatchObject({
        account: made.operator,
        balanceWei: `1${'0'.repeat(22)}`,
      })
      const hash = ['--biometric-hash', `0x${(who === 'a' ? 'aa' : 'bb').repeat(32)}`]
      const amount = ['--amount', '1500.25']
      const dry = (await cli(who, 'stake register', [...amount, ...hash, '--dry-run'])).json
      expect(dry).toMatchObject({
        sent: false,
        consequences: { nodeKey: made.node, amountWei: '1500250000000000000000' },
      })
      await cli(who, 'stake status', [], 2)
      const real = (await cli(who, 'stake register', [...amount, ...hash])).json
      expect(real).toMatchObject({ sent: true, consequences: { stakeId: dry.consequences.stakeId } })
      await ask('hardhat_mine', ['0x4'])
      await cli(who, 'stake activate', ['--wait'])
      expect((await cli(who, 'stake status')).json).toMatchObject({ status: 'active', nodeKey: made.node })
    }
  })

  it.each([
    [
      'stake register',
      ['--amount', '1500', '--biometric-hash', `0x${'cc'.repeat(32)}`],
      5,
      'CONTRACT_OPERATOR_HAS_STAKE',
    ],
    ['stake register', ['--amount', '1500'], 2, 'OPTION_MISSING'],
    ['stake register', ['--amount', '1', '--biometric-hash-file', 'none'], 3, 'BIOMETRIC_HASH_UNREADABLE'],
    ['stake topup', ['--amount', '99999'], 5, 'CONTRACT_ERC20_INSUFFICIENT_BALANCE'],
    ['stake withdraw', [], 5, 'CONTRACT_WRONG_STATUS'],
    ['stake unjail', [], 5, 'CONTRACT_NOT_JAILED'],
    ['stake unbond', ['--stake', '2', '--yes'], 5, 'CONTRACT_NOT_OPERATOR'],
    ['stake unbond', [], 2, 'CONFIRMATION_NEEDED'],
    ['stake status', ['--stake', '99'], 2, 'NO_STAKE'],
    ['stake status', ['--rpc', 'http://127.0.0.1:9'], 75, 'RPC_UNAVAILABLE'],
    ['stake rotate', ['--new-node-key', 'none'], 3, 'KEYSTORE_UNREADABLE'],
    ['stake rotate', ['--new-node-key', 'node'], 5, 'CONTRACT_KEY_TAKEN'],
    ['stake credits', ['--take'], 5, 'CONTRACT_NOTHING_TO_WITHDRAW'],
    ['stake credits', ['--to', NOBODY], 2, 'TO_WITHOUT_TAKE'],
    ['token transfer', ['--to', NOBODY, '--amount', '99999'], 5, 'CONTRACT_ERC20_INSUFFICIENT_BALANCE'],
    ['token transfer', ['--to', NOBODY, '--amount', '1', '--key', 'dev:99'], 2, 'DEV_ACCOUNT_UNKNOWN'],
    ['token faucet', ['--amount', '2000000'], 5, 'CONTRACT_MORE_THAN_PER_CALL'],
    ['coordinator show', ['--coordinator', 'nobody-has-this.eth'], 3, 'ENS_NO_RESOLVER'],
    ['coordinator show', ['--coordinator', NOBODY], 3, 'ENS_NOT_A_COORDINATOR'],
    ['coordinator show', ['--deployment', 'none.json'], 3, 'DEPLOYMENT_FILE_INVALID'],
    ['chain deploy', ['--out', 'x.json', '--ens-name', 'a..eth'], 2, 'BAD_VALUE'],
  ])('is told why `%s %j` ends with %i', async (words, more, code, error) => {
    expect((await cli('a', words, more, code)).json.error).toMatchObject({ code: error, message: expect.any(String) })
  })

  it('tops up and pays, exactly', async () => {
    const { json } = await cli('a', 'stake topup', ['--amount', '0.000000000000000001'])
    expect(json.consequences.newAmountWei).toBe('1500250000000000000001')
    await cli('a', 'token transfer', ['--to', NOBODY, '--amount', '12.5'])
    expect((await cli('a', 'token balance', ['--address', NOBODY])).json.balanceWei).toBe('12500000000000000000')
  })
})

describe('a node', () => {
  it('runs, is heard by another, and lets no second process in', async () => {
    await ask('evm_setIntervalMining', [500])
    const first = runNode('a')
    const [address] = JSON.parse(await first.firstLine).multiaddrs
    const second = runNode('b', ['--bootstrap', address])
    await second.firstLine
    const heard = startCli(['gossip', 'sub', 'chat', '--count', '1', '--json', '--data-dir', join(machine.home, 'b')])
    // A topic's mesh forms with its first heartbeats: what is said before reaches nobody.
    await expect
      .poll(async () => (await cli('a', 'gossip pub', ['chat', 'hello'])).json.recipients, {
        timeout: 60_000,
        interval: 500,
      })
      .toBe(1)
    const line = JSON.parse(await heard.firstLine)
    expect(Buffer.from(line.payload, 'base64').toString()).toBe('hello')
    expect(await heard.ended).toMatchObject({ code: 0 })
    expect((await cli('a', 'node status')).json).toMatchObject({ phase: 'running', stake: { maySpeak: true } })
    expect((await cli('b', 'evidence list')).json).toEqual({ faults: [] })

    const intruder = await runNode('a').ended
    expect(intruder).toMatchObject({ code: 4, stderr: expect.stringContaining('is in use by process') })
    await cli('a', 'guard import', ['none.json'], 3)
    const marks = (await cli('a', 'guard export')).json
    expect(marks.metadata.format).toBe('suprnova-signing-guard')
    writeFileSync(join(machine.home, 'marks.json'), JSON.stringify(marks))
    expect((await cli('a', 'guard import', [join(machine.home, 'marks.json')], 4)).json.error.code).toBe('LOCKED')
    expect((await cli('a', 'guard declare-lost', [], 4)).json.error.code).toBe('LOCKED')
  })

  it('stops at once when told to, by command and by signal; then commands end with 75', async () => {
    const [first, second] = nodes as [CliProcess, CliProcess]
    await cli('a', 'node stop')
    expect(await first.ended).toMatchObject({ code: 0, signal: null })
    second.child.kill('SIGTERM')
    expect(await second.ended).toMatchObject({ code: 0, signal: null })
    for (const words of ['node status', 'node stop', 'gossip pub x y', 'gossip sub x', 'evidence list']) {
      expect((await cli('a', words, [], 75)).json.error).toMatchObject({
        code: 'NODE_NOT_RUNNING',
        hint: expect.stringContaining('node run'),
      })
    }
    await ask('evm_setIntervalMining', [0])
  })

  it('hands its marks over, upward only', async () => {
    expect((await cli('a', 'guard import', [join(machine.home, 'marks.json')])).json).toMatchObject({ otherKeys: 0 })
    expect((await cli('b', 'guard import', [join(machine.home, 'marks.json')], 3)).json.error.code).toBe(
      'INTERCHANGE_INVALID',
    )
    writeFileSync(join(machine.home, 'no-marks.json'), '{"metadata":{}}')
    expect((await cli('a', 'guard import', [join(machine.home, 'no-marks.json')], 3)).json.error.code).toBe(
      'INTERCHANGE_INVALID',
    )
  })

  it('takes the operator at its word that a guard is lost', async () => {
    expect((await cli('a', 'guard declare-lost')).json).toMatchObject({ declaredLost: true })
    await cli('none', 'guard declare-lost', [], 3)
  })

  it('says what is wrong with a data directory, and changes nothing in it', async () => {
    const pin = join(machine.home, 'b', 'coordinator.json')
    const whole = readFileSync(pin)
    writeFileSync(pin, whole.subarray(0, 100))
    expect(await runNode('b').ended).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('not a coordinator pin'),
    })
    expect((await cli('b', 'chain status', [], 3)).json.error.code).toBe('PIN_CORRUPT')
    expect(readFileSync(pin)).toEqual(whole.subarray(0, 100))
    writeFileSync(pin, whole)
    machine.env.SUPRNOVA_PASSWORD = 'wrong horse'
    expect((await cli('b', 'stake unbond', ['--yes'], 3)).json.error.code).toBe('WRONG_PASSWORD')
    machine.env.SUPRNOVA_PASSWORD = PASSWORD
    const broken = await startCli(['node', 'run', '--data-dir', join(machine.home, 'b')], {
      env: { SUPRNOVA_PASSWORD: 'wrong horse' },
    }).ended
    expect(broken).toMatchObject({ code: 3, stderr: expect.stringContaining('does not open') })
  })
})

describe('evidence', () => {
  let stakeId: number
  let bundle: string
  let faultId: Hex

  beforeAll(async () => {
    // A third operator lies with a key that this test holds.
    const raw = join(machine.home, 'liar-key')
    writeFileSync(raw, LIAR_KEY)
    await cli('liar', 'key import', ['node', raw, ...light])
    await cli('liar', 'key new', ['operator', ...light])
    writeFileSync(
      join(machine.home, 'liar', 'deployment.json'),
      readFileSync(join(machine.home, 'a', 'deployment.json')),
    )
    await cli('liar', 'token faucet')
    const hash = ['--biometric-hash', `0x${'cc'.repeat(32)}`]
    const { consequences } = (await cli('liar', 'stake register', ['--amount', '1000', ...hash])).json
    await ask('hardhat_mine', ['0x4'])
    await cli('liar', 'stake activate')
    stakeId = consequences.stakeId
    const made = await lie(stakeId, consequences.fromEpoch)
    bundle = made.bundle
    faultId = made.faultId
  })

  async function lie(stake: number, epoch: number): Promise<{ bundle: string; faultId: Hex }> {
    const { chainId, registry, salt } = await readDeployment(join(machine.home, 'a', 'deployment.json'))
    const separator = new DomainSeparator({ chainId, verifyingContract: registry, salt })
    const signer = createSigner(fromHex(LIAR_KEY))
    const slot = {
      signer: signer.address,
      kind: KIND.gossip,
      scope: new Uint8Array(32),
      position: positionOf(epoch, 7),
    }
    const [white, black] = [1, 2].map((byte) => {
      const content = new Uint8Array(32).fill(byte)
      return { content, signature: signer.sign(statementDigest(separator, { ...slot, content })) }
    }) as [{ content: Uint8Array; signature: Uint8Array }, { content: Uint8Array; signature: Uint8Array }]
    const offence = equivocationOffence(separator, stake, slot, white, black)
    const { params } = (await cli('a', 'coordinator show')).json
    const key = {
      address: signer.address,
      stakeId: stake,
      publicKey: signer.publicKey,
      fromEpoch: epoch,
      untilEpoch: Number.POSITIVE_INFINITY,
    }
    const path = join(machine.home, 'bundle.json')
    writeFileSync(path, encodeBundle(bundleOf(offence, key, params)))
    return { bundle: path, faultId: offence.faultId }
  }

  it('is judged off line: alone, for its deployment, and for another', async () => {
    const rpcBefore = machine.env.SUPRNOVA_RPC
    machine.env.SUPRNOVA_RPC = 'http://127.0.0.1:9'
    expect((await cli('none', 'evidence verify', [bundle])).json).toMatchObject({ proven: true, stakeId, faultId })
    const deployment = join(machine.home, 'a', 'deployment.json')
    expect((await cli('none', 'evidence verify', [bundle, '--deployment', deployment])).json.proven).toBe(true)
    const { chainId, registry, salt } = await readDeployment(deployment)
    const domain = ['--chain-id', String(chainId), '--registry', registry]
    expect((await cli('none', 'evidence verify', [bundle, ...domain, '--salt', salt])).json.proven).toBe(true)
    // Bites: take the domain of the bundle whatever is given, and evidence of any other chain is proven here.
    const other = await cli('none', 'evidence verify', [bundle, ...domain, '--salt', `0x${'00'.repeat(32)}`], 1)
    expect(other.json).toMatchObject({ proven: false, verdict: { error: 'BadSignature' } })
    await cli('none', 'evidence verify', [bundle, ...domain], 2)
    expect((await cli('none', 'evidence show', [bundle])).json).toMatchObject({ faultId, version: 1 })
    machine.env.SUPRNOVA_RPC = rpcBefore as string
  })

  it.each([
    ['no JSON', 'hello', /no evidence: .*JSON/],
    ['another JSON', '{"version":1}', /no evidence: bundle domain/],
    ['an empty file', '', /no evidence/],
    ['a large file', 'x'.repeat(70_000), /at most/],
  ])('that is %s is refused with 2, by every command that reads it', async (_, text, message) => {
    const path = join(machine.home, 'not-evidence.json')
    writeFileSync(path, text)
    for (const words of ['evidence verify', 'evidence show', 'evidence submit', 'evidence claim']) {
      expect((await cli('a', words, [path], 2)).json.error).toMatchObject({
        code: 'NOT_EVIDENCE',
        message: expect.stringMatching(message),
      })
    }
  })

  it('that was changed anywhere names the field that is wrong', async () => {
    const document = JSON.parse(readFileSync(bundle, 'utf8'))
    const path = join(machine.home, 'changed.json')
    for (const [field, changed] of Object.entries({
      ...document,
      faultId: NOBODY,
      slot: 1,
      extra: 1,
      evidence: '0x00',
    })) {
      if (JSON.stringify(document[field]) === JSON.stringify(changed)) continue
      writeFileSync(path, JSON.stringify({ ...document, [field]: changed }))
      const { error } = (await cli('a', 'evidence verify', [path], 2)).json
      expect(error.message).toContain(field)
    }
    expect((await cli('a', 'evidence submit', ['none.json'], 3)).json.error.code).toBe('EVIDENCE_UNREADABLE')
  })

  it('slashes from the file alone, through the ENS name, once; the reward follows the commit', async () => {
    const { ensRegistry } = await readDeployment(join(machine.home, 'a', 'deployment.json'))
    await cli('court', 'key new', ['gas', ...light])
    const gas = (await cli('court', 'key list')).json.keys[0].address
    await cli('court', 'token faucet', ['--to', gas, '--deployment', join(machine.home, 'a', 'deployment.json')])
    const byName = ['--coordinator', 'https://current-reality.eth', '--ens-registry', ensRegistry]
    const dry = (await cli('court', 'evidence submit', [bundle, ...byName, '--dry-run'])).json
    expect(dry).toMatchObject({ sent: false, consequences: { stakeId, faultId } })
    const { registry, court } = await readDeployment(join(machine.home, 'a', 'deployment.json'))
    // Bites: read the stake through a lens, and whoever knows only registry and court cannot submit.
    const bare = ['--registry', registry, '--court', court, '--dry-run']
    expect((await cli('court', 'evidence submit', [bundle, ...bare])).json).toMatchObject({
      sent: false,
      consequences: dry.consequences,
    })
    await cli('court', 'evidence submit', [bundle, '--registry', registry], 2)
    const wrong = (await cli('court', 'evidence submit', [bundle, '--registry', registry, '--court', NOBODY], 3)).json
    expect(wrong.error.code).toBe('COURT_OF_ANOTHER_REGISTRY')
    expect((await cli('liar', 'stake status')).json.tombstoned).toBe(false)
    const slashed = (await cli('court', 'evidence submit', [bundle, ...byName])).json
    expect(slashed).toMatchObject({
      sent: true,
      beneficiary: gas,
      consequences: { chargedWei: '50000000000000000000', tombstones: true },
    })
    expect(BigInt(slashed.commit.blockNumber)).toBeLessThan(BigInt(slashed.blockNumber))
    expect((await cli('liar', 'stake status')).json).toMatchObject({
      tombstoned: true,
      amountWei: '950000000000000000000',
    })

    const again = (await cli('a', 'evidence submit', [bundle])).json
    expect(again).toMatchObject({ sent: false, alreadySlashed: true, stakeId })
    expect((await cli('a', 'evidence claim', [bundle], 3)).json.error.code).toBe('NO_CLAIM')
    expect((await cli('court', 'evidence claim', [bundle, ...byName])).json).toMatchObject({
      claimed: true,
      released: false,
    })
    await travel(31)
    const released = (await cli('court', 'evidence claim', [faultId, ...byName])).json
    expect(released).toMatchObject({
      released: true,
      releasedWei: '5000000000000000000',
      creditsWei: '5000000000000000000',
    })
    const taken = (await cli('court', 'stake credits', ['--take', '--operator-key', 'gas', ...byName])).json
    expect(taken.consequences).toMatchObject({ to: gas, amountWei: '5000000000000000000' })
  })

  it('of another deployment is not sent', async () => {
    const elsewhere = join(machine.home, 'elsewhere.json')
    await cli('a', 'chain deploy', ['--out', elsewhere, '--ens-name', 'other-reality.eth', '--key', 'dev:1'])
    const refused = await cli('a', 'evidence submit', [bundle, '--deployment', elsewhere], 3)
    expect(refused.json.error.code).toBe('EVIDENCE_FOR_ANOTHER_DEPLOYMENT')
    const deployment = JSON.parse(readFileSync(elsewhere, 'utf8'))
    writeFileSync(elsewhere, JSON.stringify({ ...deployment, salt: `0x${'00'.repeat(32)}` }))
    expect((await cli('a', 'chain status', ['--deployment', elsewhere], 3)).json.error.code).toBe(
      'DEPLOYMENT_OTHER_CHAIN',
    )
  })
})

describe('leaving', () => {
  it('takes its time, settles first, and pays', async () => {
    const stakes = ['liar', 'a'] as const
    for (const who of stakes) {
      expect((await cli(who, 'stake unbond', ['--dry-run'])).json.sent).toBe(false)
      await cli(who, 'stake unbond', ['--yes'])
      expect((await cli(who, 'stake withdraw', [], 75)).json.error.code).toBe('CONTRACT_NOT_READY')
    }
    await travel(1_501)
    const paid = (await cli('a', 'stake withdraw', ['--to', `0x${'13'.repeat(20)}`])).json.consequences
    expect(paid).toMatchObject({ amountWei: '1500250000000000000001', settledFaults: [] })
    const dry = (await cli('liar', 'stake withdraw', ['--dry-run'])).json
    expect(dry.sent).toBe(false)
    const left = (await cli('liar', 'stake withdraw')).json.consequences
    expect(left.settledFaults).toHaveLength(1)
    expect(BigInt(left.amountWei)).toBeLessThanOrEqual(950n * 10n ** 18n)
  })
})
