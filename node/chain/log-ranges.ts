import { type AbiEvent, InvalidParamsRpcError, LimitExceededRpcError, type Log, RpcRequestError } from 'viem'
import type { Address } from '../core/index.ts'
import type { ChainClient } from './client.ts'
import { MAX_LOG_RANGE_BLOCKS } from './constants.ts'

/** What to ask for: all logs of a contract, or those of one event with some of its indexed arguments. */
export interface LogFilter {
  readonly address: Address
  readonly event?: AbiEvent
  readonly args?: Record<string, unknown>
}

/** A log of a mined block. */
export type MinedLog = Log<bigint, number, false>

/** Asks for logs in ranges that the RPC takes: halved when it refuses, and never grown again. */
export class LogRanges {
  readonly #client: ChainClient
  #rangeBlocks = MAX_LOG_RANGE_BLOCKS

  constructor(client: ChainClient) {
    this.#client = client
  }

  /** The longest range to ask for now. */
  get rangeBlocks(): number {
    return this.#rangeBlocks
  }

  /** Everything that matches from `fromBlock` to `toBlock`, both included, range by range. */
  async *read(filter: LogFilter, fromBlock: number, toBlock: number): AsyncGenerator<MinedLog[]> {
    for (let next = fromBlock; next <= toBlock; ) {
      const to = Math.min(next + this.#rangeBlocks - 1, toBlock)
      const logs = await this.ask(filter, next, to)
      if (logs === undefined) continue
      yield logs
      next = to + 1
    }
  }

  /** @returns `undefined` when the RPC wants a smaller range; `rangeBlocks` says which */
  async ask(filter: LogFilter, fromBlock: number, toBlock: number): Promise<MinedLog[] | undefined> {
    const range = { fromBlock: BigInt(fromBlock), toBlock: BigInt(toBlock) }
    try {
      return (await this.#client.getLogs({ ...filter, ...range } as never)) as MinedLog[]
    } catch (error) {
      if (this.#rangeBlocks === 1 || !refusedByServer(error)) throw error
      this.#rangeBlocks = Math.max(1, Math.floor(this.#rangeBlocks / 2))
      return undefined
    }
  }
}

/** Whether an RPC heard a request and would not do it: too much at once, or too old. */
export function refusedByServer(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (
      cause instanceof RpcRequestError ||
      cause instanceof LimitExceededRpcError ||
      cause instanceof InvalidParamsRpcError
    ) {
      return true
    }
  }
  return false
}
