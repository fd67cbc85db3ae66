import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scenarioNames } from '../../node/lab/index.ts'
import { startCli } from './cli-process.ts'
import { processesNaming } from './left-behind.ts'

/** All of them take a quarter of an hour; the two that the rest is built on take less than two minutes. */
const played = process.env.SUPRNOVA_LONG === '1' ? scenarioNames : ['overrun', 'unstaked']

/** Each ends within this, as `.ci/run` needs it; the one with forty nodes does not. */
const limitSeconds = (name: string) => (name === 'churn' ? 1_200 : 90)

test.each(played)('the story of %s ends as promised and leaves nothing behind', async (name) => {
  const temporary = await mkdtemp(join(tmpdir(), 'story-'))
  try {
    const { code, stdout } = await startCli(['scenario', name, '--json'], { env: { TMPDIR: temporary } }).ended
    const report = JSON.parse(stdout)
    expect(report.findings.filter((finding: { kept: boolean }) => !finding.kept)).toEqual([])
    expect(report.kept).toBe(true)
    expect(code).toBe(0)
    expect(report.seconds).toBeLessThan(limitSeconds(name))
    expect(processesNaming(temporary)).toEqual([])
    expect(await readdir(temporary)).toEqual([])
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
})
