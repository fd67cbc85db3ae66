/**
 * Builds what the published package holds: JavaScript and types in dist/, beside the compiled contracts and the launcher,
 * which is the same file here and there. npm runs it before it packs. Types are not stripped inside node_modules, so the
 * package cannot hold the sources as they run here.
 */
import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureContractsBuilt } from '../node/lab/index.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

await ensureContractsBuilt({ log: (line) => console.error(line) })
await rm(join(root, 'dist'), { recursive: true, force: true })
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
