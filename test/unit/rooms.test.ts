import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { brokenRoomRules } from './room-rules.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))

describe('the rooms of this project', () => {
  it('import only earlier rooms, by their faces, without cycles', async () => {
    expect(await brokenRoomRules(project)).toEqual([])
  })
})

describe('the rule of rooms, on trees that break it', () => {
  let root: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'suprnova-rooms-'))
    write('node/core/index.ts', 'export const one = 1\n')
  })

  afterEach(() => {
    rmSync(root, { recursive: true })
  })

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }

  it('takes a tree that keeps it', async () => {
    write('node/store/index.ts', "import { one } from '../core/index.ts'\nexport const two = one + one\n")
    write('node/cli/run.mjs', "export { two } from '../store/index.ts'\n")
    write('node/index.ts', "export { two } from './store/index.ts'\n")
    expect(await brokenRoomRules(root)).toEqual([])
  })

  it.each([
    [
      'a room that knows a later one',
      'node/core/late.ts',
      "import { x } from '../chain/index.ts'\n",
      'may not know chain',
    ],
    ['neighbours', 'node/store/side.ts', "import { x } from '../statements/index.ts'\n", 'may not know statements'],
    ['types alone', 'node/net/side.ts', "import type { X } from '../chain/index.ts'\n", 'may not know chain'],
    ['types handed on', 'node/net/side.ts', "export type { X } from '../chain/index.ts'\n", 'may not know chain'],
    [
      'an import over several lines',
      'node/core/a.ts',
      "import type {\n  X,\n} from '../api/index.ts'\n",
      'may not know api',
    ],
    [
      'an import at run time',
      'node/core/late.ts',
      "export const x = () => import('../cli/index.ts')\n",
      'may not know cli',
    ],
    ['a room entered past its face', 'node/api/a.ts', "import { one } from '../core/bytes.ts'\n", 'past the face'],
    ['code outside the rooms', 'node/lab/a.ts', "import { x } from '../../scripts/x.ts'\n", 'outside node/'],
    ['a room nobody knows', 'node/shared/a.ts', 'export {}\n', 'stands in no room'],
    ['a folder called as the package', 'node/package/a.ts', 'export {}\n', 'stands in no room'],
    [
      'the face of the package past a face',
      'node/index.ts',
      "export { one } from './core/bytes.ts'\n",
      'past the face',
    ],
    ['a room that knows the package', 'node/cli/a.ts', "import { x } from '../index.ts'\n", 'may not know package'],
    ['a folder nobody knows', 'lib/a.ts', 'export {}\n', 'lib/ is no folder of this project'],
  ])('reports %s', async (_what, path, text, wanted) => {
    write(path, text)
    expect(await brokenRoomRules(root)).toEqual([expect.stringContaining(wanted)])
  })

  it('lets files of one room know each other by types alone', async () => {
    write('node/core/a.ts', "import type { B } from './b.ts'\nexport interface A { b: B }\n")
    write('node/core/b.ts', "import type { A } from './a.ts'\nexport type B = { a?: A }\n")
    expect(await brokenRoomRules(root)).toEqual([])
  })

  it('reports a cycle within a room', async () => {
    write('node/core/a.ts', "import { b } from './b.ts'\nexport const a = b\n")
    write('node/core/b.ts', "import { c } from './inner/c.ts'\nexport const b = c\n")
    write('node/core/inner/c.ts', "import { a } from '../a.ts'\nexport const c = a\n")
    expect(await brokenRoomRules(root)).toEqual([
      'import cycle: node/core/a.ts -> node/core/b.ts -> node/core/inner/c.ts -> node/core/a.ts',
    ])
  })
})
