import { EXIT, SuprnovaError } from '../../core/index.ts'

/** A request that got no answer, or a refusal. */
export class RequestTransportError extends SuprnovaError {
  override readonly name = 'RequestTransportError'
}

const of = (code: string, message: string, values: Record<string, unknown>, hint?: string) =>
  new RequestTransportError(code, message, { exitCode: EXIT.tryAgain, values, ...(hint === undefined ? {} : { hint }) })

export const unreachable = (to: string, why: string) =>
  of('REQUEST_UNREACHABLE', `${to} cannot be reached: ${why}`, { to, why }, 'its node may be away')
export const timedOut = (to: string, timeoutMs: number) =>
  of('REQUEST_TIMEOUT', `${to} did not answer within ${timeoutMs} ms`, { to, timeoutMs })
export const lost = (to: string) => of('REQUEST_LOST', `the connection to ${to} ended before its answer`, { to })
export const busy = (to: string, waiting: number) =>
  of('REQUEST_BUSY', `${waiting} requests wait for ${to} already`, { to, waiting }, 'ask less at a time')
export const refused = (to: string, reason: string) => of('REQUEST_REFUSED', `${to} refused: ${reason}`, { to, reason })
export const tooLarge = (bytes: number, limit: number) =>
  new RequestTransportError('REQUEST_TOO_LARGE', `a request or answer of ${bytes} bytes, the limit is ${limit}`, {
    values: { bytes, limit },
  })
