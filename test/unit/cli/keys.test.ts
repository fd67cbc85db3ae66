import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestProcess, type TestProcess } from './terminal.ts'

const RAW = '59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d'
const ADDRESS = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
const PASSWORD = 'correct horse'

let machine: TestProcess
let data: string
beforeAll(() => {
  machine = createTestProcess()
  data = join(machine.home, '.suprnova')
})
afterAll(() => machine.remove())

const write = (name: string, text: string): string => {
  const path = join(machine.home, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}
const light = ['--private-network']

describe('key new', () => {
  // Bites: do not switch the terminal to raw mode, and it shows the password as it is typed.
  it('asks at the terminal twice, shows nothing of it, and writes a keystore of mode 0600', async () => {
    const ran = await machine.run(['key', 'new', 'operator', ...light], { typed: `${PASSWORD}\n${PASSWORD}` })
    expect(ran.code).toBe(0)
    expect(ran.stdout + ran.stderr).not.toContain(PASSWORD)
    const path = join(data, 'keys', 'operator.json')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      version: 3,
      crypto: { kdf: 'scrypt', kdfparams: { n: 4096 } },
    })
  })

  it('takes the password from a file and from the environment', async () => {
    const file = write('password', `${PASSWORD}\nsecond line\n`)
    expect((await machine.run(['key', 'new', 'from-file', '--password-file', file, ...light])).code).toBe(0)
    machine.env.SUPRNOVA_PASSWORD = PASSWORD
    const ran = await machine.run(['key', 'new', 'from-environment', '--json', ...light])
    delete machine.env.SUPRNOVA_PASSWORD
    expect(JSON.parse(ran.stdout)).toMatchObject({ address: expect.stringMatching(/^0x[0-9a-f]{40}$/) })
  })

  it.each([
    ['no password anywhere', {}, /needs a password, and there is no terminal/],
    ['a short one', { SUPRNOVA_PASSWORD: 'short' }, /has 5 characters, a new one needs at least 8/],
    ['an empty variable', { SUPRNOVA_PASSWORD: '' }, /needs a password/],
  ])('refuses %s with 3', async (_, env, message) => {
    Object.assign(machine.env, env)
    const ran = await machine.run(['key', 'new', 'refused', ...light])
    delete machine.env.SUPRNOVA_PASSWORD
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringMatching(message) })
  })

  // Bites: let the file always win, and a password in the environment no longer beats the config file.
  it('takes the flag before the environment, and that before the config file', async () => {
    const long = write('long-password', PASSWORD)
    const short = write('short-password', 'short')
    const config = write('config.json', JSON.stringify({ passwordFile: short }))
    machine.env.SUPRNOVA_PASSWORD = PASSWORD
    expect((await machine.run(['key', 'new', 'env-over-config', '--config', config, ...light])).code).toBe(0)
    machine.env.SUPRNOVA_PASSWORD = 'short'
    expect((await machine.run(['key', 'new', 'flag-over-env', '--password-file', long, ...light])).code).toBe(0)
    delete machine.env.SUPRNOVA_PASSWORD
    expect((await machine.run(['key', 'new', 'from-config', '--config', config, ...light])).code).toBe(3)
  })

  it('refuses two passwords that differ, and a password file that is none', async () => {
    const differ = await machine.run(['key', 'new', 'refused', ...light], { typed: `${PASSWORD}\nwrong horse` })
    expect(differ).toMatchObject({ code: 3, stderr: expect.stringContaining('differ') })
    const empty = await machine.run(['key', 'new', 'refused', '--password-file', write('empty', '\n')])
    expect(empty).toMatchObject({ code: 3, stderr: expect.stringContaining('is empty') })
    const large = await machine.run(['key', 'new', 'refused', '--password-file', write('large', 'x'.repeat(5_000))])
    expect(large).toMatchObject({ code: 3, stderr: expect.stringContaining('more than 4096') })
    const none = await machine.run(['key', 'new', 'refused', '--password-file', 'none'])
    expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining('ENOENT') })
  })

  it('warns of a password file that others can read', async () => {
    const path = write('open', PASSWORD)
    chmodSync(path, 0o644)
    const ran = await machine.run(['key', 'new', 'warned', '--password-file', path, ...light])
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('can read') })
  })

  it('never writes over a key', async () => {
    machine.env.SUPRNOVA_PASSWORD = PASSWORD
    const path = join(data, 'keys', 'operator.json')
    const before = readFileSync(path, 'utf8')
    const ran = await machine.run(['key', 'new', 'operator', ...light])
    delete machine.env.SUPRNOVA_PASSWORD
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining('not overwritten') })
    expect(readFileSync(path, 'utf8')).toBe(before)
  })
})

