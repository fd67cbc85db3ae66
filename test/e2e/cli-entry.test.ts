import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PROGRAM, startCli } from './cli-process.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'suprnova-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Every other Node on this machine, and the one that runs the tests. */
function nodes(): [string, string][] {
  const found = new Map([[process.version, process.execPath]])
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    try {
      const path = join(directory, 'node')
      const version = execFileSync(path, ['--version'], { encoding: 'utf8', stdio: 'pipe' }).trim()
      if (Number(version.slice(1).split('.')[0]) >= 20) found.set(version, path)
    } catch {
      // no Node in this directory
    }
  }
  return [...found]
}

// Bites: what `npx suprnova` runs is there only once a package was built.
it('is the file that npm links, in a clone as it is', () => {
  const root = new URL('../../', import.meta.url)
  const { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  expect(bin).toEqual({ suprnova: relative(fileURLToPath(root), PROGRAM) })
  expect(statSync(PROGRAM).mode & 0o111).toBe(0o111)
})

describe.each(nodes())('the entry under Node %s', (_, node) => {
  it('works from anywhere and through a link, as npm makes one', async () => {
    const link = join(folder, `suprnova-${_}`)
    symlinkSync(PROGRAM, link)
    const { code, stdout, stderr } = await startCli(['--version'], { node, cwd: folder, program: link }).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('passes exit codes on', async () => {
    expect(await startCli(['nonsense'], { node, cwd: folder }).ended).toMatchObject({ code: 2, stdout: '' })
    const asked = startCli(['node', 'status', '--data-dir', folder, '--json'], { node, cwd: folder })
    const { code, stdout } = await asked.ended
    expect(code).toBe(75)
    expect(JSON.parse(stdout).error.code).toBe('NODE_NOT_RUNNING')
  })
})

describe('a signal', () => {
  // Under the oldest Node there is: there the program runs in a child.
  const [, node] = nodes().at(-1) as [string, string]

  // Bites: a hand-over that does not forward signals leaves the chain running when its parent is told to end.
  it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on, and the chain ends in order', async (signal) => {
    const chain = startCli(['chain', 'start', '--port', '0', '--json'], { node, cwd: folder })
    const { rpcUrl, accounts } = JSON.parse(await chain.firstLine)
    expect(accounts).toHaveLength(20)
    chain.child.kill(signal)
    expect(await chain.ended).toMatchObject({ code: 0, signal: null })
    await expect(fetch(rpcUrl)).rejects.toThrow()
  })
})

it('ends quietly when nobody reads on', async () => {
  const piped = `"${process.execPath}" "${PROGRAM}" --help | head -1`
  expect(execFileSync('sh', ['-c', piped], { encoding: 'utf8' })).toMatch(/^suprnova /)
})
