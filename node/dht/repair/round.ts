import { type Logger, type Random, SuprnovaError } from '../../core/index.ts'
import type { ReplicaTable, ReplicaTables } from '../interface.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import type { RecordMeta } from '../records/rows.ts'
import { concurrently } from './concurrently.ts'
import {
  CONCURRENT_PEERS,
  CONCURRENT_PUSHES,
  OFFER_MAX_ENTRIES,
  PUSH_MAX_BYTES_PER_PEER,
  PUSH_UNHELD_BYTES_PER_PEER,
  STRAY_MAX_KEYS,
} from './constants.ts'
import type { HandedOver, HandOver } from './hand-over.ts'
import type { Held, Holdings } from './holdings.ts'
import { decodeDigestAnswer, decodeOfferAnswer, encodeDigest, encodeOffer } from './messages.ts'
import type { RepairMetrics } from './metrics.ts'
import type { Salt } from './share-digest.ts'
import type { ShareIndex } from './share-index.ts'
import type { SilentPeers } from './silent-peers.ts'

export interface RoundOptions {
  readonly own: number
  readonly epoch: number
  /** Counts phases since 1970. */
  readonly phase: number
  /** The first phase of an epoch is for the closest holder of a record alone. */
  readonly isForAll: boolean
  /** R. */
  readonly replicas: number
  /** Whether the phase is over. */
  readonly isOver: () => boolean
}

export interface RoundModules {
  readonly holdings: Holdings
  readonly handOver: HandOver
  readonly peers: Pick<ReplicaPeers, 'ask'>
  readonly tables: ReplicaTables
  readonly silent: SilentPeers
  readonly random: Random
  readonly metrics: RepairMetrics
  readonly logger: Logger
}

/** An entry and the stake it is offered to. */
interface Offer {
  readonly meta: RecordMeta
  /** The stake is none of its replicas, and stands in for one that is away. */
  readonly standIn: boolean
}

/** What one peer may still be given in this phase. */
interface Allowance {
  bytesLeft: number
  /** Of what is not held by it yet, or was refused. */
  unheldBytesLeft: number
  /** Writers whose share of that peer is used up. */
  readonly fullOf: Set<number>
}

/** One phase of repair: compares with each co-replica, and gives what they lack. */
export class Round {
  readonly #options: RoundOptions
  readonly #modules: RoundModules
  readonly #table: ReplicaTable
  readonly #index: ShareIndex
  readonly #away: ReadonlySet<number>
  readonly #allowances = new Map<number, Allowance>()

  constructor(
    options: RoundOptions,
    modules: RoundModules,
    of: { readonly table: ReplicaTable; readonly index: ShareIndex },
  ) {
    this.#options = options
    this.#modules = modules
    this.#table = of.table
    this.#index = of.index
    this.#away = modules.silent.away()
  }

