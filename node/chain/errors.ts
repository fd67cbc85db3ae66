import { EXIT, type ExitCode, SuprnovaError } from '../core/index.ts'

interface ChainErrorOptions {
  exitCode?: ExitCode
  hint?: string
  values?: Record<string, unknown>
  cause?: unknown
}

/** Anything that went wrong between this node and its chain. Exit code 5 unless trying again can help (75). */
export class ChainError extends SuprnovaError {
  override readonly name: string = 'ChainError'

  constructor(code: string, message: string, options: ChainErrorOptions = {}) {
    super(code, message, { ...options, exitCode: options.exitCode ?? EXIT.chain })
  }
}

/** The name does not lead to a coordinator this node can speak with. */
export class EnsError extends ChainError {
  override readonly name: string = 'EnsError'
}

/** The pin on disk cannot be read, or the chain is not the one it names. */
export class PinError extends ChainError {
  override readonly name: string = 'PinError'
}

/** No RPC gave an answer. Another try may. */
export class RpcUnavailableError extends ChainError {
  override readonly name: string = 'RpcUnavailableError'

  constructor(message: string, options: ChainErrorOptions = {}) {
    super('RPC_UNAVAILABLE', message, { exitCode: EXIT.tryAgain, ...options })
  }
}

/** A contract refused a call. `code` is `CONTRACT_` and the name of its custom error; `values` are its arguments. */
export class ContractRefusedError extends ChainError {
  override readonly name: string = 'ContractRefusedError'
}
