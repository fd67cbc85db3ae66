import { zeroHash } from 'viem'
import { type Address, EXIT, type Hex } from '../../core/index.ts'
import type { ChainClient } from '../client.ts'
import { ASSUMED_FINAL_DEPTH_BLOCKS, HEADER_STEP_BLOCKS } from '../constants.ts'
import { ChainError } from '../errors.ts'
import { LogRanges } from '../log-ranges.ts'
import { decodeStakeLog, type RegistryLog } from './decode.ts'
import type { BlockRef, StakeEvent } from './event.ts'
import type { StakeLedger } from './ledger.ts'

/** Blocks this near to the head are always taken header by header. */
const NEAR_HEAD_BLOCKS = 16
/** A chain that changes under every attempt is left to the next poll. */
const MAX_ATTEMPTS = 3

interface Header extends BlockRef {
  readonly parentHash: Hex
}

interface FetchedLog extends RegistryLog {
  readonly blockNumber: bigint
  readonly blockHash: Hex
  readonly logIndex: number
  readonly blockTimestamp?: unknown
}

/** What one walk along the chain came to. */
export interface Walk {
  /** The chain's head as the RPC has it; older than the ledger's tip when `behind`. */
  readonly head: BlockRef
  readonly behind: boolean
  readonly changed: ReadonlySet<number>
  readonly undoneBlocks: number
}

/** Walks a ledger along the chain: back to the fork point, then on to the head, every parent hash checked. */
export class LogFollower {
  readonly #client: ChainClient
  readonly #registry: Address
  readonly #fromBlock: number
  readonly #retainSeconds: number
  readonly #ranges: LogRanges

  /** @param fromBlock nothing of the registry happened before it */
  constructor(client: ChainClient, registry: Address, fromBlock: number, retainSeconds: number) {
    this.#client = client
    this.#ranges = new LogRanges(client)
    this.#registry = registry
    this.#fromBlock = fromBlock
    this.#retainSeconds = retainSeconds
  }