  async run(): Promise<void> {
    const { own } = this.#options
    const others = [...this.#index.members()].filter((stakeId) => stakeId !== own && this.#table.has(stakeId))
    const isAway = (stakeId: number) => this.#away.has(stakeId)
    await this.#compareAll(others.filter((stakeId) => !isAway(stakeId)))
    if (!this.#options.isOver()) await this.#giveStrays()
    // Those away last: each costs a time-out.
    await this.#compareAll(others.filter(isAway))
  }

  async #compareAll(stakeIds: readonly number[]): Promise<void> {
    await concurrently(shuffled(stakeIds, this.#modules.random), CONCURRENT_PEERS, async (stakeId) => {
      if (!this.#options.isOver()) await this.#compare(stakeId)
      return !this.#options.isOver()
    })
  }

  /** 1. Same? 2. Where not? 3. What do you lack of this? 4. Here it is. */
  async #compare(stakeId: number): Promise<void> {
    const { epoch, own } = this.#options
    const { metrics, random } = this.#modules
    const words = new DataView(random.bytes(8).buffer)
    const salt: Salt = { high: words.getUint32(0), low: words.getUint32(4) }
    const digest = this.#index.digest(own, stakeId, epoch, salt)
    const total = digest.total()
    if (total.count === 0) return
    const answer = await this.#ask(stakeId, encodeDigest({ epoch, salt, total }), decodeDigestAnswer)
    if (answer === undefined) return
    metrics.comparisons.inc({ outcome: answer.status })
    if (answer.status !== 'different') return
    const keys = this.#index.sharedKeys(own, stakeId, epoch, digest.differences(answer.digest))
    // In another order each time: what a peer refuses must not stand before the rest for ever.
    await this.#offer(stakeId, this.#mine(shuffled(keys, random), stakeId))
  }

  /** What is this node's to give to a co-replica in this phase. */
  *#mine(keys: Iterable<bigint>, stakeId: number): Iterable<Offer> {
    for (const held of this.#modules.holdings.read(keys, this.#options.epoch)) {
      const isShared = held.members.includes(this.#options.own) && held.members.includes(stakeId)
      if (isShared && this.#isGiver(held, stakeId)) yield { meta: held.meta, standIn: false }
    }
  }

  /** The closest of the replicas that are there gives first, so that a record is not sent twice. */
  #isGiver({ members }: Held, to: number): boolean {
    if (this.#options.isForAll) return true
    return members.find((stakeId) => stakeId !== to && !this.#away.has(stakeId)) === this.#options.own
  }

  /**
   * What this node holds and is no replica of, since the table changed or since it stood in, goes to the replicas; and
   * what a replica that is away should hold goes to the next closest.
   */
  async #giveStrays(): Promise<void> {
    const { epoch, own } = this.#options
    const first = new DataView(this.#modules.random.bytes(4).buffer).getUint32(0)
    const keys = this.#index.strayKeys(own, epoch, this.#away, { limit: STRAY_MAX_KEYS, first })
    const offers = new Map<number, Offer[]>()
    const open = new Map<RecordMeta, number>()
    for (const held of this.#modules.holdings.read(keys, epoch)) {
      const targets = this.#targetsOf(held)
      if (targets === undefined) continue
      open.set(held.meta, targets.length)
      if (targets.length === 0) this.#index.settle(held.meta, this.#away)
      for (const stakeId of targets) {
        const list = offers.get(stakeId) ?? []
        list.push({ meta: held.meta, standIn: !held.members.includes(stakeId) })
        offers.set(stakeId, list)
      }
    }
    await concurrently(shuffled([...offers], this.#modules.random), CONCURRENT_PEERS, async ([stakeId, list]) => {
      await this.#offer(stakeId, list, (meta) => {
        const left = (open.get(meta) ?? 0) - 1
        open.set(meta, left)
        if (left === 0) this.#index.settle(meta, this.#away)
      })
      return !this.#options.isOver()
    })
  }

  /** @returns `undefined` when it is not this node's turn */
  #targetsOf(held: Held): readonly number[] | undefined {
    const { own, replicas } = this.#options
    const { members, meta } = held
    const there = members.filter((stakeId) => !this.#away.has(stakeId))
    if (!members.includes(own)) return this.#options.isForAll || this.#isFirstToLeave(held) ? there : undefined
    if (!this.#isGiver(held, Number.NaN)) return undefined
    const near = this.#table.closest(meta.recordKey, 2 * replicas).slice(members.length)
    return near.filter((stakeId) => !this.#away.has(stakeId)).slice(0, members.length - there.length)
  }

  /** None of the replicas before the change is one now: the closest of them gives at once. */
  #isFirstToLeave({ members, meta }: Held): boolean {
    const { epoch, own, replicas } = this.#options
    const { tables } = this.#modules
    if (!tables.changed(epoch)) return false
    const before = tables.table(epoch - 1)?.closest(meta.recordKey, replicas) ?? []
    return before[0] === own && !before.some((stakeId) => members.includes(stakeId))
  }

  /** Asks what of `offers` a stake lacks, and gives that. @param onHeld called for each that it holds in the end */
  async #offer(stakeId: number, offers: Iterable<Offer>, onHeld: (meta: RecordMeta) => void = () => undefined) {
    const allowance = this.#allowanceOf(stakeId)
    for (const page of pagesOf(offers, OFFER_MAX_ENTRIES)) {
      if (this.#options.isOver() || isSpent(allowance)) return
      const entries = page.map(({ meta }) => meta)
      const answer = await this.#ask(stakeId, encodeOffer({ entries }), (bytes) =>
        decodeOfferAnswer(bytes, entries.length),
      )
      if (answer?.status !== 'lacking') return
      const lacking: Offer[] = []
      for (const [index, offer] of page.entries()) {
        if (answer.lacking[index]) lacking.push(offer)
        else onHeld(offer.meta)
      }
      let isOpen = true
      await concurrently(lacking, CONCURRENT_PUSHES, async ({ meta, standIn }) => {
        if (isSpent(allowance) || this.#options.isOver()) return false
        if (allowance.fullOf.has(meta.writerStakeId)) return true
        const outcome = await this.#give(stakeId, meta, { standIn, allowance })
        if (outcome === 'held') onHeld(meta)
        isOpen &&= outcome !== 'closed' && outcome !== 'silent'
        return isOpen
      })
      if (!isOpen) return
    }
  }

  async #give(
    stakeId: number,
    meta: RecordMeta,
    { allowance, standIn }: { readonly standIn: boolean; readonly allowance: Allowance },
  ): Promise<HandedOver> {
    const bytes = meta.size + meta.frame.length
    allowance.bytesLeft -= bytes
    allowance.unheldBytesLeft -= bytes
    const outcome = await this.#modules.handOver.give(stakeId, meta, { standIn })
    if (outcome === 'held') allowance.unheldBytesLeft += bytes
    if (outcome === 'quota') allowance.fullOf.add(meta.writerStakeId)
    return outcome
  }

  #allowanceOf(stakeId: number): Allowance {
    const known = this.#allowances.get(stakeId)
    if (known !== undefined) return known
    const allowance = {
      bytesLeft: PUSH_MAX_BYTES_PER_PEER,
      unheldBytesLeft: PUSH_UNHELD_BYTES_PER_PEER,
      fullOf: new Set<number>(),
    }
    this.#allowances.set(stakeId, allowance)
    return allowance
  }

