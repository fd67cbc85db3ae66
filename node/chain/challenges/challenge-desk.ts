import type { Address, ChunkHolder, Head, Hex, Logger, Metrics, SuprnovaError } from '../../core/index.ts'
import type { DomainSeparator } from '../../statements/index.ts'
import { answerCall, collectCall, concludeCall, supersededCall } from '../actions/challenges.ts'
import type { ChainClient } from '../client.ts'
import { chainErrorMessage } from '../contract-errors.ts'
import type { Errand } from '../reporter/reporter.ts'
import { ANSWER_FEE_FACTOR, ANSWER_PURPOSE } from '../reporter/transaction.ts'
import type { SeenChallenge } from './challenge-event.ts'
import { ChallengeFollower } from './challenge-follower.ts'
import { ANSWER_GAS, ANSWERS_KEPT, COLLECT_GAS, ERRANDS_MAX, SEARCHES_MAX, STAGGER_PARTS } from './constants.ts'

/** An answer for another stake: it may not cost more than a report, since the bond alone pays for it. */
const HELP_PURPOSE = 'help'
/** Refusals that only say that the chain moved on since the look: somebody answered, or a reorganisation took it back. */
const MOVED_ON = new Set(['NotOpen', 'UnknownChallenge'])

export interface ChallengeDeskOptions {
  readonly availability: Address
  /** Nothing happened before it. */
  readonly deployBlock: number
  readonly responseSeconds: number
  readonly responseBlocks: number
  readonly separator: DomainSeparator
  /** The account that answers and concludes. */
  readonly account: Address | undefined
  /** What this node pays for a gas at most. */
  readonly maxFeePerGasWei: bigint
  /** `own`: challenges to this node's receipts alone. `all`: from half of the window on those of others too. */
  readonly answers: 'own' | 'all'
}

export interface ChallengeDeskModules {
  readonly client: ChainClient
  readonly ownStakeId: () => number | undefined
  readonly metrics: Metrics
  readonly logger: Logger
}

/** How things stand, for status. */
export interface ChallengeDeskStatus {
  /** Open ones to this node's receipts. */
  readonly against: number
  /** Open ones to others. */
  readonly others: number
  /** Unix seconds of the chain up to which all was read; `undefined` while something is missing. */
  readonly readUntilSeconds: number | undefined
}

/** What is known of answering one challenge. */
interface Answering {
  readonly seen: SeenChallenge
  /** The call that answers it, once it was found. */
  call: Hex | undefined
  /** The time of the head at which it was looked for in vain. */
  missedAt: number | undefined
  /** Why the chain would not take the answer. */
  refusal: string | undefined
  isToldLate: boolean
}

/**
 * Says which transactions challenges ask for: answers to those against the own stake at once, to those against others from
 * half of the window on, conclusions of those this node's account opened, and what is then left to collect. Sending, fees,
 * nonces and restarts are the reporter's.
 */
export class ChallengeDesk {
  readonly #options: ChallengeDeskOptions
  readonly #modules: ChallengeDeskModules
  readonly #follower: ChallengeFollower
  readonly #answering = new Map<Hex, Answering>()
  /** By challenge: others are being asked for its bytes. */
  readonly #searches = new Map<Hex, Promise<void>>()
  readonly #gauge
  readonly #counter
  #holder: ChunkHolder | undefined
  #head: Head | undefined
  #looking: Promise<void> | undefined
  #gasPriceWei = 0n
  #lowGas: string | undefined
  #lastError: string | undefined

