import { parseEventLogs } from 'viem'
import {
  type Address,
  type ChunkHolder,
  type ChunkQuestion,
  fromHex,
  type Head,
  type Hex,
  type Logger,
  type Metrics,
  toHex,
} from '../../core/index.ts'
import type { DomainSeparator } from '../../statements/index.ts'
import { availabilityChallengeAbi } from '../abi.generated.ts'
import { answerCall, collectCall, concludeCall, supersededCall } from '../actions/challenges.ts'
import type { ChainClient } from '../client.ts'
import { chainErrorMessage } from '../contract-errors.ts'
import type { Errand } from '../reporter/reporter.ts'

/** Blocks looked at again at every look: a reorganisation may have moved events. */
const OVERLAP_BLOCKS = 16n
/** Blocks of one question to the RPC. */
const BLOCKS_PER_LOOK = 5_000n
/** Challenges remembered; one against the own stake is never forgotten for another. */
const CHALLENGES_MAX = 4_096
/** Transactions offered at once. */
const ERRANDS_MAX = 16
/** Below what so many answers cost a node says that its gas key runs low. */
const ANSWERS_KEPT = 10n
const ANSWER_GAS = 90_000n

export interface ChallengeDeskOptions {
  readonly availability: Address
  /** Nothing of a challenge that can still be answered happened before this block. */
  readonly fromBlock: bigint
  readonly responseSeconds: number
  readonly separator: DomainSeparator
  /** The account that answers and concludes. */
  readonly account: Address | undefined
  /** `own`: challenges to this node's receipts alone. `all`: from half of the window on those of others too. */
  readonly answers: 'own' | 'all'
}

export interface ChallengeDeskModules {
  readonly client: ChainClient
  readonly ownStakeId: () => number | undefined
  readonly metrics: Metrics
  readonly logger: Logger
}

/** A challenge that was opened, as its event told it. */
export interface SeenChallenge extends ChunkQuestion {
  readonly challengeId: Hex
  readonly stakeId: number
  readonly opener: Address
  /** Unix seconds and block number. */
  readonly answerableUntil: number
  readonly answerableUntilBlock: number
}

interface Open {
  readonly seen: SeenChallenge
  /** The call that answers it, once it was found. */
  answer: Hex | undefined
  /** At which head it was looked for in vain. */
  missedAt: number | undefined
}

/**
 * Follows challenges on the chain, and says which transactions are due: answers to those against the own stake at once, to
 * those against others from half of the window on, conclusions of those this node's account opened. Sending, fees, nonces
 * and restarts are the reporter's.
 */
export class ChallengeDesk {
  readonly #options: ChallengeDeskOptions
  readonly #modules: ChallengeDeskModules
  readonly #open = new Map<Hex, Open>()
  /** Over, with something left to collect by this node's account. */
  readonly #toCollect = new Set<Hex>()
  readonly #settled = new Set<Hex>()
  readonly #collected = new Set<Hex>()
  readonly #gauge
  readonly #counter
  #next: bigint
  #holder: ChunkHolder | undefined
  #head: Head | undefined
  #looking: Promise<void> | undefined
  #lowGas: string | undefined
  #readUntilSeconds: number | undefined
  #lastError: string | undefined

