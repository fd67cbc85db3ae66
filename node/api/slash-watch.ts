import { type ChainClient, stakeRegistryAbi } from '../chain/index.ts'
import type { Address, Head, Hex, Logger } from '../core/index.ts'
import type { SlashStatus } from './status.ts'

/** Slashes kept for the status; the chain has all of them. */
export const SLASHES_KEPT = 64
/** Blocks asked for at once. */
const RANGE_BLOCKS = 1_000n

export interface SlashWatchModules {
  readonly client: ChainClient
  readonly logger: Logger
  readonly onSlash: (slash: SlashStatus) => void
}

/**
 * Tells which slashes the chain proved since the node started, for people. Decides nothing: what a slash means for a
 * stake comes from the stake view.
 */
export class SlashWatch {
  readonly #modules: SlashWatchModules
  readonly #registry: Address
  readonly #slashes: SlashStatus[] = []
  #from: bigint
  #reading: Promise<void> = Promise.resolve()

  constructor(options: { readonly registry: Address; readonly fromBlock: bigint }, modules: SlashWatchModules) {
    this.#registry = options.registry
    this.#from = options.fromBlock
    this.#modules = modules
  }

  /** The newest slashes, oldest first. */
  slashes(): readonly SlashStatus[] {
    return this.#slashes
  }

  /** Reads up to `head`. A range that cannot be read is read again at the next head. */
  onHead(head: Head): void {
    this.#reading = this.#reading
      .then(() => this.#readTo(head.number))
      .catch((error: unknown) => {
        this.#modules.logger.debug('slashes cannot be read', { error })
      })
  }

  /** Resolves when nothing is being read. */
  close(): Promise<void> {
    return this.#reading
  }

  async #readTo(head: bigint): Promise<void> {
    while (this.#from <= head) {
      const toBlock = this.#from + RANGE_BLOCKS <= head ? this.#from + RANGE_BLOCKS : head
      const logs = await this.#modules.client.getContractEvents({
        address: this.#registry,
        abi: stakeRegistryAbi,
        eventName: 'Slashed',
        fromBlock: this.#from,
        toBlock,
        strict: true,
      })
      for (const { args, blockNumber } of logs) {
        const slash: SlashStatus = {
          faultId: args.faultId as Hex,
          stakeId: Number(args.stakeId),
          chargedWei: String(args.charged),
          tombstoned: args.tombstoned,
          blockNumber: Number(blockNumber),
        }
        this.#slashes.push(slash)
        this.#modules.onSlash(slash)
      }
      this.#slashes.splice(0, Math.max(0, this.#slashes.length - SLASHES_KEPT))
      this.#from = toBlock + 1n
    }
  }
}
