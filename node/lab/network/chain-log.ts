import { parseEventLogs } from 'viem'
import { availabilityChallengeAbi, type ChainClient, faultCourtAbi, stakeRegistryAbi } from '../../chain/index.ts'
import type { Address, Hex } from '../../core/index.ts'

/** An event of the registry, the court or the challenges. Addresses and hex are lower-case, numbers decimal. */
export interface ChainEvent {
  readonly name: string
  readonly blockNumber: number
  readonly transactionHash: Hex
  readonly args: Readonly<Record<string, string | boolean>>
}

/** Reads the events of registry, court and challenges, each once and in order. Local chains do not reorganise. */
export class ChainLog {
  readonly #client: ChainClient
  readonly #contracts: readonly Address[]
  #from: bigint

  constructor(
    client: ChainClient,
    contracts: { readonly registry: Address; readonly court: Address; readonly availability: Address },
    fromBlock: number,
  ) {
    this.#client = client
    this.#contracts = [contracts.registry, contracts.court, contracts.availability]
    this.#from = BigInt(fromBlock)
  }

  /** What happened since the last call. */
  async next(): Promise<ChainEvent[]> {
    const head = await this.#client.getBlockNumber({ cacheTime: 0 })
    if (head < this.#from) return []
    const logs = await this.#client.getLogs({ address: [...this.#contracts], fromBlock: this.#from, toBlock: head })
    this.#from = head + 1n
    const parsed = parseEventLogs({ abi: [...stakeRegistryAbi, ...faultCourtAbi, ...availabilityChallengeAbi], logs })
    return parsed.map(({ eventName, blockNumber, transactionHash, args }) => ({
      name: eventName,
      blockNumber: Number(blockNumber),
      transactionHash,
      args: Object.fromEntries(Object.entries(args ?? {}).map(([field, value]) => [field, plain(value)])),
    }))
  }
}

function plain(value: unknown): string | boolean {
  return typeof value === 'boolean' ? value : String(value).toLowerCase()
}
