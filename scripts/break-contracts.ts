// Breaks the contracts on purpose, one promise at a time, and asks whether the Solidity tests notice.
// Each break runs in a copy of the project in a temporary folder; the tree itself is never touched.
//
//   npm run break-contracts            all of them, about a minute each
//   npm run break-contracts -- settle  those whose name contains the word
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BREAKS, type Break } from './contract-breaks.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const COPIED = ['contracts', 'hardhat.config.ts', 'package.json', 'tsconfig.json', 'test/vectors']

/** What one break led to: the names of the tests that failed, or none when nothing noticed. */
interface Outcome {
  readonly name: string
  readonly noticedBy: readonly string[]
  readonly seconds: number
}

async function main(): Promise<void> {
  const wanted = process.argv.slice(2)
  const breaks = BREAKS.filter((one) => wanted.length === 0 || wanted.some((word) => one.name.includes(word)))
  const outcomes: Outcome[] = []
  for (const one of breaks) {
    const outcome = await tryBreak(one)
    outcomes.push(outcome)
    const verdict = outcome.noticedBy.length === 0 ? 'NOT NOTICED' : `noticed by ${outcome.noticedBy.join(', ')}`
    process.stdout.write(`${one.name} (${outcome.seconds} s): ${verdict}\n`)
  }
  const missed = outcomes.filter((outcome) => outcome.noticedBy.length === 0)
  process.stdout.write(`${outcomes.length - missed.length} of ${outcomes.length} breaks noticed\n`)
  if (missed.length > 0) process.exitCode = 1
}

async function tryBreak(one: Break): Promise<Outcome> {
  const started = performance.now()
  const dir = mkdtempSync(join(tmpdir(), 'suprnova-break-'))
  try {
    for (const path of COPIED) cpSync(join(ROOT, path), join(dir, path), { recursive: true })
    const asked = one.tests ?? ['StakeRegistry.invariant.t.sol']
    for (const path of readdirSync(join(dir, 'contracts'), { recursive: true, encoding: 'utf8' })) {
      const isHarness = path.startsWith('testing/')
      if (path.endsWith('.t.sol') && !isHarness && !asked.includes(path)) rmSync(join(dir, 'contracts', path))
    }
    symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'))
    const file = join(dir, 'contracts', one.file)
    const source = readFileSync(file, 'utf8')
    const parts = source.split(one.find)
    if (parts.length !== 2) {
      throw new Error(`break "${one.name}": ${one.file} has ${parts.length - 1} places that read ${one.find}, wanted 1`)
    }
    writeFileSync(file, parts.join(one.replace))
    const output = await run(
      process.execPath,
      [join(ROOT, 'node_modules/hardhat/dist/src/cli.js'), 'test', 'solidity'],
      dir,
    )
    if (/Compilation failed|HHE\d+/.test(output) && !/\bfailing\b/.test(output)) {
      throw new Error(`break "${one.name}" does not compile:\n${output.slice(-2_000)}`)
    }
    const noticedBy = [...output.matchAll(/^\s+\d+\) (?!.*#)(\w+)\(/gm)].map((match) => match[1] ?? '')
    return { name: one.name, noticedBy, seconds: Math.round((performance.now() - started) / 1_000) }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Runs a program to its end and returns all it printed, whatever its exit code. */
function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', () => resolve(output))
  })
}

await main()
