import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'

// Breaks when a restart begins at the beginning of the newest block instead of its end: the first lives of the
// next process say again what the killed one said. kill -9 loses nothing that was written, so what must be flushed
// before use is shown by the simulated disk (test/unit/store/guard-crash.test.ts) and docs/signing-guard.md.

const KILLS = process.env.SUPRNOVA_LONG === '1' ? 2_000 : 30
const KEYS = [1, 2]
const SPEAKER = new URL('./programs/guard-kill-speaker.ts', import.meta.url).pathname

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'suprnova-guard-kill-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the speaker until it has said `lines` things, kills it, and returns everything that left it. */
async function liveAndDie(key: number, fresh: boolean, lines: number): Promise<string[]> {
  const said: string[] = []
  const options = [join(folder, `data-${key}`), join(folder, 'runtime'), `${key}`, fresh ? 'fresh' : '']
  const child = spawn(process.execPath, [SPEAKER, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  const errors: string[] = []
  child.stderr.on('data', (chunk: Buffer) => errors.push(String(chunk)))
  const exited = once(child, 'exit')
  const output = createInterface({ input: child.stdout })
  for await (const line of output) {
    said.push(line)
    if (said.length === lines) child.kill('SIGKILL')
  }
  const [, signal] = await exited
  expect(signal, errors.join('')).toBe('SIGKILL')
  return said
}

/** One key and directory, killed again and again. */
async function lineage(key: number, kills: number): Promise<number> {
  const bySlot = new Map<string, string>()
  for (let life = 0; life < kills; life++) {
    // The line a kill cut in half is not a statement that left.
    const lines = await liveAndDie(key, life === 0, 2 + ((life * 7_919) % 400))
    for (const line of lines) {
      const match = /^([267]) (\d+) (0x[0-9a-f]{64})$/.exec(line)
      if (!match) continue
      const slot = `${match[1]} ${match[2]}`
      const content = match[3] as string
      expect(bySlot.get(slot) ?? content, `two contents in slot ${slot} after ${life + 1} kills`).toBe(content)
      bySlot.set(slot, content)
    }
  }
  return bySlot.size
}

test(
  `${KILLS} times kill -9: no slot has two contents`,
  async () => {
    const said = await Promise.all(KEYS.map((key) => lineage(key, KILLS / KEYS.length)))
    expect(said.reduce((sum, count) => sum + count)).toBeGreaterThan(KILLS * 100)
  },
  KILLS * 10_000,
)
