import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startCli } from './cli-process.ts'
import { processesNaming } from './left-behind.ts'

/** Networks of twenty nodes meet for a minute or more, so the short tier runs those that need none. */
const names = process.env.SUPRNOVA_LONG === '1' ? ['batched', 'footprint', 'store', 'retrieve'] : ['batched']

test.each(names)('suprnova bench %s runs, fails no operation and leaves nothing behind', async (name) => {
  const temporary = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    const { code, stdout } = await startCli(['bench', name, '--quick', '--json'], { env: { TMPDIR: temporary } }).ended
    expect(code).toBe(0)
    const { aims, profiles, rows } = JSON.parse(stdout)
    expect(rows.length).toBeGreaterThan(0)
    const ours = rows.filter(({ system }: { system?: string }) => system === undefined || system.startsWith('suprnova'))
    expect(ours.filter(({ failed = 0 }: { failed?: number }) => failed > 0)).toEqual([])
    expect(aims.length).toBeGreaterThan(0)
    expect(profiles.every(({ rows }: { rows: unknown[] }) => rows.length > 0)).toBe(true)
    expect(processesNaming(temporary)).toEqual([])
    expect(await readdir(temporary)).toEqual([])
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
})
