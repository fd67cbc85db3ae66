import { type AbiEvent, getAbiItem } from 'viem'
import { type Address, EXIT, type Head, type Logger, toHex } from '../../core/index.ts'
import { availabilityChallengeAbi } from '../abi.generated.ts'
import type { ChainClient } from '../client.ts'
import { ASSUMED_FINAL_DEPTH_BLOCKS } from '../constants.ts'
import { ChainError } from '../errors.ts'
import { LogRanges } from '../log-ranges.ts'
import { type ChallengeEvent, readChallengeEvents } from './challenge-event.ts'
import { ChallengeLedger, type ChallengeScope } from './challenge-ledger.ts'
import {
  RECENT_EVENTS_MAX,
  SEARCH_AFTER_BLOCKS,
  SEARCH_AFTER_MAX_BLOCKS,
  SETTLE_STEP_BLOCKS,
  UNSETTLED_BLOCKS,
  WINDOWS_READ,
} from './constants.ts'

export interface ChallengeFollowerOptions {
  readonly availability: Address
  /** Nothing happened before it. */
  readonly deployBlock: number
  readonly responseSeconds: number
  readonly responseBlocks: number
}

export interface ChallengeFollowerModules {
  readonly client: ChainClient
  readonly logger: Logger
}

/** What was read of the chain. */
interface Reading {
  /** Up to `settledBlock`, for good. */
  readonly settled: ChallengeLedger
  settledBlock: number
  /** What came after it, in order: undone when a block of it vanishes. */
  recent: ChallengeEvent[]
  /** The head up to which all was read. */
  anchor: Head | undefined
}

/**
 * Reads what happened to challenges, and undoes what a reorganisation took back: only final blocks are settled, and what
 * came after them is read anew when the head that was read last is no longer on the chain. The contract counts the open
 * challenges of a stake; logs that show another number are read again from further back.
 */
export class ChallengeFollower {
  readonly #options: ChallengeFollowerOptions
  readonly #modules: ChallengeFollowerModules
  readonly #ranges: LogRanges
  #reading: Reading | undefined
  #now: ChallengeLedger | undefined
  /** By PUT digest and leaf: opened, and neither answered nor concluded for good. */
  #owed = new Set<string>()
  #readUntilSeconds: number | undefined
  /** After logs were found to leave something out: from which block on to look further back, and how long to wait then. */
  #search: { atBlock: number; waitBlocks: number } | undefined

  constructor(options: ChallengeFollowerOptions, modules: ChallengeFollowerModules) {
    this.#options = options
    this.#modules = modules
    this.#ranges = new LogRanges(modules.client)
  }

  /** At the head that was read last; `undefined` before the first. */
  get now(): ChallengeLedger | undefined {
    return this.#now
  }

  /** Unix seconds: every challenge opened until then was read. */
  get readUntilSeconds(): number | undefined {
    return this.#readUntilSeconds
  }

  /** Whether bytes are owed to a challenge: also to one whose answer a reorganisation could still take back. */
  isOwed(putDigest: Uint8Array, leaf: number): boolean {
    return this.#owed.size > 0 && this.#owed.has(owedKey(putDigest, leaf))
  }

  /**
   * Reads up to `head`. After an error what was known stays known.
   * @returns the events that are new
   * @throws {ChainError} `CHAIN_UNSTEADY` when the head is gone, `CHAIN_LOGS_INCOMPLETE`; what the RPC throws
   */
  async walk(head: Head, scope: ChallengeScope): Promise<readonly ChallengeEvent[]> {
    const headNumber = Number(head.number)
    const reading = await this.#readingFor(head, scope)
    if (reading.anchor !== undefined && !(await this.#isOn(head, reading.anchor))) {
      this.#modules.logger.warn('challenges are read anew after a reorganisation', {
        fromBlock: reading.settledBlock + 1,
      })
      reading.recent = []
      reading.anchor = undefined
      this.#readUntilSeconds = undefined
    }

    // 1. The events, and then whether the head they were read for is still the chain's.
    const events: ChallengeEvent[] = []
    const from = reading.anchor === undefined ? reading.settledBlock + 1 : Number(reading.anchor.number) + 1
    for await (const logs of this.#ranges.read({ address: this.#options.availability }, from, headNumber)) {
      events.push(...readChallengeEvents(logs))
    }
    const counted = await this.#countOf(scope.ownStakeId, head.number)
    await this.#requireHead(head)

