/** Exit codes of the command line, and what each class of failure means to whoever runs it. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  config: 3,
  locked: 4,
  chain: 5,
  unsafe: 6,
  tryAgain: 75,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/**
 * The base of every error the project throws on purpose.
 * `code` is stable (UPPER_SNAKE), `message` names the field, the value and the limit, `hint` says what to do next.
 */
export class SuprnovaError extends Error {
  override readonly name: string = 'SuprnovaError'
  readonly code: string
  readonly exitCode: ExitCode
  readonly hint: string | undefined
  readonly values: Record<string, unknown>

  constructor(
    code: string,
    message: string,
    options: { exitCode?: ExitCode; hint?: string; values?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.exitCode = options.exitCode ?? EXIT.internal
    this.hint = options.hint
    this.values = options.values ?? {}
  }
}
