import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Hex, SuprnovaError } from '../core/index.ts'
import { ANSWER_TIMEOUT_MS, SOCKET_NAME } from './constants.ts'
import { NodeNotRunningError, NodeSilentError } from './errors.ts'
import type { ErrorBody } from './http/answer.ts'
import type { GossipLine } from './http/node-api.ts'
import type { FaultStatus, NodeStatus } from './status.ts'

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Talks to the node that runs on a data directory.
 * @example
 *   const node = new NodeClient('/home/me/.suprnova')
 *   console.log((await node.status()).peers.length)
 * @throws NodeNotRunningError from every call when none runs there
 * @throws NodeSilentError from every call but `subscribe` when it does not answer in time
 * @throws SuprnovaError the node's own errors, with their codes
 */
export class NodeClient {
  readonly socketPath: string
  readonly #timeoutMs: number

  constructor(dataDir: string, options: { readonly timeoutMs?: number } = {}) {
    this.socketPath = join(dataDir, SOCKET_NAME)
    this.#timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS
  }

  status(): Promise<NodeStatus> {
    return this.#json('GET', '/status')
  }

  publish(topic: string, payload: Uint8Array): Promise<{ recipients: number }> {
    return this.#json('POST', '/gossip/publish', { topic, payload: Buffer.from(payload).toString('base64') })
  }

  /** Messages of a topic as they come. Ends when the node does, or when `signal` aborts. */
  async *subscribe(topic: string, signal?: AbortSignal): AsyncGenerator<GossipLine | { dropped: number }> {
    const message = await this.#open('GET', `/gossip/subscribe?topic=${encodeURIComponent(topic)}`, undefined, signal)
    try {
      for await (const line of createInterface({ input: message })) {
        const read = JSON.parse(line)
        if (read.subscribed === undefined) yield read
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error
    } finally {
      message.destroy()
    }
  }

  async evidence(): Promise<FaultStatus[]> {
    return (await this.#json<{ faults: FaultStatus[] }>('GET', '/evidence')).faults
  }

  /** The bundle as a JSON document. */
  bundle(faultId: Hex): Promise<Record<string, unknown>> {
    return this.#json('GET', `/evidence/${faultId}`)
  }

  submit(faultId: Hex): Promise<FaultStatus> {
    return this.#json('POST', `/evidence/${faultId}/submit`, {})
  }

  /** The guard's marks as an interchange document. */
  exportGuard(): Promise<Record<string, unknown>> {
    return this.#json('GET', '/guard')
  }

  async shutdown(): Promise<void> {
    await this.#json('POST', '/shutdown', {})
  }

  async #json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    try {
      return JSON.parse(await textOf(await this.#open(method, path, body, signal)))
    } catch (error) {
      throw signal.aborted ? new NodeSilentError(this.socketPath, this.#timeoutMs, error) : error
    }
  }

  async #open(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const { socketPath } = this
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', connection: 'close' }
      const call = request({ socketPath, method, path, headers, ...(signal === undefined ? {} : { signal }) }, resolve)
      call.once('error', (error: NodeJS.ErrnoException) => {
        const away = error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR'
        reject(away ? new NodeNotRunningError(socketPath, error) : error)
      })
      call.end(body === undefined ? undefined : JSON.stringify(body))
    })
    if ((message.statusCode ?? 500) < 400) return message
    const { error } = JSON.parse(await textOf(message)) as ErrorBody
    throw new SuprnovaError(error.code, error.message, {
      exitCode: error.exitCode,
      values: error.values,
      ...(error.hint === null ? {} : { hint: error.hint }),
    })
  }
}
