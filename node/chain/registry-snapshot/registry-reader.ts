import { ContractFunctionZeroDataError, type GetLogsReturnType, zeroHash } from 'viem'
import { type Address, EXIT, type Hex, type KeyTenure, type StakeRow } from '../../core/index.ts'
import { registryLensAbi, stakeRegistryAbi } from '../abi.generated.ts'
import type { ChainClient, Deployment } from '../client.ts'
import { LENS_PAGE_STAKES, MAX_LOG_RANGE_BLOCKS } from '../constants.ts'
import { explainChainError } from '../contract-errors.ts'
import { ChainError } from '../errors.ts'
import { refusedByServer } from '../log-ranges.ts'
import { decodeStakeLog, type RegistryLog } from '../stake-view/decode.ts'
import { canSpeak } from '../stake-view/reducer.ts'
import type { PlacedSince, RegistrySnapshot, SnapshotDeployment } from './registry-snapshot.ts'

const STATUSES = [undefined, 'pending', 'active', 'unbonding', 'withdrawn'] as const
const KEY_EVENTS = stakeRegistryAbi.filter(
  (item) => item.type === 'event' && (item.name === 'Registered' || item.name === 'Rotated'),
)

type KeyLog = RegistryLog & { readonly blockNumber: bigint }

interface Block {
  readonly number: number
  readonly hash: Hex
  readonly timestamp: number
}

export interface RegistryReaderOptions {
  readonly deployment: SnapshotDeployment & Pick<Deployment, 'lens' | 'deployBlock'>
  readonly confirmationsBlocks: number
  readonly lagSeconds: number
  readonly bootstrap: readonly string[]
}

/**
 * Reads the registry by RPC, whole and at one block: stakes in pages from `RegistryLens`, public keys from the events that
 * told them, since the registry keeps addresses alone. It follows nothing; asked again it reads only what is new of the keys.
 */
export class RegistryReader {
  readonly #client: ChainClient
  readonly #options: RegistryReaderOptions
  readonly #tenures = new Map<Address, KeyTenure>()
  readonly #newestKeys = new Map<number, Address>()
  #keysTo: Block | undefined
  #firstStakeBlock: number | undefined

  constructor(client: ChainClient, options: RegistryReaderOptions) {
    this.#client = client
    this.#options = options
  }

