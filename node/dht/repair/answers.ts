import type { Clock, Requester } from '../../core/index.ts'
import { DhtError, type RefusalReason } from '../errors.ts'
import type { ReplicaTables } from '../interface.ts'
import { encodeRefused, OP } from '../protocol/messages.ts'
import type { RecordBook } from '../records/record-book.ts'
import { compareVersions } from '../records/version.ts'
import {
  SERVED_DIGESTS_BURST,
  SERVED_DIGESTS_BURST_ALL,
  SERVED_DIGESTS_PER_SECOND,
  SERVED_DIGESTS_PER_SECOND_ALL,
  SERVED_ENTRIES_BURST,
  SERVED_ENTRIES_BURST_ALL,
  SERVED_ENTRIES_PER_SECOND,
  SERVED_ENTRIES_PER_SECOND_ALL,
  SERVED_PEERS_MAX,
} from './constants.ts'
import type { Holdings } from './holdings.ts'
import { decodeDigest, decodeOffer, encodeDigestAnswer, encodeOfferAnswer } from './messages.ts'
import type { RepairMetrics } from './metrics.ts'
import { Rate } from './rate.ts'

export interface AnswersModules {
  readonly records: Pick<RecordBook, 'current'>
  readonly holdings: Holdings
  readonly tables: ReplicaTables
  readonly epoch: () => number
  readonly own: () => number | undefined
  readonly clock: Clock
  readonly metrics: RepairMetrics
}

interface Served {
  readonly digests: Rate
  readonly entries: Rate
}

/** Tells other replicas, and nobody else, what this node lacks of theirs. What it tells costs them a little at most. */
export class RepairAnswers {
  readonly #modules: AnswersModules
  readonly #served = new Map<number, Served>()
  /** Over all peers: many stakes together must not take more than many honest ones do. */
  readonly #all: Served

  constructor(modules: AnswersModules) {
    this.#modules = modules
    const { clock } = modules
    this.#all = {
      digests: new Rate({ perSecond: SERVED_DIGESTS_PER_SECOND_ALL, burst: SERVED_DIGESTS_BURST_ALL }, clock),
      entries: new Rate({ perSecond: SERVED_ENTRIES_PER_SECOND_ALL, burst: SERVED_ENTRIES_BURST_ALL }, clock),
    }
  }

  /** Peers whose rate of questions is remembered. */
  get servedPeers(): number {
    return this.#served.size
  }

  async handle(request: Uint8Array, { stakeId }: Requester): Promise<Uint8Array> {
    if (stakeId === undefined || !this.#isReplica(stakeId)) return this.#refuse('not-mine', 'stranger')
    try {
      if (request[0] === OP.digest) return await this.#digest(request, stakeId)
      if (request[0] === OP.list) return this.#offer(request, stakeId)
      return encodeRefused('undecodable', `operation ${request[0]}`)
    } catch (error) {
      if (error instanceof DhtError && error.code === 'DHT_BAD_MESSAGE')
        return encodeRefused('undecodable', error.message)
      throw error
    }
  }

  /** A replica now, or one before the change that this epoch began with: it has what the new ones lack. */
  #isReplica(stakeId: number): boolean {
    const { epoch, tables } = this.#modules
    const now = epoch()
    if (tables.table(now)?.has(stakeId) === true) return true
    return tables.changed(now) && tables.table(now - 1)?.has(stakeId) === true
  }

  async #digest(request: Uint8Array, stakeId: number): Promise<Uint8Array> {
    const { epoch, salt, total } = decodeDigest(request)
    const own = this.#modules.own()
    if (own === undefined || !this.#isNear(epoch)) return this.#refuse('window', 'window')
    if (!this.#rates(stakeId).digests.take(1) || !this.#all.digests.take(1)) return this.#refuse('busy', 'rate')
    const index = await this.#modules.holdings.prepared(this.#modules.epoch())
    if (index === undefined) return this.#refuse('busy', 'window')
    const digest = index.digest(own, stakeId, epoch, salt)
    const mine = digest.total()
    const isSame = mine.count === total.count && mine.high === total.high && mine.low === total.low
    return encodeDigestAnswer(isSame ? undefined : digest)
  }

  /** This epoch, or for a clock that differs the one beside it, if the same stakes are replicas in both. */
  #isNear(epoch: number): boolean {
    const now = this.#modules.epoch()
    if (epoch === now) return true
    return Math.abs(epoch - now) === 1 && !this.#modules.tables.changed(Math.max(epoch, now))
  }

  #offer(request: Uint8Array, stakeId: number): Uint8Array {
    const { entries } = decodeOffer(request)
    const count = entries.length
    if (!this.#rates(stakeId).entries.take(count) || !this.#all.entries.take(count)) return this.#refuse('busy', 'rate')
    return encodeOfferAnswer(
      entries.map((entry) => {
        const current = this.#modules.records.current(entry)
        return current === undefined || compareVersions(current.version, entry.version) < 0
      }),
    )
  }

  #rates(stakeId: number): Served {
    const { clock } = this.#modules
    const served = this.#served.get(stakeId) ?? {
      digests: new Rate({ perSecond: SERVED_DIGESTS_PER_SECOND, burst: SERVED_DIGESTS_BURST }, clock),
      entries: new Rate({ perSecond: SERVED_ENTRIES_PER_SECOND, burst: SERVED_ENTRIES_BURST }, clock),
    }
    this.#served.delete(stakeId)
    this.#served.set(stakeId, served)
    for (const oldest of this.#served.keys()) {
      if (this.#served.size <= SERVED_PEERS_MAX) break
      this.#served.delete(oldest)
    }
    return served
  }

  #refuse(reason: RefusalReason, because: 'stranger' | 'window' | 'rate'): Uint8Array {
    this.#modules.metrics.refusals.inc({ reason: because })
    return encodeRefused(reason, because)
  }
}
