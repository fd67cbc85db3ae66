import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { SuprnovaError } from '../../core/index.ts'

/** How long a process may take to end by itself before it is killed. */
const GRACE_MS = 10_000
/** How much of what a process said is kept to explain its failure. */
const KEPT_LINES = 40

/** A process the lab began. */
export interface Running {
  readonly name: string
  readonly pid: number
  /** Resolves with how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Whether it still runs. */
  alive(): boolean
  /** Its newest lines on stderr. */
  lastWords(): string[]
  /** Sends one line to its standard input. */
  tell(line: string): void
  /** Ends it in order; kills it when it does not end in time. */
  stop(): Promise<void>
  /** kill -9. */
  kill(): Promise<void>
}

export interface StartOptions {
  /** Shown in errors. */
  readonly name: string
  /** What Node runs, and its arguments. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Takes each line of standard output. */
  readonly onLine?: (line: string) => void
}

/** All processes of one lab: whatever was begun can be ended at once. */
export class Processes {
  readonly #running = new Set<Running>()
  #closed = false
  readonly #onExit = () => {
    for (const { pid } of this.#running) killNow(pid)
  }

  constructor() {
    // A second Ctrl-C ends the lab at once: its processes must not stay behind.
    process.on('exit', this.#onExit)
  }

  /**
   * Begins a Node process in a session of its own, so that a terminal's Ctrl-C reaches only the lab, which then ends
   * its processes in order.
   * @throws SuprnovaError `LAB_CLOSED` after {@link Processes.stop}
   */
  start(options: StartOptions): Running {
    if (this.#closed) throw new SuprnovaError('LAB_CLOSED', `the lab is ending: ${options.name} is not started`)
    const child = spawn(process.execPath, [...options.args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...options.env },
      detached: true,
    })
    const running = follow(child, options)
    this.#running.add(running)
    running.ended.finally(() => this.#running.delete(running))
    return running
  }

  /** Ends all of them at once, and lets none be started afterwards. */
  async stop(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#running].map((running) => running.stop()))
    process.off('exit', this.#onExit)
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function follow(child: ChildProcess, options: StartOptions): Running {
  const words: string[] = []
  const keep = (line: string) => {
    words.push(line)
    if (words.length > KEPT_LINES) words.shift()
  }
  child.stdin?.on('error', () => keep('(its standard input is closed)'))
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => options.onLine?.(line))
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', keep)
  child.on('error', (error) => keep(String(error)))
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const alive = () => child.exitCode === null && child.signalCode === null && child.pid !== undefined
  const signalled = async (signal: NodeJS.Signals) => {
    if (!alive()) return
    const exited = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await exited
    clearTimeout(timer)
  }
  return {
    name: options.name,
    pid: child.pid ?? -1,
    ended,
    alive,
    lastWords: () => [...words],
    tell: (line) => void child.stdin?.write(`${line}\n`),
    stop: () => signalled('SIGTERM'),
    kill: () => signalled('SIGKILL'),
  }
}