  /**
   * The registry at the newest confirmed block, with the places of the epochs around `epoch`.
   * @throws {ChainError} `CHAIN_STATE_FORGOTTEN` when the RPC keeps no state as old as replica tables are
   */
  async read(epoch: number): Promise<RegistrySnapshot> {
    const { bootstrap, confirmationsBlocks, deployment, lagSeconds } = this.#options
    try {
      const head = await this.#block('latest')
      const block =
        confirmationsBlocks === 0
          ? head
          : await this.#block(Math.max(deployment.deployBlock, head.number - confirmationsBlocks))
      await this.#readKeys(block)
      const stakes = await this.#stakesAt(block)
      const placed: PlacedSince[] = []
      let exactThroughEpoch = epoch - 2
      for (const tableEpoch of [epoch - 1, epoch, epoch + 1]) {
        const fromSeconds = tableEpoch * deployment.params.epochSeconds - lagSeconds
        if (fromSeconds > block.timestamp) break
        exactThroughEpoch = tableEpoch
        const at = await this.#blockBefore(fromSeconds, block)
        const rows = (await this.#isQuiet(at, block)) ? stakes : await this.#stakesAt(at)
        const placedRows = rows.filter((row) => canSpeak(row) && row.placement !== undefined)
        placed.push({ fromSeconds, stakeIds: placedRows.map(({ stakeId }) => stakeId) })
      }
      const { chainId, coordinator, genesisHash, name, params, registry, salt } = deployment
      return {
        deployment: { name, chainId, genesisHash, coordinator, registry, salt, params },
        ...{ block, lagSeconds, stakes, keys: [...this.#tenures.values()], placed, exactThroughEpoch, bootstrap },
      }
    } catch (error) {
      throw explainChainError(error)
    }
  }

  async #stakesAt(block: Block): Promise<StakeRow[]> {
    const rows: StakeRow[] = []
    for (let fromId = 1; ; fromId += LENS_PAGE_STAKES) {
      const page = await this.#page(fromId, block)
      for (const { stake, stakeId } of page) {
        rows.push({
          stakeId: Number(stakeId),
          operator: stake.operator.toLowerCase() as Address,
          status: STATUSES[stake.status] ?? 'pending',
          amountWei: stake.amount,
          placement: stake.placement === zeroHash ? undefined : stake.placement,
          jailedUntil: Number(stake.jailedUntil),
          tombstoned: stake.tombstoned,
          readyAt: Number(stake.readyAt),
        })
      }
      if (page.length < LENS_PAGE_STAKES) return rows
    }
  }

  async #page(fromId: number, { number }: Block) {
    const { lens } = this.#options.deployment
    const args = [BigInt(fromId), BigInt(LENS_PAGE_STAKES)] as const
    const call = {
      address: lens,
      abi: registryLensAbi,
      functionName: 'stakes',
      args,
      blockNumber: BigInt(number),
    } as const
    try {
      return await this.#client.readContract(call)
    } catch (error) {
      // The lens is deployed after the registry: before the first stake its silence is right, afterwards it is a gap.
      const isSilent = hasCause(error, ContractFunctionZeroDataError)
      if (isSilent && (this.#firstStakeBlock === undefined || number < this.#firstStakeBlock)) return []
      if (!isSilent && !refusedByServer(error)) throw error
      throw new ChainError('CHAIN_STATE_FORGOTTEN', `the RPC does not have the state of block ${number} any more`, {
        exitCode: EXIT.chain,
        hint: 'replica tables lag behind the chain: use an RPC that keeps older states, or a snapshot that a node wrote',
        values: { number },
        cause: error,
      })
    }
  }

  /** Public keys and tenures up to `block`. After a reorg past what was read, all of it is read anew. */
  async #readKeys(block: Block): Promise<void> {
    const known = this.#keysTo
    if (known !== undefined && (known.number > block.number || (await this.#block(known.number)).hash !== known.hash)) {
      this.#tenures.clear()
      this.#newestKeys.clear()
      this.#keysTo = undefined
      this.#firstStakeBlock = undefined
    }
    const from = this.#keysTo === undefined ? this.#options.deployment.deployBlock : this.#keysTo.number + 1
    for (const log of await this.#keyLogs(from, block.number)) {
      this.#firstStakeBlock ??= Number(log.blockNumber)
      this.#takeKey(log)
    }
    this.#keysTo = block
  }

  #takeKey(log: RegistryLog): void {
    const event = decodeStakeLog(log)
    if (event?.type !== 'registered' && event?.type !== 'rotated') return
    const { fromEpoch, nodeKey: address, publicKey, stakeId } = event
    const before = this.#tenures.get(this.#newestKeys.get(stakeId) ?? ('' as Address))
    if (before !== undefined) this.#tenures.set(before.address, { ...before, untilEpoch: fromEpoch })
    this.#tenures.set(address, { address, stakeId, publicKey, fromEpoch, untilEpoch: Number.POSITIVE_INFINITY })
    this.#newestKeys.set(stakeId, address)
  }

  async #keyLogs(from: number, to: number): Promise<KeyLog[]> {
    const logs: GetLogsReturnType = []
    let rangeBlocks = MAX_LOG_RANGE_BLOCKS
    for (let next = from; next <= to; ) {
      const end = Math.min(next + rangeBlocks - 1, to)
      try {
        logs.push(...(await this.#logs(next, end, KEY_EVENTS)))
        next = end + 1
      } catch (error) {
        if (rangeBlocks === 1 || !refusedByServer(error)) throw error
        rangeBlocks = Math.max(1, Math.floor(rangeBlocks / 2))
      }
    }
    return logs as unknown as KeyLog[]
  }

  /** Whether nothing happened in the registry after one block up to another. */
  async #isQuiet(after: Block, to: Block): Promise<boolean> {
    if (after.number >= to.number) return true
    try {
      return (await this.#logs(after.number + 1, to.number)).length === 0
    } catch (error) {
      if (!refusedByServer(error)) throw error
      return false
    }
  }

  #logs(from: number, to: number, events?: typeof KEY_EVENTS): Promise<GetLogsReturnType> {
    const { registry: address } = this.#options.deployment
    const range = { address, fromBlock: BigInt(from), toBlock: BigInt(to) }
    return this.#client.getLogs(events === undefined ? range : { ...range, events }) as Promise<GetLogsReturnType>
  }

  /** The newest block older than a time; the deployment's own where there is none. */
  async #blockBefore(unixSeconds: number, head: Block): Promise<Block> {
    const first = this.#options.deployment.deployBlock
    if (head.timestamp < unixSeconds) return head
    let after = head
    let before: Block | undefined
    for (let step = 1; before === undefined; step *= 2) {
      const block = await this.#block(Math.max(first, after.number - step))
      if (block.timestamp < unixSeconds || block.number === first) before = block
      else after = block
    }
    while (after.number - before.number > 1) {
      const middle = await this.#block(Math.floor((before.number + after.number) / 2))
      if (middle.timestamp < unixSeconds) before = middle
      else after = middle
    }
    return before
  }

  async #block(at: number | 'latest'): Promise<Block> {
    const block = await this.#client.getBlock(at === 'latest' ? { blockTag: at } : { blockNumber: BigInt(at) })
    return { number: Number(block.number), hash: block.hash as Hex, timestamp: Number(block.timestamp) }
  }
}

function hasCause(error: unknown, type: abstract new (...args: never[]) => Error): boolean {
  if (error instanceof type) return true
  return error instanceof Error && error.cause !== undefined && hasCause(error.cause, type)
}
