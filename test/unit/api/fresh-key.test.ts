import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { declareFreshKey, takeFreshKey } from '../../../node/api/fresh-key.ts'
import type { Address } from '../../../node/core/index.ts'

const KEY: Address = `0x${'1a'.repeat(20)}`
const OTHER: Address = `0x${'2b'.repeat(20)}`

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'suprnova-fresh-'))
})
afterEach(() => rm(dir, { recursive: true }))

it('holds for one start of the key it names', async () => {
  await declareFreshKey(dir, KEY)
  expect(await takeFreshKey(dir, KEY)).toBe(true)
  expect(await takeFreshKey(dir, KEY)).toBe(false)
  expect(await readdir(dir)).toEqual([])
})

it('does not hold for another key, and is gone all the same', async () => {
  await declareFreshKey(dir, KEY)
  expect(await takeFreshKey(dir, OTHER)).toBe(false)
  expect(await takeFreshKey(dir, KEY)).toBe(false)
})

// Catches a note that does not name the boot: a backup taken before the first start, restored after a lost disk, would
// let a key that has spoken begin at index 0 of the same epoch again.
it('does not hold after a boot, nor on another machine', async () => {
  await declareFreshKey(dir, KEY, 'boot-1')
  expect(await takeFreshKey(dir, KEY, 'boot-2')).toBe(false)
})

it('does not hold when the note names no boot', async () => {
  await writeFile(join(dir, 'fresh-key'), `${KEY}\n`)
  expect(await takeFreshKey(dir, KEY)).toBe(false)
})
