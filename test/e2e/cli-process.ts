import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The program that people run. */
export const PROGRAM = fileURLToPath(new URL('../../node/cli/suprnova.mjs', import.meta.url))

/** A command line in a process of its own. */
export interface CliProcess {
  readonly child: ChildProcess
  /** The first line of stdout; rejects with all of stderr when the process ends without one. */
  readonly firstLine: Promise<string>
  /** How it ended, and all it said. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
}

/** Starts `suprnova` with `argv`. */
export function startCli(
  argv: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; node?: string; program?: string } = {},
): CliProcess {
  const { env = {}, cwd, node = process.execPath, program = PROGRAM } = options
  const child = spawn(node, [program, ...argv], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }))
  const firstLine = Promise.race([
    once(createInterface({ input: child.stdout }), 'line').then(([line]) => line as string),
    ended.then(() => Promise.reject(new Error(`it ended without a line:\n${stderr}`))),
  ])
  firstLine.catch(() => undefined)
  return { child, firstLine, ended }
}