    // 2. What they come to.
    const isNew = events.length > 0 || reading.anchor === undefined
    reading.recent.push(...events)
    reading.anchor = head
    if (isNew) this.#derive(reading)
    await this.#settle(reading, head)
    this.#requireCount(counted, headNumber)
    this.#readUntilSeconds = head.timestamp
    return events
  }

  async #readingFor(head: Head, scope: ChallengeScope): Promise<Reading> {
    const { ownStakeId } = scope
    const reading = this.#reading
    const isSearchDue = this.#search !== undefined && head.number >= this.#search.atBlock
    const isUsable = reading !== undefined && reading.settled.scope.ownStakeId === ownStakeId
    if (isUsable && !isSearchDue && head.number > reading.settledBlock) return reading
    const first = await this.#firstBlock(head)
    const settled = new ChallengeLedger(scope)
    if (isSearchDue && ownStakeId !== undefined) {
      for (const event of await this.#eventsOf(ownStakeId, first - 1)) settled.apply(event)
    }
    this.#reading = { settled, settledBlock: first - 1, recent: [], anchor: undefined }
    return this.#reading
  }

  /** Where to begin: everything that can still be answered was opened later. */
  async #firstBlock(head: Head): Promise<number> {
    const { deployBlock, responseBlocks, responseSeconds } = this.#options
    const since = head.timestamp - WINDOWS_READ * responseSeconds
    let [low, high] = [deployBlock, Number(head.number)]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const { timestamp } = await this.#modules.client.getBlock({ blockNumber: BigInt(middle) })
      if (Number(timestamp) >= since) high = middle
      else low = middle + 1
    }
    return Math.max(deployBlock, Math.min(low, Number(head.number) - WINDOWS_READ * responseBlocks))
  }

  /** All that ever happened to challenges of one stake, up to a block. */
  async #eventsOf(stakeId: number, toBlock: number): Promise<ChallengeEvent[]> {
    const { availability: address, deployBlock } = this.#options
    const logs = []
    for (const name of ['Opened', 'Answered', 'Concluded'] as const) {
      const event = getAbiItem({ abi: availabilityChallengeAbi, name }) as AbiEvent
      const filter = { address, event, args: { stakeId: BigInt(stakeId) } }
      for await (const some of this.#ranges.read(filter, deployBlock, toBlock)) logs.push(...some)
    }
    return readChallengeEvents(logs)
  }

  async #isOn(head: Head, anchor: Head): Promise<boolean> {
    if (anchor.number >= head.number) return anchor.hash === head.hash
    return (await this.#modules.client.getBlock({ blockNumber: anchor.number })).hash === anchor.hash
  }

  async #requireHead({ hash, number }: Head): Promise<void> {
    const block = await this.#modules.client.getBlock({ blockNumber: number })
    if (block.hash === hash) return
    throw new ChainError('CHAIN_UNSTEADY', `block ${number} was replaced while its challenges were read`, {
      exitCode: EXIT.tryAgain,
      hint: 'the next head tries again; if it goes on, use another RPC',
      values: { headNumber: Number(number) },
    })
  }

  async #countOf(stakeId: number | undefined, blockNumber: bigint): Promise<number | undefined> {
    if (stakeId === undefined) return undefined
    const count = await this.#modules.client.readContract({
      address: this.#options.availability,
      abi: availabilityChallengeAbi,
      functionName: 'openChallengesOf',
      args: [BigInt(stakeId)],
      blockNumber,
    })
    return Number(count)
  }

  /** Which stake owes an answer is what a node must not get wrong, whatever its RPC leaves out. */
  #requireCount(counted: number | undefined, headNumber: number): void {
    const found = this.#now?.againstOwn().length ?? 0
    if (counted === undefined || counted === found) {
      this.#search = undefined
      return
    }
    this.#readUntilSeconds = undefined
    const waitBlocks = Math.min((this.#search?.waitBlocks ?? SEARCH_AFTER_BLOCKS / 2) * 2, SEARCH_AFTER_MAX_BLOCKS)
    if (this.#search === undefined || headNumber >= this.#search.atBlock) {
      this.#search = { atBlock: headNumber + waitBlocks, waitBlocks }
    }
    throw new ChainError(
      'CHAIN_LOGS_INCOMPLETE',
      `the chain counts ${counted} open challenges to this node, its logs show ${found}`,
      {
        exitCode: EXIT.tryAgain,
        hint: 'they are searched for further back; if it goes on, use another RPC: this one leaves out logs',
        values: { counted, found },
      },
    )
  }

  #derive({ recent, settled }: Reading): void {
    const now = recent.length === 0 ? settled : new ChallengeLedger(settled.scope, settled)
    for (const event of recent) {
      if (!now.apply(event)) this.#modules.logger.debug('a challenge to others is not followed', { ...event })
    }
    this.#now = now
    const owed = new Set<string>()
    for (const { putDigest, putLeaf } of settled.open.values()) owed.add(owedKey(putDigest, putLeaf))
    for (const event of recent) {
      if (event.type === 'opened') owed.add(owedKey(event.seen.putDigest, event.seen.putLeaf))
    }
    this.#owed = owed
  }

  /** Settles what is final, so that it need not be kept to be undone. */
  async #settle(reading: Reading, head: Head): Promise<void> {
    const headNumber = Number(head.number)
    const { recent, settledBlock } = reading
    if (recent.length === 0 && headNumber - settledBlock < SETTLE_STEP_BLOCKS) return
    const assumed = headNumber - ASSUMED_FINAL_DEPTH_BLOCKS
    let final = Math.min(await this.#finalNumber(assumed), headNumber - UNSETTLED_BLOCKS)
    if (recent.length > RECENT_EVENTS_MAX) final = Math.max(final, assumed)
    if (final <= settledBlock) return
    for (const event of recent) if (event.blockNumber <= final) reading.settled.apply(event)
    reading.settled.forgetLapsed(head.timestamp, final)
    reading.recent = recent.filter(({ blockNumber }) => blockNumber > final)
    reading.settledBlock = final
    this.#derive(reading)
  }

  async #finalNumber(assumed: number): Promise<number> {
    try {
      return Number((await this.#modules.client.getBlock({ blockTag: 'finalized' })).number)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      // Chains without finality refuse the tag; how deep they reorganise is then an assumption.
      return assumed
    }
  }
}

function owedKey(putDigest: Uint8Array, leaf: number): string {
  return `${toHex(putDigest)} ${leaf}`
}
