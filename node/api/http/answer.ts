import type { IncomingMessage, ServerResponse } from 'node:http'
import { EXIT, type ExitCode, SuprnovaError, type Timers } from '../../core/index.ts'
import { REQUEST_LIMIT_BYTES, REQUEST_TIMEOUT_MS } from '../constants.ts'
import { RequestError } from '../errors.ts'

/** How an error looks on the wire; the client throws it again as it was. */
export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly hint: string | null
    readonly exitCode: ExitCode
    readonly values: Record<string, unknown>
  }
}

const STATUS_OF_EXIT: Partial<Record<ExitCode, number>> = {
  [EXIT.usage]: 400,
  [EXIT.config]: 400,
  [EXIT.locked]: 409,
  [EXIT.chain]: 502,
  [EXIT.unsafe]: 409,
  [EXIT.tryAgain]: 503,
}

const plain = (_key: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)

/** Answers with one JSON document. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body, plain)}\n`)
}

/** Answers with what went wrong, as the CLI will show it. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = errorBody(error)
  const status = error instanceof RequestError ? error.status : (STATUS_OF_EXIT[body.error.exitCode] ?? 500)
  sendJson(response, status, body)
}

/** An error as it travels; anything unexpected as its text. */
export function errorBody(error: unknown): ErrorBody {
  const known = error instanceof SuprnovaError ? error : new SuprnovaError('INTERNAL', String(error))
  const { code, message, hint = null, exitCode, values } = known
  return { error: { code, message, hint, exitCode, values: JSON.parse(JSON.stringify(values, plain)) } }
}

/**
 * Reads a JSON body of at most {@link REQUEST_LIMIT_BYTES}, within {@link REQUEST_TIMEOUT_MS}.
 * @throws RequestError `BODY_TOO_LARGE`, `BODY_CUT_OFF` or `BODY_NOT_JSON`
 */
export async function readJson(request: IncomingMessage, timers: Timers): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let size = 0
  const cancel = timers.after(REQUEST_TIMEOUT_MS, () => request.destroy())
  try {
    for await (const chunk of request) {
      size += chunk.length
      if (size > REQUEST_LIMIT_BYTES) {
        throw new RequestError(413, 'BODY_TOO_LARGE', `the body is larger than ${REQUEST_LIMIT_BYTES} bytes`, {
          values: { limit: REQUEST_LIMIT_BYTES },
        })
      }
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof SuprnovaError) throw cause
    throw new RequestError(408, 'BODY_CUT_OFF', 'the body broke off, or took too long', { cause })
  } finally {
    cancel()
  }
  let body: unknown
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new RequestError(400, 'BODY_NOT_JSON', 'the body is not JSON', { cause })
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RequestError(400, 'BODY_NOT_JSON', 'the body must be one JSON object')
  }
  return body as Record<string, unknown>
}