  /**
   * Brings `ledger` to the head. Whatever was reached before an error stays applied and is consistent.
   * @returns `undefined` when no block the ledger can go back to is on the chain any more: begin with an empty one
   */
  async walk(ledger: StakeLedger): Promise<Walk | undefined> {
    const changed = new Set<number>()
    let undoneBlocks = 0
    for (let attempt = 1; ; attempt++) {
      const head = await this.#header('latest')
      const fork = await this.#backToFork(ledger, head, changed)
      if (fork === 'none') return undefined
      undoneBlocks += fork.undoneBlocks
      if (fork.behind) return { head, behind: true, changed, undoneBlocks }
      await this.#alongRanges(ledger, head, changed)
      if (await this.#alongHeaders(ledger, head, changed)) return { head, behind: false, changed, undoneBlocks }
      if (attempt === MAX_ATTEMPTS) {
        throw new ChainError(
          'CHAIN_UNSTEADY',
          `the chain changed ${MAX_ATTEMPTS} times while block ${head.number} was read`,
          {
            exitCode: EXIT.tryAgain,
            hint: 'the next poll tries again; if it goes on, use another RPC',
            values: { headNumber: head.number },
          },
        )
      }
    }
  }

  async #backToFork(
    ledger: StakeLedger,
    head: Header,
    changed: Set<number>,
  ): Promise<{ behind: boolean; undoneBlocks: number } | 'none'> {
    let undoneBlocks = 0
    while (ledger.tip !== undefined) {
      const anchor = ledger.blocks.findLast((block) => block.number <= head.number)
      if (anchor === undefined) return 'none'
      if ((await this.#hashAt(anchor.number, head)) === anchor.hash) {
        // A shorter chain that agrees with all it has: an RPC that lags, not a reorg.
        return { behind: ledger.tip !== anchor, undoneBlocks }
      }
      for (let last: BlockRef | undefined; last?.number !== anchor.number; undoneBlocks++) {
        last = ledger.tip
        for (const stakeId of ledger.undo()) changed.add(stakeId)
      }
    }
    return undoneBlocks === 0 ? { behind: false, undoneBlocks } : 'none'
  }

  /** Large gaps, as far as they are final. */
  async #alongRanges(ledger: StakeLedger, head: Header, changed: Set<number>): Promise<void> {
    let next = this.#next(ledger)
    if (head.number - next < HEADER_STEP_BLOCKS) return
    const end = Math.min(await this.#finalNumber(head), head.number - NEAR_HEAD_BLOCKS)
    while (next <= end) {
      const to = Math.min(next + this.#ranges.rangeBlocks - 1, end)
      const logs = (await this.#ranges.ask({ address: this.#registry }, next, to)) as FetchedLog[] | undefined
      if (logs === undefined) continue
      const last = await this.#header(to)
      const tooOldToUndo = last.timestamp < head.timestamp - this.#retainSeconds
      for (const [number, ofBlock] of byBlock(logs)) {
        if (number === to) continue
        const timestamp = tooOldToUndo ? last.timestamp : await this.#timestampOf(ofBlock[0] as FetchedLog)
        const ref = { number, hash: (ofBlock[0] as FetchedLog).blockHash, timestamp }
        for (const id of ledger.apply(ref, events(ofBlock))) changed.add(id)
      }
      for (const id of ledger.apply(last, events(logs.filter((log) => Number(log.blockNumber) === to)))) changed.add(id)
      ledger.forgetBefore(head.timestamp - this.#retainSeconds)
      next = to + 1
    }
  }

  /** Header by header. Returns false when the chain changed under way. */
  async #alongHeaders(ledger: StakeLedger, head: Header, changed: Set<number>): Promise<boolean> {
    for (let number = this.#next(ledger); number <= head.number; number++) {
      const header = number === head.number ? head : await this.#header(number)
      const tip = ledger.tip
      if (tip !== undefined && !(await this.#follows(tip, header))) return false
      // By block hash: an RPC that does not have the block says so instead of answering "no logs".
      const logs = (await this.#client.getLogs({ address: this.#registry, blockHash: header.hash })) as FetchedLog[]
      for (const id of ledger.apply(header, events(logs))) changed.add(id)
    }
    ledger.forgetBefore(head.timestamp - this.#retainSeconds)
    return true
  }

  async #follows(tip: BlockRef, header: Header): Promise<boolean> {
    if (header.parentHash === tip.hash) return true
    // Blocks that Hardhat mines in bulk have no parent hash; then the tip must still be where it was.
    return header.parentHash === zeroHash && (await this.#header(tip.number)).hash === tip.hash
  }

  #next(ledger: StakeLedger): number {
    return ledger.tip === undefined ? this.#fromBlock : ledger.tip.number + 1
  }

  async #hashAt(number: number, head: Header): Promise<Hex> {
    if (number === head.number) return head.hash
    if (number === head.number - 1) return head.parentHash
    return (await this.#header(number)).hash
  }

  async #header(at: number | 'latest' | 'finalized'): Promise<Header> {
    const block = await this.#client.getBlock(typeof at === 'number' ? { blockNumber: BigInt(at) } : { blockTag: at })
    if (block.number === null || block.hash === null) throw new TypeError(`the RPC gave a pending block for ${at}`)
    return {
      number: Number(block.number),
      hash: block.hash,
      parentHash: block.parentHash,
      timestamp: Number(block.timestamp),
    }
  }

  async #finalNumber(head: Header): Promise<number> {
    try {
      return (await this.#header('finalized')).number
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // Chains without finality refuse the tag; how deep they reorganise is then an assumption.
      return head.number - ASSUMED_FINAL_DEPTH_BLOCKS
    }
  }

  async #timestampOf(log: FetchedLog): Promise<number> {
    if (typeof log.blockTimestamp === 'bigint') return Number(log.blockTimestamp)
    return (await this.#header(Number(log.blockNumber))).timestamp
  }
}

function byBlock(logs: readonly FetchedLog[]): Map<number, FetchedLog[]> {
  const sorted = [...logs].sort((a, b) => Number(a.blockNumber - b.blockNumber) || a.logIndex - b.logIndex)
  const blocks = new Map<number, FetchedLog[]>()
  for (const log of sorted) {
    const number = Number(log.blockNumber)
    const ofBlock = blocks.get(number)
    if (ofBlock === undefined) blocks.set(number, [log])
    else ofBlock.push(log)
  }
  return blocks
}

function events(logs: readonly FetchedLog[]): StakeEvent[] {
  return [...logs]
    .sort((a, b) => a.logIndex - b.logIndex)
    .map(decodeStakeLog)
    .filter((event) => event !== undefined)
}
