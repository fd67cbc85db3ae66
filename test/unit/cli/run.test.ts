import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { splitArguments } from '../../../node/cli/arguments.ts'
import { COMMANDS, GROUPS, nameOf } from '../../../node/cli/commands.ts'
import { OPTION } from '../../../node/cli/options.ts'
import { resolveValues } from '../../../node/cli/resolve.ts'
import { findEntry } from '../../../node/cli/run.ts'
import { nearest } from '../../../node/cli/suggest.ts'
import { createTestProcess, type TestProcess } from './terminal.ts'

let machine: TestProcess
beforeAll(() => {
  machine = createTestProcess()
})
afterAll(() => machine.remove())

/** The commands as the plan of the command line names them. */
const PROMISED = [
  'start',
  'init',
  'scenario',
  'bench',
  ...['start', 'deploy', 'status'].map((word) => `chain ${word}`),
  ...['new', 'import', 'list', 'export'].map((word) => `key ${word}`),
  ...['balance', 'transfer', 'faucet'].map((word) => `token ${word}`),
  'coordinator show',
  'coordinator snapshot',
  ...['register', 'activate', 'topup', 'rotate', 'unbond', 'withdraw', 'unjail', 'credits', 'status'].map(
    (word) => `stake ${word}`,
  ),
  ...['run', 'stop', 'status'].map((word) => `node ${word}`),
  ...['pub', 'sub'].map((word) => `gossip ${word}`),
  ...['put', 'get', 'closest', 'peers', 'query', 'announce', 'receipts', 'renew'].map((word) => `dht ${word}`),
  ...['list', 'show', 'verify', 'submit', 'claim', 'challenge', 'answer'].map((word) => `evidence ${word}`),
  ...['declare-lost', 'export', 'import'].map((word) => `guard ${word}`),
]

