import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makePrivateDirectory } from '../../../node/store/index.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'suprnova-make-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

it('makes what is missing, for this user alone, and leaves what is there', () => {
  makePrivateDirectory(join(dir, 'a', 'b'))
  makePrivateDirectory(join(dir, 'a', 'b'))
  for (const path of ['a', 'a/b']) expect(statSync(join(dir, path)).mode & 0o777).toBe(0o700)
})

it('does not take a file for a directory', () => {
  writeFileSync(join(dir, 'file'), '')
  expect(() => makePrivateDirectory(join(dir, 'file'))).toThrow('EEXIST')
  expect(() => makePrivateDirectory(join(dir, 'file', 'a'))).toThrow('ENOTDIR')
})

// Catches `mkdirSync(path, { recursive: true })`, which tries for ever under /proc.
it.runIf(process.platform === 'linux')('gives up where nothing can be made', () => {
  expect(() => makePrivateDirectory('/proc/nowhere/keys')).toThrow('ENOENT')
})
