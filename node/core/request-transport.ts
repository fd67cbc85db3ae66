import type { Address } from './bytes.ts'

/** Who a request came from, as the connection proves it. */
export interface Requester {
  readonly address: Address
  /** `undefined` for a reader: no stake that may speak has this key. */
  readonly stakeId: number | undefined
  /**
   * Counts this request as so many more against what its sender may ask: for work that only a liar causes. A transport
   * that limits nobody has none.
   */
  readonly charge?: (requests: number) => void
}

export interface RequestOptions {
  /** Milliseconds to wait for the answer, dialling included. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Answers a request. What it throws is told to the asker as a refusal, without its inner words. */
export type RequestHandler = (request: Uint8Array, from: Requester) => Promise<Uint8Array> | Uint8Array

/** Requests with one answer each, between nodes that know each other by key. Sockets or a simulator stand behind it. */
export interface RequestTransport {
  /**
   * Asks the node with that key, connecting to it first where there is no connection.
   * @throws SuprnovaError `REQUEST_UNREACHABLE` not connected and not found or not dialled; `REQUEST_TIMEOUT`;
   * `REQUEST_REFUSED` the other side refused (`values.reason`); `REQUEST_LOST` the connection ended before the answer;
   * `REQUEST_BUSY` too many wait for this peer already, nothing was sent
   */
  request(to: Address, request: Uint8Array, options?: RequestOptions): Promise<Uint8Array>
  /** Takes requests from now on; one handler a transport. @returns the function that ends it */
  serve(handler: RequestHandler): () => void
  isConnected(to: Address): boolean
}
