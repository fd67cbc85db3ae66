import type { ExitCode } from '../core/index.ts'
import type { Context } from './context.ts'
import type { Arguments, Options, Values } from './option.ts'

/** What a command found or did, in both forms; which one is printed is not its concern. */
export interface Result {
  /** Printed with `--json`. A bigint becomes a decimal string. */
  readonly data: unknown
  /** Printed without it. */
  readonly text: string
  /** Not 0 when the command ran well and what it found is bad, as with a story that did not end as promised. */
  readonly exitCode?: ExitCode
}

/** A command of the command line, described enough to be parsed, helped and documented. Its name and summary stand in the table. */
export interface Command<O extends Options = Options, A extends Arguments = Arguments> {
  /** Paragraphs for the help: what it does, what it costs, what it never does. */
  readonly description: readonly string[]
  readonly options: O
  readonly args: A
  readonly examples: readonly string[]
  /** What its exit codes other than 0, 1 and 2 mean here. */
  readonly exits: Partial<Record<ExitCode, string>>
  /** Prints as it goes (`context.emit`): with `--json` one document a line. Else the result is the one document. */
  readonly streams: boolean
  /** Ends by itself and cleanly once `context.signal` is aborted by Ctrl-C or SIGTERM. */
  readonly endsOnSignal: boolean
  readonly run: (values: Values<O> & Values<A> & CommonValues, context: Context) => Promise<Result | undefined>
}

/** Options that every command has. */
export interface CommonValues {
  readonly json: boolean
  /** Absolute. */
  readonly dataDir: string
}

/** A command, with what most commands leave out filled in. */
export function defineCommand<O extends Options, A extends Arguments = Record<never, never>>(description: {
  description?: readonly string[]
  options: O
  args?: A
  examples: readonly string[]
  exits?: Partial<Record<ExitCode, string>>
  streams?: boolean
  endsOnSignal?: boolean
  run: (values: Values<O> & Values<A> & CommonValues, context: Context) => Promise<Result | undefined>
}): Command {
  const command: Command<O, A> = {
    description: [],
    args: {} as A,
    exits: {},
    streams: false,
    endsOnSignal: false,
    ...description,
  }
  // The table holds commands of all shapes; `resolve` gives each exactly the values it declared.
  return command as unknown as Command
}