  constructor(options: ChallengeDeskOptions, modules: ChallengeDeskModules) {
    this.#options = options
    this.#modules = modules
    this.#next = options.fromBlock
    this.#gauge = modules.metrics.gauge('suprnova_chain_challenges_count', 'Open challenges, by whose they are')
    this.#counter = modules.metrics.counter(
      'suprnova_chain_challenges_total',
      'Challenges seen, by what became of them',
    )
  }

  /** Where bytes are found. Without it nothing is answered. */
  use(holder: ChunkHolder): void {
    this.#holder = holder
  }

  /** Whether a receipt for this PUT is being challenged: its bytes must stay. */
  isOpen(putDigest: Uint8Array, leaf: number): boolean {
    const digest = toHex(putDigest)
    for (const { seen } of this.#open.values()) {
      if (seen.putLeaf === leaf && toHex(seen.putDigest) === digest) return true
    }
    return false
  }

  /** Unix seconds: every challenge opened until then was read. */
  readUntilSeconds(): number | undefined {
    return this.#readUntilSeconds
  }

  open(): SeenChallenge[] {
    return [...this.#open.values()].map(({ seen }) => seen)
  }

  /** What a person should know about. */
  problems(): readonly string[] {
    const own = this.#modules.ownStakeId()
    const against = this.open().filter(({ stakeId }) => stakeId === own).length
    return [
      ...(against === 0 ? [] : [`${against} challenges to receipts of this node are open`]),
      ...(this.#lowGas === undefined ? [] : [this.#lowGas]),
      ...(this.#lastError === undefined ? [] : [`challenges cannot be followed: ${this.#lastError}`]),
    ]
  }

  /** Takes in what happened up to `head`. Called at every head; calls do not overlap. */
  look(head: Head): Promise<void> {
    this.#head = head
    this.#looking ??= this.#look()
      .then(
        () => {
          this.#lastError = undefined
        },
        (error: unknown) => {
          this.#lastError = chainErrorMessage(error)
          this.#modules.logger.warn('challenges cannot be followed', { error: this.#lastError })
        },
      )
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  /** The transactions that are due now, the most urgent first. */
  async errands(): Promise<readonly Errand[]> {
    const head = this.#head
    const { account, availability: to } = this.#options
    if (head === undefined || account === undefined) return []
    const own = this.#modules.ownStakeId()
    const byDeadline = [...this.#open.values()].sort((a, b) => a.seen.answerableUntil - b.seen.answerableUntil)
    const ofOwn = byDeadline.filter(({ seen }) => seen.stakeId === own)
    const ofOthers = byDeadline.filter(({ seen }) => seen.stakeId !== own)
    const errands: Errand[] = []
    for (const open of [...ofOwn, ...ofOthers]) {
      if (errands.length >= ERRANDS_MAX) break
      const { challengeId } = open.seen
      const isOver = head.timestamp > open.seen.answerableUntil && head.number > BigInt(open.seen.answerableUntilBlock)
      if (isOver) {
        if (open.seen.opener === account) {
          errands.push({ purpose: `conclude ${challengeId}`, to, data: concludeCall(challengeId) })
        }
      } else if (this.#isDue(open.seen, own, head)) {
        const data = await this.#answerOf(open, head)
        if (data !== undefined) errands.push({ purpose: `answer ${challengeId}`, to, data })
      }
    }
    for (const challengeId of this.#toCollect) {
      if (errands.length >= ERRANDS_MAX) break
      errands.push({ purpose: `collect ${challengeId}`, to, data: collectCall(challengeId) })
    }
    return errands
  }

  #isDue({ answerableUntil, stakeId }: SeenChallenge, own: number | undefined, head: Head): boolean {
    if (stakeId === own) return true
    if (this.#options.answers === 'own') return false
    return head.timestamp >= answerableUntil - this.#options.responseSeconds / 2
  }

  /** The call that answers a challenge; bytes that are not here are looked for again at every head. */
  async #answerOf(open: Open, head: Head): Promise<Hex | undefined> {
    if (open.answer !== undefined || this.#holder === undefined) return open.answer
    if (open.missedAt === head.timestamp) return undefined
    const { challengeId } = open.seen
    const found = await this.#holder.find(open.seen)
    const laterPut = found === undefined ? await this.#holder.laterPut(open.seen) : undefined
    const { separator } = this.#options
    if (found !== undefined) open.answer = answerCall({ challengeId, ...found })
    else if (laterPut !== undefined) open.answer = supersededCall({ challengeId, laterPut, separator })
    else {
      if (open.missedAt === undefined && open.seen.stakeId === this.#modules.ownStakeId()) {
        this.#modules.logger.error('the bytes of a challenged receipt are not here', { challengeId })
      }
      open.missedAt = head.timestamp
    }
    return open.answer
  }

  async #look(): Promise<void> {
    const { client } = this.#modules
    const { availability: address } = this.#options
    const head = this.#head
    const headNumber = head?.number ?? 0n
    while (this.#next <= headNumber) {
      const last = this.#next + BLOCKS_PER_LOOK
      const toBlock = last < headNumber ? last : headNumber
      const logs = await client.getLogs({ address, fromBlock: this.#next, toBlock })
      for (const event of parseEventLogs({ abi: availabilityChallengeAbi, logs })) this.#take(event)
      this.#next = toBlock + 1n
    }
    this.#readUntilSeconds = head?.timestamp
    const again = headNumber + 1n - OVERLAP_BLOCKS
    this.#next = again > this.#options.fromBlock ? again : this.#options.fromBlock
    const own = this.#modules.ownStakeId()
    const against = this.open().filter(({ stakeId }) => stakeId === own).length
    this.#gauge.set(against, { of: 'own' })
    this.#gauge.set(this.#open.size - against, { of: 'others' })
    await this.#weigh(against)
  }

  #take(event: { readonly eventName: string; readonly args: unknown }): void {
    const args = event.args as Record<string, unknown>
    const challengeId = args.challengeId as Hex
    const { account } = this.#options
    if (event.eventName === 'Opened') {
      if (this.#open.has(challengeId) || this.#settled.has(challengeId)) return
      this.#forgetSurplus()
      this.#open.set(challengeId, { seen: seenOf(challengeId, args), answer: undefined, missedAt: undefined })
      this.#counter.inc({ event: 'opened' })
      return
    }
    const opener = this.#open.get(challengeId)?.seen.opener
    this.#open.delete(challengeId)
    if (!this.#settled.has(challengeId)) {
      this.#settled.add(challengeId)
      for (const oldest of this.#settled) {
        if (this.#settled.size <= CHALLENGES_MAX) break
        this.#settled.delete(oldest)
      }
      this.#counter.inc({ event: event.eventName.toLowerCase() })
    }
    const isMine =
      (event.eventName === 'Answered' && lower(args.answerer) === account) ||
      (event.eventName === 'Concluded' && opener === account && account !== undefined)
    if (isMine && !this.#collected.has(challengeId)) this.#toCollect.add(challengeId)
    if (event.eventName === 'Collected') {
      this.#collected.add(challengeId)
      this.#toCollect.delete(challengeId)
    }
  }

  /** The oldest challenge to somebody else makes room. */
  #forgetSurplus(): void {
    if (this.#open.size < CHALLENGES_MAX) return
    const own = this.#modules.ownStakeId()
    for (const [challengeId, { seen }] of this.#open) {
      if (seen.stakeId === own) continue
      this.#open.delete(challengeId)
      this.#counter.inc({ event: 'forgotten' })
      return
    }
  }

  /** Whether the account could pay for the answers it may owe. */
  async #weigh(against: number): Promise<void> {
    const { client } = this.#modules
    const { account } = this.#options
    if (account === undefined) {
      this.#lowGas = against > 0 ? 'challenges are open and there is no gas key to answer with' : undefined
      return
    }
    const [balance, price] = await Promise.all([client.getBalance({ address: account }), client.getGasPrice()])
    const least = ANSWERS_KEPT * ANSWER_GAS * price
    const low = balance < least ? `the gas key ${account} has ${balance} wei, ten answers cost ${least}` : undefined
    if (low !== undefined && this.#lowGas === undefined) this.#modules.logger.warn('the gas key runs low', { account })
    this.#lowGas = low
  }
}

function seenOf(challengeId: Hex, args: Record<string, unknown>): SeenChallenge {
  return {
    challengeId,
    stakeId: Number(args.stakeId),
    opener: lower(args.opener),
    recordKey: fromHex(args.recordKey as Hex),
    putDigest: fromHex(args.putDigest as Hex),
    putLeaf: Number(args.putLeaf),
    valueRoot: fromHex(args.valueRoot as Hex),
    chunkIndex: Number(args.chunkIndex),
    answerableUntil: Number(args.answerableUntil),
    answerableUntilBlock: Number(args.answerableUntilBlock),
  }
}

function lower(value: unknown): Address {
  return String(value).toLowerCase() as Address
}
