import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'

/** What a runner reported of itself. */
export interface Tally {
  readonly passed: number
  readonly failed: number
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const COLUMNS = 72

let running: ChildProcess | undefined
for (const signal of FORWARDED) {
  process.on(signal, () => {
    running?.kill(signal)
    process.exitCode = 128 + constants.signals[signal]
    if (running === undefined) process.exit()
  })
}

/** Whether this process was told to end; nothing new is begun then. */
export function isEnding(): boolean {
  return process.exitCode !== undefined && Number(process.exitCode) > 128
}

/** Runs one command with its output shown, under a headline, and says how long it took. Resolves with its exit code. */
export async function step(
  title: string,
  command: string,
  args: readonly string[],
  env = process.env,
): Promise<number> {
  if (isEnding()) return 1
  const startedAt = performance.now()
  console.log(`\n── ${title} ${'─'.repeat(Math.max(3, COLUMNS - title.length))}`)
  const code = await run(command, args, env)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`── ${title}: ${code === 0 ? 'ok' : `FAILED (exit code ${code})`}, ${seconds} s`)
  return code
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env })
    running = child
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      running = undefined
      resolve(code ?? 128 + constants.signals[signal as NodeJS.Signals])
    })
  })
}
