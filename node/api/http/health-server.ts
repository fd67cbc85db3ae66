import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EXIT, SuprnovaError } from '../../core/index.ts'
import { CONNECTION_LIMIT, REQUEST_TIMEOUT_MS } from '../constants.ts'
import { RequestError } from '../errors.ts'
import { sendError, sendJson } from './answer.ts'
import type { HealthApi } from './node-api.ts'
import { targetOf } from './target.ts'

/** /health, /ready and /metrics for monitoring, on loopback. Nothing here can make the node do or say anything. */
export class HealthServer {
  readonly #server: Server
  readonly #options: { readonly host: string; readonly port: number }

  constructor(options: { host: string; port: number }, modules: { api: HealthApi }) {
    this.#options = options
    this.#server = createServer((request, response) => {
      try {
        answer(modules.api, targetOf(request).path, response)
      } catch (error) {
        sendError(response, error)
      }
    })
    this.#server.maxConnections = CONNECTION_LIMIT
    this.#server.requestTimeout = REQUEST_TIMEOUT_MS
  }

  /**
   * @returns the port, also when 0 was asked for
   * @throws SuprnovaError `HTTP_PORT` when the port cannot be had
   */
  async start(): Promise<number> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const message = `http cannot listen on ${host}:${port} (${cause.code})`
        const hint = 'choose a free port with --http, or 0 for any'
        reject(new SuprnovaError('HTTP_PORT', message, { exitCode: EXIT.config, hint, cause, values: { host, port } }))
      })
      this.#server.listen(port, host, resolve)
    })
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}

function answer(api: HealthApi, path: string, response: ServerResponse): void {
  const report = (problems: readonly string[]) =>
    sendJson(response, problems.length === 0 ? 200 : 503, { ok: problems.length === 0, problems })
  if (path === '/health') report(api.problems())
  else if (path === '/ready') report(api.unready())
  else if (path === '/metrics') {
    const text = api.metricsText()
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
    response.end(text)
  } else throw new RequestError(404, 'NO_SUCH_ROUTE', 'there is /health, /ready and /metrics')
}