describe('the command table', () => {
  it('holds every command, once', () => {
    expect(COMMANDS.map(nameOf).sort()).toEqual([...PROMISED].sort())
  })

  it.each(COMMANDS.map((entry) => [nameOf(entry), entry] as const))(
    '%s has help in both forms',
    async (name, entry) => {
      const text = await machine.run([...entry.path, '--help'])
      expect(text).toMatchObject({ code: 0, stderr: '' })
      for (const part of [`suprnova ${name}`, entry.summary, 'Exit codes:', 'Examples:', '--json'])
        expect(text.stdout).toContain(part)
      expect(Math.max(...text.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(140)
      const json = await machine.run([...entry.path, '--help', '--json'])
      expect(JSON.parse(json.stdout)).toMatchObject({ name, summary: entry.summary })
    },
  )

  // Bites: rename an option, and the examples that still use it fail here.
  it.each(COMMANDS.map((entry) => [nameOf(entry), entry] as const))(
    '%s has examples that are understood',
    async (_, entry) => {
      const { command } = await entry.load()
      expect(command.examples.length).toBeGreaterThan(0)
      for (const line of command.examples.flatMap((example) => example.split(/ && | \| /))) {
        if (!line.startsWith('suprnova ')) continue
        const words = (line.match(/"[^"]*"|\S+/g) ?? []).slice(1).map((word) => word.replace(/^"|"$/g, ''))
        const found = findEntry(words)
        const { command: meant } = await found.entry.load()
        expect(() => resolveValues(meant, found.rest, machine.process), line).not.toThrow()
      }
    },
  )

  it('shows groups and the whole', async () => {
    for (const group of Object.keys(GROUPS)) {
      expect((await machine.run([group, '--help'])).stdout).toContain(GROUPS[group])
    }
    const all = await machine.run(['--help'])
    expect(all.code).toBe(0)
    for (const group of Object.keys(GROUPS)) expect(all.stdout).toContain(group)
    expect(JSON.parse((await machine.run(['--help', '--json'])).stdout).commands).toHaveLength(COMMANDS.length)
    expect((await machine.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('a number below zero', () => {
  const options = { radius: OPTION.radius }

  it.each([
    [['300', '-4', '-.5'], ['300', '-4', '-.5'], undefined],
    [['-1', '--radius', '5'], ['-1'], ['5']],
    [['--radius', '-5', '2'], ['2'], ['-5']],
    [['--radius=-5', '--', '-2', '-x'], ['-2', '-x'], ['-5']],
  ])('is a number in %j, and no option', (argv, positionals, radius) => {
    const written = splitArguments(argv, options)
    expect(written.positionals).toEqual(positionals)
    expect(written.options.get('radius')).toEqual(radius)
  })

  it('leaves what begins with another sign an option', () => {
    expect(() => splitArguments(['-x'], options)).toThrow(/no option -x/)
  })
})

describe('what is not understood', () => {
  it.each([
    [[], /which command/, /--help/],
    [['kye', 'new'], /no command kye/, /suprnova key new/],
    [['key', 'lst'], /no command key lst/, /suprnova key list/],
    [['stake'], /needs one of: register/, /stake --help/],
    [['--config', 'key', 'list'], /comes before the command/, /after the command/],
    [['key', 'list', '--jsno'], /no option --jsno/, /--json/],
    [['key', 'list', 'x'], /"x" is one argument too many/, /options only/],
    [['key', 'list', '--data-dir'], /--data-dir needs a value/, /--help/],
    [['key', 'list', '--json=1'], /--json takes no value/, /--help/],
    [['key', 'list', '--data-dir', 'a', '--data-dir', 'b'], /--data-dir is given twice/, undefined],
    [['key', 'import', 'a'], /FILE is missing/, /--help/],
    [['key', 'new', '../a'], /NAME: expected a key name/, undefined],
    [['token', 'transfer', '--amount', '1'], /--to ADDRESS is missing/, /SUPRNOVA_TO/],
    [
      ['token', 'transfer', '--amount', '1e3', '--to', `0x${'1'.repeat(40)}`],
      /--amount: expected an amount of EGI/,
      undefined,
    ],
    [['key', 'new', '--password', 'x'], /no option --password/, /seen by everyone/],
  ])('%j ends with 2 and says why', async (argv, message, hint) => {
    const ran = await machine.run(argv)
    expect(ran.code).toBe(2)
    expect(ran.stdout).toBe('')
    expect(ran.stderr).toMatch(message)
    if (hint !== undefined) expect(ran.stderr).toMatch(hint)
    // Bites: print the error only as text and scripts get an empty document.
    const json = await machine.run([...argv, '--json'])
    expect(JSON.parse(json.stdout).error).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) })
  })

  it('in the environment is named by its variable', async () => {
    machine.env.SUPRNOVA_LOG_LEVEL = 'loud'
    const ran = await machine.run(['chain', 'start'])
    delete machine.env.SUPRNOVA_LOG_LEVEL
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('SUPRNOVA_LOG_LEVEL: expected one of') })
  })

  it('suggests only what is near', () => {
    expect(nearest('regsiter', ['register', 'rotate'])).toBe('register')
    expect(nearest('reg', ['register', 'rotate'])).toBe('register')
    expect(nearest('xyz', ['register', 'rotate'])).toBeUndefined()
  })
})

describe('an unexpected failure', () => {
  it('ends with 1, and shows its stack when asked', async () => {
    // A machine without a home directory: nothing foresees it.
    const homeless = createTestProcess({ homeDir: undefined as never })
    const plain = await homeless.run(['key', 'list', '--json'])
    expect(plain.code).toBe(1)
    expect(plain.stderr).toMatch(/unexpected: .*SUPRNOVA_DEBUG=1/s)
    expect(plain.stderr).not.toMatch(/\n\s+at /)
    expect(JSON.parse(plain.stdout).error.code).toBe('UNEXPECTED')
    homeless.env.SUPRNOVA_DEBUG = '1'
    expect((await homeless.run(['key', 'list'])).stderr).toMatch(/\n\s+at /)
    homeless.remove()
  })
})