  async #ask<T>(stakeId: number, request: Uint8Array, decode: (bytes: Uint8Array) => T): Promise<T | undefined> {
    const { logger, metrics, peers, silent } = this.#modules
    try {
      const bytes = await peers.ask(stakeId, request)
      silent.answered(stakeId)
      return decode(bytes)
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      metrics.comparisons.inc({ outcome: 'failed' })
      logger.debug('a replica could not be compared with', { stakeId, code: error.code })
      if (error.code !== 'REQUEST_REFUSED' && error.code !== 'DHT_BAD_MESSAGE')
        silent.failed(stakeId, this.#options.phase)
      return undefined
    }
  }
}

function isSpent({ bytesLeft, unheldBytesLeft }: Allowance): boolean {
  return bytesLeft <= 0 || unheldBytesLeft <= 0
}

function* pagesOf<T>(items: Iterable<T>, length: number): Iterable<readonly T[]> {
  let page: T[] = []
  for (const item of items) {
    page.push(item)
    if (page.length < length) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** In random order, so that the same ones are not always left over. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items]
  const words = new DataView(random.bytes(4 * items.length).buffer)
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = words.getUint32(4 * last) % (last + 1)
    const item = shuffled[last] as T
    shuffled[last] = shuffled[other] as T
    shuffled[other] = item
  }
  return shuffled
}
