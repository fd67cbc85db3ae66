import { EXIT, SuprnovaError } from '../core/index.ts'

/** The command line was not understood: exit 2. */
export class UsageError extends SuprnovaError {
  override readonly name = 'UsageError'
  constructor(code: string, message: string, options: { hint?: string; values?: Record<string, unknown> } = {}) {
    super(code, message, { ...options, exitCode: EXIT.usage })
  }
}

/** A config file, key, password or data directory is not usable: exit 3. */
export class ConfigError extends SuprnovaError {
  override readonly name = 'ConfigError'
  constructor(
    code: string,
    message: string,
    options: { hint?: string; values?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(code, message, { ...options, exitCode: EXIT.config })
  }
}

/** What must run does not yet: exit 75. */
export class TryAgainError extends SuprnovaError {
  override readonly name = 'TryAgainError'
  constructor(
    code: string,
    message: string,
    options: { hint?: string; values?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(code, message, { ...options, exitCode: EXIT.tryAgain })
  }
}

/** The `code` of a system error such as ENOENT, if it is one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
