import { InternalRpcError, LimitExceededRpcError, ResourceUnavailableRpcError, RpcError, RpcRequestError } from 'viem'
import type { Timers } from '../core/index.ts'

/** Sends one JSON-RPC request to one endpoint. */
export type Requester = (args: { method: string; params?: unknown }) => Promise<unknown>

/** An endpoint did not answer in time. */
export class RpcTimeoutError extends Error {
  override readonly name = 'RpcTimeoutError'

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`)
  }
}

/** `answer`, or {@link RpcTimeoutError} after `timeoutMs`. */
export function withTimeout<T>(answer: Promise<T>, timeoutMs: number, timers: Timers): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(timeoutMs, () => reject(new RpcTimeoutError(timeoutMs)))
    answer.then(resolve, reject).finally(cancel)
  })
}

/**
 * Whether another RPC may do better: it was not reached, timed out, or pleads overload. A refusal of the chain itself
 * (a revert, a used nonce) is an answer, the same everywhere.
 */
export function canAnotherAnswer(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof LimitExceededRpcError || cause instanceof ResourceUnavailableRpcError) return true
    // Hardhat reverts with this code too, but then says with which data.
    if (cause instanceof InternalRpcError) return !carriesData(cause)
    if (cause instanceof RpcError || cause instanceof RpcRequestError) return false
  }
  return typeof (error as { code?: unknown }).code !== 'number'
}

function carriesData(error: Error): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ('data' in cause && cause.data !== undefined) return true
  }
  return false
}
