import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Logger, SuprnovaError, type Timers } from '../../core/index.ts'
import { CONNECTION_LIMIT, REQUEST_TIMEOUT_MS, SOCKET_PATH_LIMIT_BYTES } from '../constants.ts'
import { ConfigError, RequestError } from '../errors.ts'
import { readJson, sendError, sendJson } from './answer.ts'
import { answerDht } from './dht-routes.ts'
import { faultIdOf, payloadOf, topicOf } from './fields.ts'
import type { NodeApi } from './node-api.ts'
import { drain } from './state-body.ts'
import { Subscriptions } from './subscriptions.ts'
import { targetOf } from './target.ts'

function unknownRoute(method: string, path: string): RequestError {
  return new RequestError(404, 'NO_SUCH_ROUTE', `there is no ${method} ${path.slice(0, 100)}`, {
    values: { method, path },
  })
}

/**
 * The node's own API, on a Unix socket that only its user can open. Whoever can open it may speak with the node's
 * stake, so it is never offered on a network.
 */
export class LocalServer {
  readonly #server: Server
  readonly #subscriptions = new Subscriptions()
  readonly #path: string
  readonly #timers: Timers

  constructor(options: { socketPath: string }, modules: { api: NodeApi; timers: Timers; logger: Logger }) {
    const { api, logger, timers } = modules
    this.#timers = timers
    if (Buffer.byteLength(options.socketPath) > SOCKET_PATH_LIMIT_BYTES) {
      throw new ConfigError(
        'dataDir',
        options.socketPath,
        `short enough that its socket's path fits ${SOCKET_PATH_LIMIT_BYTES} bytes`,
        'choose a data directory with a shorter path',
      )
    }
    this.#path = options.socketPath
    this.#server = createServer((request, response) => {
      this.#answer(api, request, response).catch(async (error: unknown) => {
        if (!(error instanceof SuprnovaError)) logger.error('request failed', { url: request.url, error })
        await drain(request, timers)
        sendError(response, error)
      })
    })
    this.#server.maxConnections = CONNECTION_LIMIT
    this.#server.headersTimeout = REQUEST_TIMEOUT_MS
    // A value may be long in coming, from a pipe or because replicas take their time: bodies have limits of their own.
    this.#server.requestTimeout = 0
  }

  /** Takes over a socket file that a killed process left: the data directory's lock says there is no other. */
  async start(): Promise<void> {
    await rm(this.#path, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#path, resolve)
    })
    await chmod(this.#path, 0o600)
  }

  /** Ends streams and idle connections, lets answers under way finish, and removes the socket. */
  async close(): Promise<void> {
    this.#subscriptions.close()
    if (!this.#server.listening) return
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
    })
  }

  async #answer(api: NodeApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = targetOf(request)
    const route = `${request.method} ${path}`
    const fault = /^\/evidence\/([^/]+)(\/submit)?$/.exec(path)
    if (route === 'GET /status') return sendJson(response, 200, await api.status())
    if (route === 'GET /guard') return sendJson(response, 200, await api.exportGuard())
    if (route === 'GET /registry') return sendJson(response, 200, api.registrySnapshot())
    if (route === 'GET /evidence') return sendJson(response, 200, { faults: api.evidence() })
    if (route === 'GET /gossip/subscribe') {
      return this.#subscriptions.open(api, topicOf(query.get('topic')), response)
    }
    if (route === 'POST /gossip/publish') {
      const body = await readJson(request, this.#timers)
      return sendJson(response, 200, await api.publish(topicOf(body.topic), payloadOf(body.payload)))
    }
    if (route === 'POST /shutdown') {
      sendJson(response, 202, { stopping: true })
      return api.shutdown()
    }
    if (
      path.startsWith('/dht/') &&
      (await answerDht({ api, timers: this.#timers }, { path, query }, request, response))
    )
      return
    const wanted = fault?.[2] === undefined ? 'GET' : 'POST'
    if (fault?.[1] === undefined || request.method !== wanted) throw unknownRoute(request.method ?? '', path)
    const faultId = faultIdOf(fault[1])
    const found = wanted === 'GET' ? api.bundle(faultId) : await api.submit(faultId)
    if (found === undefined) {
      throw new RequestError(404, 'UNKNOWN_FAULT', `this node has no evidence of fault ${faultId}`, {
        hint: 'list what it has with `suprnova evidence list`',
        values: { faultId },
      })
    }
    sendJson(response, 200, found)
  }
}
