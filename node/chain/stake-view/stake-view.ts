import { type Address, EXIT, type Head, type KeyTenure, type StakeRow } from '../../core/index.ts'
import { MAX_POLL_BACKOFF_MS, SNAPSHOT_INTERVAL_MS } from '../constants.ts'
import { chainErrorMessage } from '../contract-errors.ts'
import { ChainError } from '../errors.ts'
import { stakeViewMetrics } from '../metrics.ts'
import { chainReference } from '../reference-time.ts'
import { LogFollower, type Walk } from './follower.ts'
import type { ChainStakeView, StakeViewHealth, StakeViewModules, StakeViewOptions } from './interface.ts'
import { type HistoricView, StakeLedger } from './ledger.ts'
import { canSpeak } from './reducer.ts'
import { readSnapshot, type SnapshotSubject, writeSnapshot } from './snapshot.ts'

/**
 * Opens the view: snapshot, then the chain up to its head. With a snapshot it opens although the chain is out of reach.
 * @throws the chain's error when there is neither
 */
export async function openStakeView(opts: StakeViewOptions, modules: StakeViewModules): Promise<ChainStakeView> {
  const subject: SnapshotSubject = opts
  let ledger: StakeLedger | undefined
  if (opts.snapshotFile !== undefined) {
    const read = await readSnapshot(opts.snapshotFile, subject)
    if (read.outcome === 'loaded') ledger = read.ledger
    if (read.outcome === 'unusable') {
      modules.logger.warn('stake snapshot is unusable; reading the chain anew', {
        file: opts.snapshotFile,
        reason: read.reason,
      })
    }
  }
  const view = new PolledStakeView(opts, modules, ledger ?? new StakeLedger())
  try {
    await view.sync()
  } catch (error) {
    if (ledger === undefined) throw error
  }
  view.startPolling()
  return view
}

class PolledStakeView implements ChainStakeView {
  readonly #opts: StakeViewOptions
  readonly #modules: StakeViewModules
  readonly #follower: LogFollower
  readonly #metrics
  readonly #changeListeners = new Set<(stakeIds: readonly number[]) => void>()
  readonly #headListeners = new Set<(head: Head) => void>()
  /** Stakes whose right waits for its confirmations. */
  readonly #unconfirmed = new Set<number>()
  #ledger: StakeLedger
  /** Takes the ledger's place once it is at the head; the ledger is not walked on meanwhile. */
  #fresh: StakeLedger | undefined
  #head: Head | undefined
  #lastError: string | undefined
  #failures = 0
  #snapshotAtMs = 0
  #cancelPoll: (() => void) | undefined
  #closed = false
  #running: Promise<void> = Promise.resolve()

  constructor(opts: StakeViewOptions, modules: StakeViewModules, ledger: StakeLedger) {
    this.#opts = opts
    this.#modules = modules
    this.#ledger = ledger
    this.#metrics = stakeViewMetrics(modules.metrics)
    this.#follower = new LogFollower(modules.client, opts.registry, opts.fromBlock, opts.retainSeconds)
    for (let stakeId = 1; stakeId <= ledger.tables.stakeCount; stakeId++) this.#noteUnconfirmed(stakeId)
  }

  head(): Head | undefined {
    return this.#head
  }

  key(address: Address): KeyTenure | undefined {
    return this.#ledger.tables.key(address)
  }

  stake(stakeId: number): StakeRow | undefined {
    return this.#ledger.tables.stake(stakeId)
  }

  maySpeak(stakeId: number): boolean {
    const since = this.#ledger.tables.speaksSinceBlock(stakeId)
    return since !== undefined && this.#isConfirmed(since)
  }

  *speakers(): Iterable<StakeRow> {
    const { tables } = this.#ledger
    for (let stakeId = 1; stakeId <= tables.stakeCount; stakeId++) {
      if (this.maySpeak(stakeId)) yield tables.stake(stakeId) as StakeRow
    }
  }

  keyAt(stakeId: number, epoch: number): KeyTenure | undefined {
    return this.#ledger.keyAt(stakeId, epoch)
  }

  at(blockNumber: bigint): HistoricView {
    return this.#ledger.at(Number(blockNumber))
  }

  atTime(unixSeconds: number): HistoricView | undefined {
    return this.#ledger.atTime(unixSeconds)
  }

  onChange(listener: (stakeIds: readonly number[]) => void): () => void {
    this.#changeListeners.add(listener)
    return () => this.#changeListeners.delete(listener)
  }

  onHead(listener: (head: Head) => void): () => void {
    this.#headListeners.add(listener)
    return () => this.#headListeners.delete(listener)
  }

