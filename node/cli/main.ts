import { homedir } from 'node:os'
import process from 'node:process'
import type { Command } from './command.ts'
import { run } from './run.ts'

const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const

/** Runs the command line of this process and exits with its code. */
async function main(): Promise<void> {
  const ending = new AbortController()
  let endsOnSignal = false
  for (const [name, number] of Object.entries(SIGNALS) as [NodeJS.Signals, number][]) {
    // The first signal asks a long command to end; a second one, or any to a short command, ends the process.
    process.on(name, () => {
      if (!endsOnSignal || ending.signal.aborted) process.exit(128 + number)
      ending.abort()
    })
  }
  // A reader that has seen enough, as in `suprnova key list | head -1`, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  const code = await run(
    process.argv.slice(2),
    {
      env: process.env,
      cwd: process.cwd(),
      homeDir: homedir(),
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      nowMs: () => Date.now(),
    },
    ending.signal,
    (command: Command) => {
      endsOnSignal = command.endsOnSignal
    },
  )
  process.exitCode = code
  await flushed()
  // Sockets kept alive by a client must not keep a finished command waiting.
  process.exit(code)
}

function flushed(): Promise<unknown> {
  return Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
}

await main()
