import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'

/** What a runner reported of itself. */
export interface Tally {
  readonly passed: number
  readonly failed: number
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const COLUMNS = 72

const running = new Set<ChildProcess>()
for (const signal of FORWARDED) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal)
    process.exitCode = 128 + constants.signals[signal]
    if (running.size === 0) process.exit()
  })
}

/** Whether this process was told to end; nothing new is begun then. */
export function isEnding(): boolean {
  return process.exitCode !== undefined && Number(process.exitCode) > 128
}

/**
 * Runs one command with its output shown, under a headline, and says how long it took. Resolves with its exit code.
 * @param options `isBeside`: others run meanwhile, so its output is shown in one piece when it is over
 */
export async function step(
  title: string,
  command: string,
  args: readonly string[],
  { isBeside = false }: { readonly isBeside?: boolean } = {},
): Promise<number> {
  if (isEnding()) return 1
  const startedAt = performance.now()
  const headline = `\n── ${title} ${'─'.repeat(Math.max(3, COLUMNS - title.length))}`
  console.log(isBeside ? `${headline}\n(beside what follows; shown when it is over)` : headline)
  const output: Buffer[] = []
  const code = await run(command, args, isBeside ? output : undefined)
  if (isBeside) {
    console.log(headline)
    process.stdout.write(Buffer.concat(output))
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`── ${title}: ${code === 0 ? 'ok' : `FAILED (exit code ${code})`}, ${seconds} s`)
  return code
}

async function run(command: string, args: readonly string[], output: Buffer[] | undefined): Promise<number> {
  return await new Promise((resolve, reject) => {
    const shown = output === undefined ? 'inherit' : 'pipe'
    const child = spawn(command, args, { stdio: ['ignore', shown, shown] })
    running.add(child)
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output?.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      running.delete(child)
      resolve(code ?? 128 + constants.signals[signal as NodeJS.Signals])
    })
  })
}
