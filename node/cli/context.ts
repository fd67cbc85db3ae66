import type { Prompt } from './prompt.ts'
import type { ValueSource } from './resolve.ts'

/** Standard output or error; a terminal if it says so, of so many characters and lines. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  /** `taken` is called once it may go on. */
  write(data: string | Uint8Array, taken?: () => void): unknown
}

/** What a command may touch of the process it runs in; tests pass their own. */
export interface Process {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly homeDir: string
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown }
  readonly stdout: Output
  readonly stderr: Output
  nowMs(): number
}

/** What a running command is given besides its values. */
export interface Context {
  readonly process: Process
  readonly prompt: Prompt
  /** Where the value of an option came from. */
  sourceOf(option: string): ValueSource
  /** Aborted by Ctrl-C, SIGTERM or SIGHUP, for commands that end on a signal. */
  readonly signal: AbortSignal
  /** A line for a person who waits, on stderr. */
  note(line: string): void
  /** Bytes on stdout as they are, no faster than they are read. */
  bytes(parts: AsyncIterable<Uint8Array>): Promise<void>
  /** One item of a stream on stdout, for commands that stream. */
  emit(data: unknown, text: string): void
}