  constructor(options: ChallengeDeskOptions, modules: ChallengeDeskModules) {
    this.#options = options
    this.#modules = modules
    this.#follower = new ChallengeFollower(options, modules)
    this.#gauge = modules.metrics.gauge('suprnova_chain_challenges_count', 'Open challenges, by whose they are')
    this.#counter = modules.metrics.counter(
      'suprnova_chain_challenges_total',
      'Events of challenges read, by what happened; a reorganisation counts again what it moved',
    )
  }

  /** Where bytes are found. Without it nothing is answered. */
  use(holder: ChunkHolder): void {
    this.#holder = holder
  }

  /** Resolves when nobody is being asked any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#searches.values())
  }

  /** Whether the bytes of this PUT are owed to a challenge: also to one whose answer is not final yet. */
  isOpen(putDigest: Uint8Array, leaf: number): boolean {
    return this.#follower.isOwed(putDigest, leaf)
  }

  /** Unix seconds of the chain: every challenge opened until then was read. */
  readUntilSeconds(): number | undefined {
    return this.#follower.readUntilSeconds
  }

  open(): SeenChallenge[] {
    return [...(this.#follower.now?.open.values() ?? [])]
  }

  status(): ChallengeDeskStatus {
    const against = this.#follower.now?.againstOwn().length ?? 0
    const all = this.#follower.now?.open.size ?? 0
    return { against, others: all - against, readUntilSeconds: this.readUntilSeconds() }
  }

  /** What a person should know about. */
  problems(): readonly string[] {
    const against = this.#follower.now?.againstOwn() ?? []
    const late = against.filter((seen) => this.#isOver(seen)).length
    const open = against.length - late
    const stuck = against.flatMap(({ challengeId }) => this.#stuckWords(challengeId))
    return [
      ...(open === 0 ? [] : [`${open} challenges to receipts of this node are open`]),
      ...(late === 0 ? [] : [`${late} challenges to receipts of this node were not answered in time`]),
      ...stuck,
      ...(this.#lowGas === undefined ? [] : [this.#lowGas]),
      ...(this.#lastError === undefined ? [] : [`challenges cannot be followed: ${this.#lastError}`]),
    ]
  }

  /** Takes in what happened up to `head`. Called at every head; calls do not overlap, and the newest head is always read. */
  look(head: Head): Promise<void> {
    this.#head = head
    this.#looking ??= this.#lookUpToHead().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** The transactions that are due now, the most urgent first: an own answer is a tenth of the stake. */
  async errands(): Promise<readonly Errand[]> {
    const [head, now] = [this.#head, this.#follower.now]
    if (head === undefined || now === undefined || this.#options.account === undefined) return []
    this.#forgetAnswered()
    const own = now.scope.ownStakeId
    const rankOf = (seen: SeenChallenge) =>
      (seen.stakeId === own ? 0 : 2) + (this.#answering.get(seen.challengeId)?.refusal === undefined ? 0 : 1)
    const byUrgency = [...now.open.values()].sort(
      (a, b) => rankOf(a) - rankOf(b) || a.answerableUntil - b.answerableUntil,
    )
    const errands: Errand[] = []
    for (const seen of byUrgency) {
      if (errands.length >= ERRANDS_MAX) return errands
      const errand = this.#isOver(seen) ? this.#conclusion(seen) : await this.#answer(seen, own, head)
      if (errand !== undefined) errands.push(errand)
    }
    for (const [challengeId, wei] of now.due) {
      if (errands.length >= ERRANDS_MAX) break
      // Worth its gas, or not yet.
      if (wei <= COLLECT_GAS * this.#gasPriceWei) continue
      const to = this.#options.availability
      errands.push({ purpose: `collect ${challengeId}`, to, data: collectCall(challengeId) })
    }
    return errands
  }

  #conclusion({ challengeId, opener }: SeenChallenge): Errand | undefined {
    const { account, availability: to } = this.#options
    if (opener !== account) return undefined
    return { purpose: `conclude ${challengeId}`, to, data: concludeCall(challengeId) }
  }

  async #answer(seen: SeenChallenge, own: number | undefined, head: Head): Promise<Errand | undefined> {
    if (!this.#isDue(seen, own, head)) return undefined
    const answering = this.#answeringOf(seen)
    let data: Hex | undefined
    try {
      data = await this.#callFor(answering, own, head)
    } catch (error) {
      // One row that cannot be read must not keep the answers to others back, and others may have what it held.
      this.#miss(answering, own, head, { error: String(error) })
      this.#search(answering, own)
    }
    if (data === undefined) return undefined
    const refused = ({ message, values }: SuprnovaError) => {
      if (MOVED_ON.has(String(values.error))) return
      if (answering.refusal !== message && seen.stakeId === own) {
        this.#modules.logger.error('the chain refuses an answer', { challengeId: seen.challengeId, reason: message })
      }
      answering.refusal = message
      // Something else may be the answer: a later PUT, or bytes that came back.
      answering.call = undefined
    }
    const purpose = seen.stakeId === own ? ANSWER_PURPOSE : HELP_PURPOSE
    return { purpose: `${purpose} ${seen.challengeId}`, to: this.#options.availability, data, refused }
  }

  #isDue({ answerableUntil, challengeId, stakeId }: SeenChallenge, own: number | undefined, head: Head): boolean {
    if (stakeId === own) return true
    if (this.#options.answers === 'own') return false
    const { responseSeconds } = this.#options
    const place = (Number.parseInt(challengeId.slice(-4), 16) + (own ?? 0)) % STAGGER_PARTS
    const stagger = (responseSeconds / 4) * (place / STAGGER_PARTS)
    return head.timestamp >= answerableUntil - responseSeconds / 2 + stagger
  }

  /**
   * The call that answers a challenge; bytes that are not here are looked for again at every head. Others are asked for
   * them beside it: what is here is shown, whoever lets this node wait for the rest.
   */
  async #callFor(answering: Answering, own: number | undefined, head: Head): Promise<Hex | undefined> {
    if (answering.call !== undefined || this.#holder === undefined) return answering.call
    if (answering.missedAt === head.timestamp) return undefined
    const { seen } = answering
    const { challengeId } = seen
    const found = await this.#holder.find(seen)
    const laterPut = found === undefined ? await this.#holder.laterPut(seen) : undefined
    if (found !== undefined) answering.call = answerCall({ challengeId, ...found })
    else if (laterPut !== undefined) {
      answering.call = supersededCall({ challengeId, laterPut, separator: this.#options.separator })
    } else {
      this.#miss(answering, own, head)
      this.#search(answering, own)
      return undefined
    }
    answering.missedAt = undefined
    return answering.call
  }

  #miss(answering: Answering, own: number | undefined, head: Head, why: { readonly error?: string } = {}): void {
    const { challengeId, stakeId } = answering.seen
    if (answering.missedAt === undefined && stakeId === own) {
      this.#modules.logger.error('the bytes of a challenged receipt are not here', { challengeId, ...why })
    }
    answering.missedAt = head.timestamp
  }

  /** Asks others, in the background: ten that are silent take as long as a window on a local chain. */
  #search(answering: Answering, own: number | undefined): void {
    const { seen } = answering
    const { challengeId, stakeId } = seen
    const most = stakeId === own ? SEARCHES_MAX : SEARCHES_MAX / 2
    const holder = this.#holder
    if (holder === undefined || this.#searches.has(challengeId) || this.#searches.size >= most) return
    const searching = holder
      .search(seen)
      .then((found) => {
        if (found === undefined) return
        answering.call = answerCall({ challengeId, ...found })
        answering.missedAt = undefined
      })
      .catch((error: unknown) => this.#modules.logger.error('bytes could not be searched', { challengeId, error }))
      .finally(() => this.#searches.delete(challengeId))
    this.#searches.set(challengeId, searching)
  }

  #answeringOf(seen: SeenChallenge): Answering {
    const known = this.#answering.get(seen.challengeId)
    // A reorganisation may open the same challenge anew, with another deadline.
    if (known?.seen === seen) return known
    const answering = { seen, call: undefined, missedAt: undefined, refusal: undefined, isToldLate: false }
    this.#answering.set(seen.challengeId, answering)
    return answering
  }

  #forgetAnswered(): void {
    const open = this.#follower.now?.open
    for (const challengeId of this.#answering.keys()) {
      if (open?.has(challengeId) !== true) this.#answering.delete(challengeId)
    }
  }

  #stuckWords(challengeId: Hex): readonly string[] {
    const answering = this.#answering.get(challengeId)
    if (answering?.missedAt !== undefined) return [`the bytes that challenge ${challengeId} asks for are not here`]
    if (answering?.refusal === undefined) return []
    return [`the chain refuses the answer to challenge ${challengeId}: ${answering.refusal}`]
  }

  #isOver({ answerableUntil, answerableUntilBlock }: SeenChallenge): boolean {
    const head = this.#head
    return head !== undefined && head.timestamp > answerableUntil && head.number > BigInt(answerableUntilBlock)
  }

  async #lookUpToHead(): Promise<void> {
    for (let read: Head | undefined; read !== this.#head; ) {
      read = this.#head as Head
      try {
        await this.#lookAt(read)
        this.#lastError = undefined
      } catch (error) {
        const message = chainErrorMessage(error)
        if (message !== this.#lastError) {
          this.#modules.logger.error('challenges cannot be followed', { error: message })
        }
        this.#lastError = message
      }
    }
  }

  async #lookAt(head: Head): Promise<void> {
    const { logger, ownStakeId } = this.#modules
    const own = ownStakeId()
    const events = await this.#follower.walk(head, { ownStakeId: own, account: this.#options.account })
    const isOpen = (challengeId: Hex) => this.#follower.now?.open.has(challengeId) === true
    for (const event of events) {
      this.#counter.inc({ event: event.type })
      // The first look reads days at once: what was answered meanwhile is nothing to warn of.
      if (event.type !== 'opened' || event.seen.stakeId !== own || !isOpen(event.challengeId)) continue
      logger.warn('a receipt of this node is challenged', { challengeId: event.challengeId })
    }
    const { against, others } = this.status()
    this.#gauge.set(against, { of: 'own' })
    this.#gauge.set(others, { of: 'others' })
    this.#tellLate()
    await this.#weigh(own, against)
  }

  #tellLate(): void {
    for (const seen of this.#follower.now?.againstOwn() ?? []) {
      const answering = this.#answeringOf(seen)
      if (answering.isToldLate || !this.#isOver(seen)) continue
      answering.isToldLate = true
      this.#modules.logger.error('a challenge was not answered in time', { challengeId: seen.challengeId })
    }
  }

  /** Whether the account could pay for the answers that a stake may owe. */
  async #weigh(own: number | undefined, against: number): Promise<void> {
    const { client, logger } = this.#modules
    const { account, maxFeePerGasWei } = this.#options
    if (account === undefined) {
      this.#lowGas = against > 0 ? 'challenges are open and there is no gas key to answer with' : undefined
      return
    }
    const [balance, price] = await Promise.all([client.getBalance({ address: account }), client.getGasPrice()])
    this.#gasPriceWei = price
    const least = ANSWERS_KEPT * ANSWER_GAS * price
    let problem: string | undefined
    if (own !== undefined && balance < least) {
      problem = `the gas key ${account} has ${balance} wei, ten answers to challenges cost ${least}: send it some`
    } else if (against > 0 && price > maxFeePerGasWei * ANSWER_FEE_FACTOR) {
      problem = `a gas costs ${price} wei, this node pays ${maxFeePerGasWei * ANSWER_FEE_FACTOR} at most: answer by hand, or wait`
    }
    if (problem !== undefined && this.#lowGas === undefined) logger.warn('the gas key runs low', { account, problem })
    this.#lowGas = problem
  }
}
