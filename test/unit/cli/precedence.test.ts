import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Command, defineCommand } from '../../../node/cli/command.ts'
import { COMMANDS, nameOf } from '../../../node/cli/commands.ts'
import { environmentOf, flagOf, type Option, required } from '../../../node/cli/option.ts'
import { COMMON, OPTION } from '../../../node/cli/options.ts'
import { resolveValues } from '../../../node/cli/resolve.ts'

let home: string
const commands = new Map<string, Command>()

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'suprnova-cli-'))
  for (const entry of COMMANDS) commands.set(nameOf(entry), (await entry.load()).command)
})
afterAll(() => rmSync(home, { recursive: true }))

const HEX32 = `0x${'ab'.repeat(32)}`
const address = (digit: number): string => `0x${String(digit).repeat(40)}`
/** Three values each option takes, by what its placeholder says it is. */
const SAMPLES: Record<string, readonly [string, string, string]> = {
  ADDRESS: [address(1), address(2), address(3)],
  BYTES: ['1', '2', '3'],
  DIR: ['/tmp/a', '/tmp/b', '/tmp/c'],
  EGI: ['1', '2.5', '3'],
  FILE: ['a', 'b', 'c'],
  HEX: [HEX32, HEX32.replace('a', 'c'), HEX32.replace('a', 'd')],
  'HOST:PORT': ['127.0.0.1:1', '127.0.0.1:2', 'localhost:3'],
  HOW: ['one', 'quorum', 'one'],
  I: ['1', '2', '3'],
  ID: ['1', '2', '3'],
  KEY: ['a', 'b', 'c'],
  LEVEL: ['debug', 'warn', 'error'],
  MULTIADDR: ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2', '/ip4/127.0.0.1/tcp/3'],
  NAME: ['a', 'b', 'c'],
  N: ['2', '3', '4'],
  PORT: ['1', '2', '3'],
  R: ['1', '2', '3'],
  SECONDS: ['1', '2', '3'],
  TOPIC: ['a', 'b', 'c'],
  W: ['1', '2', '3'],
  WHOSE: ['own', 'all', 'own'],
  WORD: ['a', 'b', 'c'],
  WORLD: ['2d', '3d', 'chess'],
  URL: ['http://a', 'http://b', 'http://c'],
}

function samplesOf(name: string, option: Option): readonly [string, string, string] {
  if (name === 'coordinator' || name === 'ensName') return ['a.eth', 'b.eth', 'c.eth']
  if (name === 'params') return ['dev', 'exit', 'public']
  return SAMPLES[option.placeholder] ?? raise(`no samples for ${name} ${option.placeholder}`)
}

function raise(message: string): never {
  throw new Error(message)
}

