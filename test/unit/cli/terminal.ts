import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { Process } from '../../../node/cli/context.ts'
import { run } from '../../../node/cli/run.ts'

/** What one command line printed, and how it ended. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A process that a command line can run in, without a process. */
export interface TestProcess {
  readonly home: string
  readonly env: Record<string, string>
  /** What a command sees of it. */
  readonly process: Process
  run(argv: readonly string[], options?: { typed?: string; stdin?: string }): Promise<Ran>
  remove(): void
}

export function createTestProcess(changes: Partial<Process> = {}): TestProcess {
  const home = mkdtempSync(join(tmpdir(), 'suprnova-cli-'))
  const env: Record<string, string> = {}
  const processWith = (stdin: Process['stdin'], stdout: Collected, stderr: Collected): Process => {
    return { env, cwd: home, homeDir: home, stdin, stdout, stderr, nowMs: () => 0, ...changes }
  }
  return {
    home,
    env,
    process: processWith(new PassThrough(), new Collected(), new Collected()),
    remove: () => rmSync(home, { recursive: true }),
    async run(argv, options = {}) {
      const stdout = new Collected()
      const stderr = new Collected()
      const code = await run(argv, processWith(input(options, stderr), stdout, stderr), new AbortController().signal)
      return { code, stdout: stdout.text, stderr: stderr.text }
    },
  }
}

class Collected {
  text = ''
  onWrite: ((text: string) => void) | undefined
  write(data: string | Uint8Array, taken?: () => void): void {
    const text = typeof data === 'string' ? data : Buffer.from(data).toString('utf8')
    this.text += text
    this.onWrite?.(text)
    taken?.()
  }
}

/** A terminal on which a line of `typed` is typed at each question, or a pipe with `stdin` in it. */
function input(options: { typed?: string; stdin?: string }, stderr: Collected): Process['stdin'] {
  const stream = new PassThrough()
  if (options.typed === undefined) {
    stream.end(options.stdin ?? '')
    return stream
  }
  const lines = options.typed.split('\n')
  let isRaw = false
  stderr.onWrite = (text) => {
    const line = text.endsWith(': ') ? lines.shift() : undefined
    if (line === undefined) return
    setImmediate(() => {
      // A terminal shows what is typed unless it was told not to.
      if (!isRaw) stderr.write(`${line}\n`)
      stream.write(`${line}\n`)
    })
  }
  const setRawMode = (raw: boolean): void => {
    isRaw = raw
  }
  return Object.assign(stream, { isTTY: true, setRawMode })
}
