// Breaks the DHT on purpose, one promise at a time, and asks whether the simulation notices.
// Each break runs in a copy of the sources in a temporary folder; the tree itself is never touched.
//
//   node scripts/on-node24.mjs scripts/break-dht.ts          all of them, up to 60 seeds each
//   node scripts/on-node24.mjs scripts/break-dht.ts floor    those whose name contains the word
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BREAKS, type Break } from './dht-breaks.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const COPIED = ['node', 'scripts/storm.ts', 'package.json', 'tsconfig.json']
const SEEDS = 60

const wanted = process.argv.slice(2)
const breaks = BREAKS.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)))
const missed = breaks.filter((one) => !isNoticed(one))
process.stdout.write(`${breaks.length - missed.length} of ${breaks.length} breaks noticed\n`)
if (missed.length > 0) process.exitCode = 1

function isNoticed({ file, find, name, replace }: Break): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'suprnova-break-'))
  try {
    for (const path of COPIED) cpSync(join(ROOT, path), join(dir, path), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
    const path = join(dir, 'node', file)
    const parts = readFileSync(path, 'utf8').split(find)
    if (parts.length !== 2) throw new Error(`break "${name}": ${file} has ${parts.length - 1} such places, wanted 1`)
    writeFileSync(path, parts.join(replace))
    const run = spawnSync(process.execPath, [join(dir, 'scripts/storm.ts'), '0', `${SEEDS}`, '--first'], {
      encoding: 'utf8',
    })
    const lines = (run.stdout + run.stderr).trim().split('\n')
    const seed = lines.find((line) => line.startsWith('seed '))
    const words = seed === undefined ? `NOT NOTICED in ${SEEDS} seeds: ${lines.at(-1)}` : `${seed}, ${lines[1]?.trim()}`
    process.stdout.write(`${name}: ${words}\n`)
    return seed !== undefined
  } finally {
    rmSync(dir, { recursive: true })
  }
}