function resolveOne(
  name: string,
  option: Option,
  argv: readonly string[],
  env: Record<string, string>,
  config: object,
): unknown {
  const command = defineCommand({
    options: name in COMMON ? {} : { [name]: option },
    examples: [],
    run: async () => undefined,
  })
  const file = join(home, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  const process = {
    env,
    cwd: home,
    homeDir: home,
    stdin: new PassThrough(),
    stdout: { write: () => {} },
    stderr: { write: () => {} },
    nowMs: () => 0,
  }
  return resolveValues(command, [...argv, ...(name === 'config' ? [] : ['--config', file])], process).values[name]
}

const everywhere = Object.entries({ ...COMMON, ...OPTION } as Record<string, Option>).filter(
  ([, option]) => option.sources === 'all',
)

describe('every option', () => {
  // Bites: swap any two sources in `findSource` and one of these lines fails for every option.
  it.each(everywhere.filter(([, option]) => option.kind !== 'flag'))(
    '%s: flag, else environment, else config file, else default',
    (name, option) => {
      const [first, second, third] = samplesOf(name, option)
      const env = { [environmentOf(name)]: second }
      const read = (text: string) => (name === 'dataDir' ? text : option.parse(text))
      expect(resolveOne(name, option, [flagOf(name), first], env, { [name]: third })).toEqual(read(first))
      expect(resolveOne(name, option, [], env, { [name]: third })).toEqual(read(second))
      const fromConfig = option.placeholder === 'FILE' ? join(home, third) : third
      expect(resolveOne(name, option, [], {}, { [name]: third })).toEqual(read(fromConfig))
      const fallback =
        option.kind === 'list' ? [] : option.fallback === undefined ? undefined : option.parse(option.fallback)
      if (name !== 'dataDir') expect(resolveOne(name, option, [], {}, {})).toEqual(fallback)
    },
  )

  it.each(everywhere.filter(([, option]) => option.kind === 'flag'))(
    '%s: is turned on and off by each source in turn',
    (name, option) => {
      const on = { [environmentOf(name)]: 'true' }
      expect(resolveOne(name, option, [`--no-${flagOf(name).slice(2)}`], on, { [name]: true })).toBe(false)
      expect(resolveOne(name, option, [flagOf(name)], { [environmentOf(name)]: '0' }, { [name]: false })).toBe(true)
      expect(resolveOne(name, option, [], on, { [name]: false })).toBe(true)
      expect(resolveOne(name, option, [], {}, { [name]: true })).toBe(true)
      expect(resolveOne(name, option, [], {}, {})).toBe(false)
    },
  )

  it('that must be given says how, at all three places', () => {
    expect(() => resolveOne('amount', required(OPTION.amount), [], {}, {})).toThrow('--amount EGI is missing')
  })

  // Bites: an option that only one command knows could not stand in a config file.
  it('of every command is in the catalogue, under the same name and of the same kind', () => {
    for (const [command, { options }] of commands) {
      for (const [name, option] of Object.entries(options)) {
        const known = (OPTION as Record<string, Option>)[name]
        expect(known, `${command} ${name}`).toBeDefined()
        expect([option.kind, option.placeholder, option.sources]).toEqual([
          known?.kind,
          known?.placeholder,
          known?.sources,
        ])
      }
    }
  })

  it('in the catalogue is taken by some command', () => {
    const used = new Set([...commands.values()].flatMap((command) => Object.keys(command.options)))
    expect(Object.keys(OPTION).filter((name) => !used.has(name))).toEqual([])
  })
})

describe('a config file', () => {
  const read = (text: string) => () => {
    const dataDir = join(home, 'data')
    mkdirSync(dataDir, { recursive: true })
    writeFileSync(join(dataDir, 'suprnova.json'), text)
    const command = defineCommand({
      options: { rpc: OPTION.rpc, port: OPTION.port },
      examples: [],
      run: async () => undefined,
    })
    const process = {
      env: {},
      cwd: home,
      homeDir: home,
      stdin: new PassThrough(),
      stdout: { write: () => {} },
      stderr: { write: () => {} },
      nowMs: () => 0,
    }
    return resolveValues(command, ['--data-dir', dataDir], process).values
  }

  it('is found in the data directory', () => {
    expect(read('{"rpc":["http://a","http://b"],"port":99}')()).toMatchObject({
      rpc: ['http://a', 'http://b'],
      port: 99,
    })
  })

  it.each([
    ['{"prot":1}', /prot in .* is no option/],
    ['{"port":"x"}', /port in .*suprnova\.json: expected a port/],
    ['{"port":1.5}', /port in .* must be a string, a whole number/],
    ['{"port":{}}', /port in .* must be/],
    ['{"rpc":[1]}', /rpc in .* must be a list of strings/],
    ['{"password":"x"}', /password in .* is no option/],
    ['{"dataDir":"/x"}', /dataDir cannot stand in/],
    ['{"yes":true}', /yes in .* is no option/],
    ['[]', /must hold one JSON object/],
    ['{', /is not JSON/],
  ])('%j is an error that names the field', (text, message) => {
    expect(read(text)).toThrow(message)
  })

  // Bites: leave paths as they are, and one config file means another file from every directory.
  it('names paths as seen from where it lies', () => {
    const keys = { operatorKey: '../keys/a.json', nodeKey: 'node' }
    expect(resolveOne('operatorKey', OPTION.operatorKey, [], {}, keys)).toBe(join(home, '../keys/a.json'))
    expect(resolveOne('nodeKey', OPTION.nodeKey, [], {}, keys)).toBe('node')
  })

  it('is small', () => {
    expect(read(' '.repeat(70_000))).toThrow('at most 65536')
  })

  it('that was named must exist', () => {
    const command = defineCommand({ options: {}, examples: [], run: async () => undefined })
    const process = {
      env: {},
      cwd: home,
      homeDir: home,
      stdin: new PassThrough(),
      stdout: { write: () => {} },
      stderr: { write: () => {} },
      nowMs: () => 0,
    }
    expect(() => resolveValues(command, ['--config', 'none.json'], process)).toThrow('ENOENT')
  })
})