describe('key import and export', () => {
  beforeAll(() => {
    machine.env.SUPRNOVA_PASSWORD = PASSWORD
  })
  afterAll(() => {
    delete machine.env.SUPRNOVA_PASSWORD
  })

  it('takes raw hex from a file and from standard input, and keystores', async () => {
    const fromFile = await machine.run(['key', 'import', 'raw', write('raw-key', `0x${RAW}\n`), '--json', ...light])
    expect(JSON.parse(fromFile.stdout).address).toBe(ADDRESS)
    expect(fromFile.stdout + fromFile.stderr).not.toContain(RAW)
    const fromPipe = await machine.run(['key', 'import', 'piped', '-', '--json', ...light], { stdin: RAW })
    expect(JSON.parse(fromPipe.stdout).address).toBe(ADDRESS)

    const old = write('old-password', PASSWORD)
    const fresh = write('new-password', 'another horse')
    const keystore = join(data, 'keys', 'raw.json')
    const again = await machine.run([
      'key',
      'import',
      'again',
      keystore,
      '--old-password-file',
      old,
      '--password-file',
      fresh,
      '--json',
      ...light,
    ])
    expect(JSON.parse(again.stdout).address).toBe(ADDRESS)
    const wrong = await machine.run(['key', 'import', 'wrong', join(data, 'keys', 'again.json'), ...light])
    expect(wrong).toMatchObject({ code: 3, stderr: expect.stringContaining('does not open') })
  })

  it.each([
    ['not hex', 'hello', /64 hex digits or a JSON keystore/],
    ['too short', RAW.slice(1), /64 hex digits/],
    ['zero', '0'.repeat(64), /no secp256k1 private key/],
    ['past the order', 'f'.repeat(64), /no secp256k1 private key/],
    ['broken JSON', '{', /not a keystore/],
    ['another version', '{"version":1}', /version must be 3/],
    ['a huge file', 'x'.repeat(70_000), /at most 65536/],
    ['work without bound', JSON.stringify(huge()), /supported is at most/],
  ])('refuses %s with 3', async (_, text, message) => {
    const ran = await machine.run(['key', 'import', 'refused', write('bad', text), ...light])
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringMatching(message) })
  })

  it('refuses a key on the command line', async () => {
    const ran = await machine.run(['key', 'import', 'refused', RAW, ...light])
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('looks like a private key') })
    expect(ran.stderr).not.toContain(RAW)
  })

  it('exports only what is confirmed, never to the screen, and never over a file', async () => {
    const out = join(machine.home, 'exported')
    expect(await machine.run(['key', 'export', 'raw', '--out', out])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    })
    const no = await machine.run(['key', 'export', 'raw', '--raw', '--out', out], { typed: 'no' })
    expect(no).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was written') })
    const yes = await machine.run(['key', 'export', 'raw', '--raw', '--out', out], { typed: 'yes' })
    expect(yes.code).toBe(0)
    expect(readFileSync(out, 'utf8')).toBe(`0x${RAW}\n`)
    expect(statSync(out).mode & 0o777).toBe(0o600)
    expect(yes.stdout + yes.stderr).not.toContain(RAW)
    const twice = await machine.run(['key', 'export', 'raw', '--raw', '--out', out, '--yes'])
    expect(twice).toMatchObject({ code: 3, stderr: expect.stringContaining('not overwritten') })
    const copy = join(machine.home, 'copy.json')
    expect((await machine.run(['key', 'export', 'raw', '--out', copy, '--yes'])).code).toBe(0)
    expect(JSON.parse(readFileSync(copy, 'utf8'))).toMatchObject({ version: 3 })
  })

  it('lists keys without a password, and files that are none with their problem', async () => {
    mkdirSync(join(data, 'keys'), { recursive: true })
    writeFileSync(join(data, 'keys', 'broken.json'), '{}')
    const { keys } = JSON.parse((await machine.run(['key', 'list', '--json'])).stdout)
    expect(keys).toContainEqual({ name: 'raw', address: ADDRESS, path: join(data, 'keys', 'raw.json') })
    expect(keys).toContainEqual(
      expect.objectContaining({ name: 'broken', address: null, problem: expect.stringContaining('version') }),
    )
    const nothing = await machine.run(['key', 'list', '--data-dir', 'nowhere'])
    expect(nothing).toMatchObject({ code: 0, stdout: expect.stringContaining('no keys') })
    writeFileSync(join(machine.home, 'file'), '')
    expect((await machine.run(['key', 'list', '--data-dir', 'file'])).code).toBe(3)
  })
})

describe('init', () => {
  it('makes keys and config at once with --yes, and changes nothing the second time', async () => {
    machine.env.SUPRNOVA_PASSWORD = PASSWORD
    const argv = ['init', '--yes', '--data-dir', 'fresh', '--rpc', 'http://127.0.0.1:9', '--json', ...light]
    const first = JSON.parse((await machine.run(argv)).stdout)
    const second = JSON.parse((await machine.run(argv)).stdout)
    delete machine.env.SUPRNOVA_PASSWORD
    expect(first.made).toEqual(['operator', 'node', 'gas'])
    expect(second).toMatchObject({
      made: [],
      keptConfig: true,
      operator: first.operator,
      node: first.node,
      gas: first.gas,
    })
    const config = join(machine.home, 'fresh', 'suprnova.json')
    expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual({
      coordinator: 'current-reality.eth',
      rpc: ['http://127.0.0.1:9'],
    })
  })

  it('asks only what it must, until it can be read', async () => {
    const typed = ['not a name', 'https://my-reality.eth', '', PASSWORD, PASSWORD].join('\n')
    const ran = await machine.run(['init', '--data-dir', 'asked', ...light], { typed })
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('expected an ENS name') })
    const config = join(machine.home, 'asked', 'suprnova.json')
    expect(JSON.parse(readFileSync(config, 'utf8'))).toEqual({
      coordinator: 'my-reality.eth',
      rpc: ['http://127.0.0.1:8545'],
    })
  })

  it('without a terminal or password says what to do', async () => {
    const ran = await machine.run(['init', '--yes', '--data-dir', 'none'])
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining('SUPRNOVA_PASSWORD') })
  })
})

/** A keystore that asks for a terabyte. */
function huge(): object {
  const kdfparams = { dklen: 32, n: 2 ** 30, r: 8, p: 1, salt: 'ab'.repeat(32) }
  const crypto = {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: 'ab'.repeat(16) },
    ciphertext: 'ab'.repeat(32),
    kdf: 'scrypt',
    kdfparams,
    mac: 'ab'.repeat(32),
  }
  return { version: 3, id: 'x', address: ADDRESS.slice(2), crypto }
}
