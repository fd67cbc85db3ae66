import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LockModules, lockDataDirectory, machineProcesses } from '../../../node/store/index.ts'

const ADDRESS = `0x${'11'.repeat(20)}` as const
const HOLDER = new URL('./programs/hold-directory.ts', import.meta.url).pathname

describe('data directory', () => {
  let folder = ''
  let data = ''
  let modules: LockModules = {}
  const children: ChildProcess[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'suprnova-directory-'))
    data = join(folder, 'data')
    modules = { runtimeDirectory: join(folder, 'runtime') }
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    }
    rmSync(folder, { recursive: true, force: true })
  })

  /** Another process that holds the directory; resolves with its last line. */
  async function hold(directory: string): Promise<{ child: ChildProcess; line: string }> {
    const child = spawn(process.execPath, [HOLDER, directory, join(folder, 'runtime'), ADDRESS], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [chunk] = await once(child.stdout, 'data')
    return { child, line: String(chunk).trim() }
  }

  test('is private and knows its version', async () => {
    mkdirSync(data)
    chmodSync(data, 0o755)
    const lock = await lockDataDirectory(data, {}, modules)
    expect(statSync(data).mode & 0o777).toBe(0o700)
    expect(readdirSync(data).sort()).toEqual(['locks', 'version'])
    lock.release()
    expect(readdirSync(join(data, 'locks'))).toEqual([])
  })

  test('of another version, or none, is named', async () => {
    mkdirSync(data)
    for (const [text, message] of [
      ['2\n', /has version 2, this program reads version 1/],
      ['soup', /must hold 1, got "soup"/],
    ] as const) {
      writeFileSync(join(data, 'version'), text)
      await expect(lockDataDirectory(data, {}, modules)).rejects.toMatchObject({
        code: 'DATA_DIRECTORY_UNUSABLE',
        exitCode: 3,
        message: expect.stringMatching(message),
      })
    }
    expect(readdirSync(join(data, 'locks'))).toEqual([])
  })

  test('that is a file is named', async () => {
    writeFileSync(data, '')
    await expect(lockDataDirectory(data, {}, modules)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_UNUSABLE' })
    await expect(lockDataDirectory(join(data, 'x'), {}, modules)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_UNUSABLE',
    })
  })

  test('a second process is told who holds it, and gets it after kill -9', async () => {
    const { child, line } = await hold(data)
    expect(line).toBe('held')
    await expect(lockDataDirectory(data, {}, modules)).rejects.toMatchObject({
      code: 'LOCKED',
      exitCode: 4,
      message: expect.stringContaining(`process ${child.pid}`),
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = await lockDataDirectory(data, {}, modules)
    lock.release()
  })

  // Breaks when only process ids are asked.
  test.each([
    ['of a short path', ''],
    ['of a path too long for a socket', 'long/'.repeat(30)],
  ])('%s: one that another container holds is seen, and free after its kill -9', async (_, deep) => {
    const elsewhere = { ...modules, processes: { ownPid: 1, startedAt: () => undefined } }
    const directory = join(folder, deep, 'data')
    const { child, line } = await hold(directory)
    expect(line).toBe('held')
    await expect(lockDataDirectory(directory, {}, elsewhere)).rejects.toMatchObject({
      code: 'LOCKED',
      exitCode: 4,
      message: expect.stringContaining(`process ${child.pid} of another container`),
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = await lockDataDirectory(directory, {}, elsewhere)
    await expect(lockDataDirectory(directory, {}, elsewhere)).rejects.toMatchObject({ code: 'LOCKED' })
    expect(readdirSync(join(directory, 'locks')).length).toBe(2)
    lock.release()
    expect(readdirSync(join(directory, 'locks'))).toEqual([])
  })

  test('a key is held once on a machine, whatever the directory', async () => {
    const { child } = await hold(data)
    const other = join(folder, 'other')
    await expect(lockDataDirectory(other, { address: ADDRESS }, modules)).rejects.toMatchObject({
      code: 'LOCKED',
      exitCode: 4,
      message: expect.stringContaining(`${ADDRESS} is in use by process ${child.pid}`),
    })
    // The directory it could not use is free again.
    const lock = await lockDataDirectory(other, {}, modules)
    lock.release()
  })

  // Breaks when only the pid is compared.
  test('a lock whose pid was given to a younger process is stale', async () => {
    mkdirSync(join(data, 'locks'), { recursive: true })
    const file = join(data, 'locks', `lock.${process.ppid}.00`)
    writeFileSync(file, JSON.stringify({ pid: process.ppid, startedAt: 'another boot:1' }))
    const lock = await lockDataDirectory(data, {}, modules)
    lock.release()
    const startedAt = machineProcesses.startedAt(process.ppid)
    writeFileSync(file, JSON.stringify({ pid: process.ppid, startedAt }))
    await expect(lockDataDirectory(data, {}, modules)).rejects.toMatchObject({ code: 'LOCKED' })
  })

  test('a lock file that a power loss left empty holds nothing', async () => {
    mkdirSync(join(data, 'locks'), { recursive: true })
    writeFileSync(join(data, 'locks', 'lock.1.00'), '')
    const lock = await lockDataDirectory(data, {}, modules)
    lock.release()
  })

  // Breaks when a contender looks before it puts up its own file.
  test('of many that come at once, never two hold it', async () => {
    const lines = await Promise.all(Array.from({ length: 4 }, async () => (await hold(data)).line))
    expect(lines.filter((line) => line === 'held').length).toBeLessThanOrEqual(1)
    expect(lines.every((line) => line === 'held' || line === 'LOCKED')).toBe(true)
  }, 30_000)
})
