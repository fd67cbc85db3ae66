import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { marksOf, processesNaming } from './left-behind.ts'

const CLI = fileURLToPath(new URL('../../node/cli/suprnova.mjs', import.meta.url))

let temporary: string
let child: ChildProcess
/** What the child of this test said: what an earlier one still had to say goes nowhere. */
let said: { text: string }

beforeEach(async () => {
  // A temporary folder of its own tells its processes and files from everybody else's.
  temporary = await mkdtemp(join(tmpdir(), 'start-'))
})

afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  await rm(temporary, { recursive: true, force: true })
})

function start(...args: string[]): void {
  const env = { ...process.env, TMPDIR: temporary, NO_COLOR: '1' }
  child = spawn(process.execPath, [CLI, 'start', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const own = { text: '' }
  said = own
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      own.text += chunk
    })
  }
}

async function printed(pattern: RegExp, withinMs = 90_000): Promise<void> {
  await expect.poll(() => said.text, { timeout: withinMs, interval: 50 }).toMatch(pattern)
}

function nodeKeys(): string[] {
  return globSync(join(temporary, 'suprnova-*/node-*/keys/node.json')).map(
    (path) => `0x${JSON.parse(readFileSync(path, 'utf8')).address}`,
  )
}

async function endsCleanly(signal: NodeJS.Signals, keys: readonly string[]): Promise<void> {
  const ended = once(child, 'close')
  child.kill(signal)
  const [code] = await ended
  expect(said.text).not.toMatch(/Error|at async/)
  expect(code).toBe(0)
  expect(processesNaming(temporary)).toEqual([])
  expect(await readdir(temporary)).toEqual([])
  expect(marksOf(keys)).toEqual([])
}

// Catches a child that outlives its parent, a folder or socket that stays, and marks left in the runtime directory.
test('a lie is shown caught, and SIGINT leaves nothing behind', async () => {
  start('--nodes', '2', '--lie')
  await printed(/node-2 runs/)
  await printed(/try: .* node status --data-dir/)
  const keys = nodeKeys()
  expect(keys).toHaveLength(2)
  await printed(/node-1 proves it in block \d+: \d+ blocks and \d+ ms after the lie/)
  // The lab, node-1 and the liar's program: not before, since the liar's node ends before its program begins.
  expect(processesNaming(temporary).length).toBeGreaterThanOrEqual(3)
  await printed(/node-2 \(stake 2\) loses 50 EGI and is silenced for ever/)
  await printed(/head \d+ .* faults 1 {2}slashes 1/)
  expect(said.text).not.toContain('\x1b')
  await endsCleanly('SIGINT', keys)
})

// Each moment was one at which something was left: the chain's folder, a node begun meanwhile, a keystore being written.
test.each([
  ['the chain', /^chain http/m],
  ['the name', /current-reality\.eth ->/],
  ['the stakes', /stakes bonded and active/],
  ['the first node', /node-1 runs/],
])('SIGTERM right after %s is there leaves nothing behind', async (_moment, pattern) => {
  start('--nodes', '2')
  await printed(pattern)
  await endsCleanly('SIGTERM', nodeKeys())
})

// Catches nodes that go on, and a folder and marks that stay, when the lab is ended before its nodes have closed.
test('a second SIGINT ends everything at once, and leaves nothing behind either', async () => {
  start('--nodes', '2')
  await printed(/node-2 runs/)
  const keys = nodeKeys()
  // A node that does not answer keeps the orderly end waiting.
  for (const pid of processesNaming(join(temporary, 'suprnova-'))) process.kill(pid, 'SIGSTOP')
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  await printed(/ending/)
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  await expect.poll(() => processesNaming(temporary), { timeout: 5_000 }).toEqual([])
  expect(await readdir(temporary)).toEqual([])
  expect(marksOf(keys)).toEqual([])
})

test('too few nodes is a usage error', async () => {
  start('--nodes', '1')
  const [code] = await once(child, 'exit')
  expect(code).toBe(2)
})