  chainReference(): number | undefined {
    return chainReference(this.#head, this.#modules.clock.nowMs(), this.#opts.skewSeconds)
  }

  health(): StakeViewHealth {
    const headAgeMs = this.#head === undefined ? undefined : this.#modules.clock.nowMs() - this.#head.seenAtMs
    return {
      stale: headAgeMs === undefined || headAgeMs > this.#opts.staleAfterMs,
      headBlock: this.#ledger.tip?.number,
      headAgeMs,
      lastError: this.#lastError,
    }
  }

  sync(): Promise<void> {
    // One walk at a time: a second caller gets a walk of its own after the running one, whatever that one came to.
    const walk = this.#running.then(() => this.#walk())
    this.#running = walk.catch(() => undefined)
    return walk
  }

  startPolling(): void {
    if (this.#closed) return
    const delayMs = Math.min(this.#opts.pollMs * 2 ** Math.min(this.#failures, 10), this.#maxPollMs)
    this.#cancelPoll = this.#modules.timers.after(delayMs, () => {
      // A failed walk is logged, counted and in health() already; the next poll comes either way.
      this.sync().then(
        () => this.startPolling(),
        () => this.startPolling(),
      )
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelPoll?.()
    await this.#running
    await this.#writeSnapshot()
  }

  get #maxPollMs(): number {
    return Math.max(this.#opts.pollMs, MAX_POLL_BACKOFF_MS)
  }

  async #walk(): Promise<void> {
    let walk: Walk | undefined
    try {
      if (this.#fresh === undefined) {
        walk = await this.#follower.walk(this.#ledger)
        if (walk === undefined) this.#begin('the chain no longer has any block this view can go back to')
      }
      if (walk === undefined) walk = await this.#rebuild(this.#fresh ?? new StakeLedger())
    } catch (error) {
      if (error instanceof ChainError && error.code === 'CHAIN_LOGS_INCOMPLETE') this.#begin(error.message)
      this.#failed(error)
      throw error
    }
    this.#failures = 0
    this.#lastError = undefined
    this.#took(walk)
    if (this.#modules.clock.nowMs() - this.#snapshotAtMs < SNAPSHOT_INTERVAL_MS) return
    try {
      await this.#writeSnapshot()
    } catch (error) {
      // A cache that cannot be written costs the next start time, nothing else.
      this.#modules.logger.error('stake snapshot cannot be written', { error: (error as Error).message })
    }
  }

  /** What is known stays in use until all is read anew: with an empty view every key is unknown and no stake tombstoned. */
  #begin(reason: string): void {
    if (this.#fresh === undefined) this.#modules.logger.error('stake view is built anew', { reason })
    this.#fresh = new StakeLedger()
  }

  async #rebuild(fresh: StakeLedger): Promise<Walk> {
    const walk = await this.#follower.walk(fresh)
    if (walk === undefined) {
      this.#fresh = new StakeLedger()
      throw new ChainError('CHAIN_UNSTEADY', 'the chain changed faster than it could be read')
    }
    const known = this.#ledger.tip?.number ?? 0
    if (walk.behind || walk.head.number < known) {
      throw new ChainError('CHAIN_BEHIND', `the RPC is at block ${walk.head.number}, and block ${known} was seen`, {
        exitCode: EXIT.tryAgain,
        hint: 'the next poll tries again; if it goes on, use another RPC',
        values: { headNumber: walk.head.number, known },
      })
    }
    const all = Math.max(this.#ledger.tables.stakeCount, fresh.tables.stakeCount)
    this.#ledger = fresh
    this.#fresh = undefined
    return { ...walk, changed: new Set(Array.from({ length: all }, (_, index) => index + 1)) }
  }

  #took(walk: Walk): void {
    if (walk.undoneBlocks > 0) {
      this.#metrics.reorgs.inc()
      this.#metrics.blocksUndone.inc({}, walk.undoneBlocks)
      this.#modules.logger.warn('chain reorganised', { undoneBlocks: walk.undoneBlocks, headBlock: walk.head.number })
    }
    const changed = new Set(walk.changed)
    for (const stakeId of walk.changed) this.#noteUnconfirmed(stakeId)
    for (const stakeId of this.#unconfirmed) {
      const since = this.#ledger.tables.speaksSinceBlock(stakeId)
      if (since !== undefined && !this.#isConfirmed(since)) continue
      this.#unconfirmed.delete(stakeId)
      changed.add(stakeId)
    }
    const tip = this.#ledger.tip
    this.#metrics.headBlock.set(tip?.number ?? 0)
    this.#metrics.stakes.set(this.#ledger.tables.stakeCount)
    const isNew = tip !== undefined && tip.hash !== this.#head?.hash && !walk.behind
    if (isNew) {
      const { number, hash, timestamp } = tip
      this.#head = { number: BigInt(number), hash, timestamp, seenAtMs: this.#modules.clock.nowMs() }
    }
    if (changed.size > 0) for (const listener of this.#changeListeners) listener([...changed])
    if (isNew) for (const listener of this.#headListeners) listener(this.#head as Head)
  }

  #isConfirmed(sinceBlock: number): boolean {
    return (this.#ledger.tip?.number ?? 0) - sinceBlock >= this.#opts.confirmationsBlocks
  }

  #noteUnconfirmed(stakeId: number): void {
    const row = this.#ledger.tables.stake(stakeId)
    if (row !== undefined && canSpeak(row) && !this.#isConfirmed(row.speaksSinceBlock as number)) {
      this.#unconfirmed.add(stakeId)
    }
  }

  #failed(error: unknown): void {
    this.#failures++
    this.#metrics.pollFailures.inc()
    const message = chainErrorMessage(error)
    if (this.#lastError === undefined) this.#modules.logger.warn('chain cannot be read', { error: message })
    this.#lastError = message
  }

  async #writeSnapshot(): Promise<void> {
    if (this.#opts.snapshotFile === undefined || this.#ledger.tip === undefined || this.#fresh !== undefined) return
    this.#snapshotAtMs = this.#modules.clock.nowMs()
    await writeSnapshot(this.#opts.snapshotFile, this.#opts, this.#ledger)
  }
}
