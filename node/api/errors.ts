import { EXIT, SuprnovaError } from '../core/index.ts'

/** A setting is missing, of the wrong kind or past its limit. Names the field, the value and the limit. */
export class ConfigError extends SuprnovaError {
  override readonly name = 'ConfigError'

  constructor(field: string, value: unknown, limit: string, hint?: string) {
    const shown = value === undefined ? 'is missing' : `is ${JSON.stringify(value)?.slice(0, 200)}`
    super('CONFIG_INVALID', `${field} ${shown}; it must be ${limit}`, {
      exitCode: EXIT.config,
      values: { field, value, limit },
      ...(hint === undefined ? {} : { hint }),
    })
  }
}

/** No node answers on this data directory's socket. */
export class NodeNotRunningError extends SuprnovaError {
  override readonly name = 'NodeNotRunningError'

  constructor(socketPath: string, cause?: unknown) {
    super('NODE_NOT_RUNNING', `no node answers at ${socketPath}`, {
      exitCode: EXIT.tryAgain,
      hint: 'start one with `suprnova node run`, or name its directory with --data-dir',
      values: { socketPath },
      cause,
    })
  }
}

/** A node has the socket open and does not answer. */
export class NodeSilentError extends SuprnovaError {
  override readonly name = 'NodeSilentError'

  constructor(socketPath: string, timeoutMs: number, cause?: unknown) {
    super('NODE_SILENT', `the node at ${socketPath} gave no answer within ${timeoutMs / 1000} s`, {
      exitCode: EXIT.tryAgain,
      hint: 'is it stopped, or the machine very busy? try again, or end the process',
      values: { socketPath, timeoutMs },
      cause,
    })
  }
}

/** A node ended, or its connection broke, while a value was on its way. */
export class NodeGoneError extends SuprnovaError {
  override readonly name = 'NodeGoneError'

  constructor(socketPath: string, cause?: unknown) {
    super('NODE_GONE', `the node at ${socketPath} broke off half-way`, {
      exitCode: EXIT.tryAgain,
      hint: 'is it still running? see `suprnova node status`, and try again',
      values: { socketPath },
      cause,
    })
  }
}

/** A request to a node's API that cannot be answered. `status` is the HTTP status. */
export class RequestError extends SuprnovaError {
  override readonly name = 'RequestError'
  readonly status: number

  constructor(
    status: number,
    code: string,
    message: string,
    options: ConstructorParameters<typeof SuprnovaError>[2] = {},
  ) {
    super(code, message, { exitCode: EXIT.usage, ...options })
    this.status = status
  }
}
