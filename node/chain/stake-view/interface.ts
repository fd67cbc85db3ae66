import type { Address, Clock, Head, Hex, Logger, Metrics, StakeView, Timers } from '../../core/index.ts'
import type { ChainClient } from '../client.ts'
import type { HistoricView } from './ledger.ts'

export interface StakeViewOptions {
  readonly chainId: bigint
  readonly genesisHash: Hex
  readonly registry: Address
  readonly salt: Hex
  /** Nothing of the registry happened before this block. */
  readonly fromBlock: number
  /** Blocks on top of a new right before it counts; 0 on a local chain. */
  readonly confirmationsBlocks: number
  readonly pollMs: number
  /** One unbonding period: how far back {@link ChainStakeView.at} and a reorg can go. */
  readonly retainSeconds: number
  readonly skewSeconds: number
  /** Without a head for so long the view says it is stale. */
  readonly staleAfterMs: number
  /** A cache; without it every start reads the chain from `fromBlock`. */
  readonly snapshotFile?: string
}

export interface StakeViewModules {
  readonly client: ChainClient
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly metrics: Metrics
}

export interface StakeViewHealth {
  readonly stale: boolean
  readonly headBlock: number | undefined
  readonly headAgeMs: number | undefined
  /** Why the newest poll failed. */
  readonly lastError: string | undefined
}

/** {@link StakeView} fed by a chain. Known stakes keep working while the chain is out of reach. */
export interface ChainStakeView extends StakeView {
  /** The registry at the end of a block, one unbonding period back at most. */
  at(blockNumber: bigint): HistoricView
  /** The registry at the end of the newest block older than `unixSeconds`, or the oldest kept; `undefined` before any. */
  atTime(unixSeconds: number): HistoricView | undefined
  /** Calls `listener` at every new head, after the view has taken it in. */
  onHead(listener: (head: Head) => void): () => void
  /** The chain's time in unix seconds, or `undefined` when no head has come for one skew. */
  chainReference(): number | undefined
  health(): StakeViewHealth
  /** Walks to the head now. */
  sync(): Promise<void>
  close(): Promise<void>
}
