import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fileMirror, lockDataDirectory, machineEnvironment } from '../../../node/store/index.ts'

const ADDRESS = `0x${'11'.repeat(20)}` as const
const DOMAIN = { chainId: 31_337n, verifyingContract: `0x${'cd'.repeat(20)}`, salt: `0x${'ef'.repeat(32)}` } as const

function makeOpen(path: string, mode: number): void {
  mkdirSync(path)
  chmodSync(path, mode)
}

// The runtime directory's name is known to everybody, and its parent is open to all: another user may be there first.
describe('runtime directory', () => {
  let folder = ''
  let runtimeDirectory = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'suprnova-runtime-'))
    runtimeDirectory = join(folder, 'runtime')
  })
  afterEach(() => {
    vi.restoreAllMocks()
    rmSync(folder, { recursive: true, force: true })
  })

  const environment = () =>
    machineEnvironment(
      { dataDirectory: folder, address: ADDRESS, domain: DOMAIN },
      { clock: { nowMs: () => 0 }, reference: () => undefined, runtimeDirectory },
    )

  // Each breaks when the directory is taken as it is found.
  test.each<[string, RegExp, (path: string, other: string) => void]>([
    ['a link to a directory', /symbolic link/, (path, other) => symlinkSync(other, path)],
    ['a link to nowhere', /symbolic link/, (path) => symlinkSync('/nowhere/at/all', path)],
    ['a file', /not a directory/, (path) => writeFileSync(path, '')],
    ['open to all', /others may use it \(mode 0777\)/, (path) => makeOpen(path, 0o777)],
    ['open to its group', /others may use it \(mode 0710\)/, (path) => makeOpen(path, 0o710)],
  ])('that is %s is refused, and nothing is written there', async (_, why, make) => {
    const other = join(folder, 'other')
    mkdirSync(other, { mode: 0o700 })
    make(runtimeDirectory, other)
    const refusal = {
      code: 'RUNTIME_DIRECTORY_UNSAFE',
      exitCode: 3,
      message: expect.stringMatching(why),
      hint: expect.stringContaining('remove it'),
    }
    await expect(
      lockDataDirectory(join(folder, 'data'), { address: ADDRESS }, { runtimeDirectory }),
    ).rejects.toMatchObject(refusal)
    expect(environment).toThrow(expect.objectContaining(refusal))
    expect(readdirSync(other)).toEqual([])
    expect(readdirSync(join(folder, 'data', 'locks'))).toEqual([])
  })

  test('of another user is refused', () => {
    mkdirSync(runtimeDirectory, { mode: 0o700 })
    const own = process.getuid?.() ?? 0
    vi.spyOn(process, 'getuid').mockReturnValue(own + 1)
    expect(environment).toThrow(`belongs to user ${own}, not to ${own + 1}`)
  })

  test('is made private, and stays good', () => {
    environment()
    expect(environment().mirror.read()).toBeUndefined()
  })

  test('a mirror that is a link is neither read nor written', () => {
    const target = join(folder, 'target')
    mkdirSync(runtimeDirectory, { mode: 0o700 })
    const path = join(runtimeDirectory, 'mirror')
    const record = { bootId: 'b', guardId: 'g', sequence: 10, clockOffsetMs: 123 }
    const mirror = fileMirror(target)
    mirror.write(record)
    mirror.close()
    const before = readFileSync(target, 'latin1')
    symlinkSync(target, path)
    const linked = fileMirror(path)
    const refusal = expect.objectContaining({ code: 'RUNTIME_DIRECTORY_UNSAFE' })
    expect(() => linked.read()).toThrow(refusal)
    expect(() => linked.write({ ...record, sequence: 11 })).toThrow(refusal)
    expect(readFileSync(target, 'latin1')).toBe(before)
  })
})
