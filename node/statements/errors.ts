import { EXIT, type ExitCode, SuprnovaError } from '../core/index.ts'

/** Bytes that are not what they claim to be. `field` names the first wrong one. */
export class DecodeError extends SuprnovaError {
  override readonly name = 'DecodeError'
  readonly field: string

  constructor(
    what: 'frame' | 'body' | 'evidence' | 'bundle',
    field: string,
    problem: string,
    options: { hint?: string; exitCode?: ExitCode; cause?: unknown } = {},
  ) {
    super(`BAD_${what.toUpperCase()}`, `${what} ${field}: ${problem}`, {
      ...options,
      exitCode: options.exitCode ?? EXIT.usage,
      values: { field },
    })
    this.field = field
  }
}

/** A value that has no valid encoding, so that no node would accept it. */
export class EncodeError extends SuprnovaError {
  override readonly name = 'EncodeError'
  readonly field: string

  constructor(what: 'frame' | 'body' | 'bundle' | 'statement', field: string, problem: string, hint?: string) {
    super(`UNENCODABLE_${what.toUpperCase()}`, `${what} ${field}: ${problem}`, {
      exitCode: EXIT.usage,
      values: { field },
      ...(hint === undefined ? {} : { hint }),
    })
    this.field = field
  }
}
