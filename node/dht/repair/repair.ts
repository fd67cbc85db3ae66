import type { Clock, Logger, Metrics, ProtocolParams, Random, Requester, Timers } from '../../core/index.ts'
import { REPLICAS_DEFAULT } from '../constants.ts'
import type { ReplicaTables } from '../interface.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import type { PutReader } from '../records/put-reader.ts'
import type { RecordBook } from '../records/record-book.ts'
import type { Replica } from '../replica/replica.ts'
import { RepairAnswers } from './answers.ts'
import { type ChallengeQuestion, fetchForChallenge } from './challenge-fetch.ts'
import { PHASE_JITTER, PHASES_PER_EPOCH } from './constants.ts'
import { HandOver, type ReceiptTaker } from './hand-over.ts'
import { Holdings } from './holdings.ts'
import { type RepairMetrics, repairMetrics } from './metrics.ts'
import { Round } from './round.ts'
import { SilentPeers } from './silent-peers.ts'

export interface RepairOptions {
  readonly params: Pick<ProtocolParams, 'epochSeconds'>
  /** R: replicas that repair keeps up. */
  readonly replicas?: number
}

export interface RepairModules {
  readonly records: RecordBook
  readonly replica: Pick<Replica, 'hold'>
  readonly receipts: ReceiptTaker
  readonly tables: ReplicaTables
  readonly peers: ReplicaPeers
  readonly reader: PutReader
  /** The own stake; `undefined` for a node without one, which repairs nothing. */
  readonly own: () => number | undefined
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly metrics: Metrics
  readonly logger: Logger
}

/**
 * Keeps every record at its replicas, whatever becomes of stakes, processes and disks.
 *
 * Twice an epoch each node compares with each of its co-replicas a digest of what both should hold, and gives what the
 * other lacks: the closest holder first, the others later in the epoch. What it holds and is no replica of, it offers
 * to those that are. Nothing is ever fetched because of what another says, only given; so a lie costs the bytes this
 * node gives one peer in a phase, and nothing is taken that was not verified.
 */
export class Repair {
  readonly #options: RepairOptions
  readonly #modules: RepairModules
  readonly #metrics: RepairMetrics
  readonly #holdings: Holdings
  readonly #handOver: HandOver
  readonly #answers: RepairAnswers
  readonly #silent = new SilentPeers()
  #isRunning = false
  #cancel: (() => void) | undefined
  #working: Promise<void> = Promise.resolve()

  constructor(options: RepairOptions, modules: RepairModules) {
    this.#options = options
    this.#modules = modules
    this.#metrics = repairMetrics(modules.metrics)
    this.#holdings = new Holdings({ replicas: this.#replicas }, modules)
    this.#handOver = new HandOver({ ...modules, metrics: this.#metrics })
    this.#answers = new RepairAnswers({
      ...modules,
      holdings: this.#holdings,
      epoch: () => modules.reader.epoch(),
      metrics: this.#metrics,
    })
  }

  start(): void {
    this.#isRunning = true
    this.#schedule()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel?.()
    this.#holdings.stop()
    await this.#working
  }

  /** Answers DIGEST and LIST. Never throws for what stands in a request. */
  handle(request: Uint8Array, from: Requester): Promise<Uint8Array> {
    return this.#answers.handle(request, from)
  }

  /**
   * Looks among co-replicas for the bytes that a challenge to this node's receipt asks for, when they are gone here.
   * @returns the whole value
   */
  fetchForChallenge(question: ChallengeQuestion): Promise<Uint8Array | undefined> {
    return fetchForChallenge(question, this.#modules)
  }

  get #replicas(): number {
    return this.#options.replicas ?? REPLICAS_DEFAULT
  }

  get #phaseMs(): number {
    return (this.#options.params.epochSeconds * 1_000) / PHASES_PER_EPOCH
  }

  /** The next phase begins with its share of the epoch, and every node a little later than that. */
  #schedule(): void {
    const { clock, random, timers } = this.#modules
    const nowMs = clock.nowMs()
    const nextMs = (Math.floor(nowMs / this.#phaseMs) + 1) * this.#phaseMs
    const share = new DataView(random.bytes(4).buffer).getUint32(0) / 2 ** 32
    this.#cancel = timers.after(nextMs - nowMs + share * PHASE_JITTER * this.#phaseMs, () => {
      this.#working = this.#phase()
        .catch((error: unknown) => this.#modules.logger.error('repair failed', { error }))
        .then(() => {
          if (this.#isRunning) this.#schedule()
        })
    })
  }

  async #phase(): Promise<void> {
    const { clock, own, reader, tables } = this.#modules
    const stakeId = own()
    const epoch = reader.epoch()
    const phase = Math.floor(clock.nowMs() / this.#phaseMs)
    if (stakeId === undefined) return
    const index = await this.#holdings.prepare(epoch)
    const table = tables.table(epoch)
    if (index === undefined || table === undefined) return
    const options = {
      epoch,
      phase,
      own: stakeId,
      replicas: this.#replicas,
      isForAll: phase % PHASES_PER_EPOCH !== 0,
      isOver: () => !this.#isRunning || Math.floor(clock.nowMs() / this.#phaseMs) !== phase,
    }
    const modules = {
      ...this.#modules,
      holdings: this.#holdings,
      handOver: this.#handOver,
      silent: this.#silent,
      metrics: this.#metrics,
    }
    await new Round(options, modules, { table, index }).run()
    this.#metrics.indexedEntries.set(this.#holdings.size)
    this.#metrics.silentPeers.set(this.#silent.size)
  }
}
