import type { ServerResponse } from 'node:http'
import { SUBSCRIPTION_BACKLOG_BYTES, SUBSCRIPTION_LIMIT } from '../constants.ts'
import { RequestError } from '../errors.ts'
import type { GossipLine, NodeApi } from './node-api.ts'

/** Open NDJSON streams. A slow reader loses messages and is told how many; it never slows the node. */
export class Subscriptions {
  readonly #open = new Set<ServerResponse>()

  /** Streams `topic` until the reader goes away: first `{"subscribed":topic}`, then a {@link GossipLine} a line. */
  open(api: NodeApi, topic: string, response: ServerResponse): void {
    if (this.#open.size >= SUBSCRIPTION_LIMIT) {
      throw new RequestError(503, 'TOO_MANY_SUBSCRIPTIONS', `${SUBSCRIPTION_LIMIT} subscriptions are open already`, {
        values: { limit: SUBSCRIPTION_LIMIT },
      })
    }
    let dropped = 0
    const write = (line: unknown) => response.write(`${JSON.stringify(line)}\n`)
    const end = api.subscribe(topic, (line: GossipLine) => {
      if (response.writableLength > SUBSCRIPTION_BACKLOG_BYTES) {
        dropped += 1
        return
      }
      if (dropped > 0) write({ dropped })
      dropped = 0
      write(line)
    })
    this.#open.add(response)
    response.once('close', () => {
      this.#open.delete(response)
      end()
    })
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    write({ subscribed: topic })
  }

  close(): void {
    for (const response of this.#open) response.end()
  }
}
