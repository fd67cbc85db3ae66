import {
  type Address,
  type Hex,
  type Logger,
  type Metrics,
  type Offence,
  type OffenceSink,
  type Random,
  type StakeView,
  SuprnovaError,
  type Table,
  toHex,
} from '../../core/index.ts'
import { commitmentOf } from '../actions/commitmentOf.ts'
import { MAX_OUTBOX_RECORDS } from '../constants.ts'
import { chainErrorMessage } from '../contract-errors.ts'
import { reporterMetrics } from '../metrics.ts'
import { type Case, type CaseMemory, FRESH_MEMORY, nextStep, notePending, noteRefusal, type Outcome } from './case.ts'
import { type ChainPosition, type Court, caseCalls } from './court.ts'
import { GasKey } from './gas-key.ts'
import { Outbox } from './outbox.ts'
import { isOwedAnswer } from './transaction.ts'

const SALT_BYTES = 32
/** Refusals that only say that the chain moved on since the look; the next look knows. */
const MOVED_ON = new Set([
  'AlreadySlashed',
  'AlreadyCommitted',
  'AlreadyReleased',
  'NotEarlier',
  'ClaimWindowClosed',
  'ClaimWindowOpen',
  'UnknownFault',
  'UnknownCommitment',
  'EpochInFuture',
])

export interface ReporterOptions {
  /** Who is paid; the gas key's account by default. */
  readonly beneficiary?: Address
  readonly rewardWindowSeconds: number
  /** No transaction ever offers more than this a gas. */
  readonly maxFeePerGasWei: bigint
  readonly maxCases?: number
}

export interface ReporterModules {
  readonly court: Court
  readonly table: Table
  /** When to look again, and whom a tombstone already silenced. */
  readonly stakeView: Pick<StakeView, 'stake'> & { onHead(listener: () => void): () => void }
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}

export type ReporterEvent =
  /** The commit is mined: the evidence may be shown to others now. */
  | { readonly type: 'committed'; readonly faultId: Hex; readonly blockNumber: number }
  | { readonly type: 'slashed'; readonly faultId: Hex; readonly stakeId: number; readonly blockNumber: number }
  | { readonly type: 'finished'; readonly faultId: Hex; readonly outcome: Outcome }

/** One case, for status and the command line. */
export interface CaseStatus {
  readonly faultId: Hex
  readonly faultType: number
  readonly stakeId: number
  readonly doing: string
}

export interface ReporterHealth {
  readonly openCases: number
  /** Why the newest look failed: no RPC, no gas money. */
  readonly lastError: string | undefined
}

/** A transaction that is due and is no case's: an answer to a challenge, for one. */
export interface Errand {
  /** Unique: one transaction a purpose is on its way at a time. */
  readonly purpose: string
  readonly to: Address
  readonly data: Hex
  /** Called when the chain would not take it, with its reason. */
  readonly refused?: (reason: SuprnovaError) => void
}

export interface Reporter extends OffenceSink {
  /** Sends what `errands` says is due, at every look, from the same account and under the same nonces as the cases. */
  runErrands(errands: () => Promise<readonly Errand[]>): void
  onEvent(listener: (event: ReporterEvent) => void): () => void
  cases(): CaseStatus[]
  health(): ReporterHealth
  /** Looks at all cases now. Called by itself at every head and every new offence. */
  look(): Promise<void>
  close(): Promise<void>
}

/** Takes offences to court: commit, submit, claim, release; written to the outbox as they are reported. */
export function openReporter(opts: ReporterOptions, modules: ReporterModules): Reporter {
  return new CourtReporter(opts, modules)
}

interface OpenCase {
  readonly record: Case
  memory: CaseMemory
  /** Resolves when the case is durable; absent while it is not, and nothing makes it so. */
  stored: Promise<void> | undefined
  doing: string
  announced: Set<ReporterEvent['type']>
}

class CourtReporter implements Reporter {
  readonly #opts: ReporterOptions
  readonly #modules: ReporterModules
  readonly #outbox: Outbox
  readonly #gasKey: GasKey
  readonly #metrics
  readonly #cases = new Map<Hex, OpenCase>()
  readonly #listeners = new Set<(event: ReporterEvent) => void>()
  readonly #stopHeads: () => void
  #running: Promise<void> | undefined
  #again = false
  #lastError: string | undefined
  #failedNow: string | undefined
  #errands: () => Promise<readonly Errand[]> = async () => []
  #closed = false

  constructor(opts: ReporterOptions, modules: ReporterModules) {
    this.#opts = opts
    this.#modules = modules
    this.#outbox = new Outbox(modules.table)
    this.#metrics = reporterMetrics(modules.metrics)
    for (const record of this.#outbox.cases()) this.#cases.set(record.faultId, openCase(record, Promise.resolve()))
    this.#gasKey = new GasKey(opts.maxFeePerGasWei, {
      court: modules.court,
      outbox: this.#outbox,
      logger: modules.logger,
    })
    this.#stopHeads = modules.stakeView.onHead(() => void this.look())
  }

  report(offence: Offence): void {
    const reason = this.#reasonToDrop(offence)
    if (reason !== undefined) {
      this.#metrics.dropped.inc({ reason })
      return
    }
    const evidence = toHex(offence.evidence)
    const { faultId, faultType, stakeId } = offence
    const { reporter } = this.#modules.court
    const beneficiary = this.#opts.beneficiary ?? reporter
    const salt = toHex(this.#modules.random.bytes(SALT_BYTES))
    const commitment = commitmentOf({ reporter, beneficiary, faultId, evidence, salt })
    const record: Case = { faultId, faultType, stakeId, evidence, reporter, beneficiary, salt, commitment }
    const open = openCase(record, undefined)
    this.#cases.set(faultId, open)
    this.#modules.logger.warn('fault seen', { faultId, faultType, stakeId, signer: offence.signer })
    // At once: the look under way may hang in the RPC for minutes, and nobody reports a quarantined key again.
    this.#store(open).catch((error: unknown) => this.#failed(error))
    void this.look()
  }

  runErrands(errands: () => Promise<readonly Errand[]>): void {
    this.#errands = errands
  }

  onEvent(listener: (event: ReporterEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  cases(): CaseStatus[] {
    return [...this.#cases.values()].map(({ record, doing }) => {
      const { faultId, faultType, stakeId } = record
      return { faultId, faultType, stakeId, doing }
    })
  }

  health(): ReporterHealth {
    return { openCases: this.#cases.size, lastError: this.#lastError }
  }

  look(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#again = true
    this.#running ??= this.#lookWhileAsked().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopHeads()
    await this.#running
    await Promise.allSettled([...this.#cases.values()].map(({ stored }) => stored))
  }

  /** Makes a case durable. One write at a time; a failed one is repeated by the next look. */
  #store(open: OpenCase): Promise<void> {
    open.stored ??= this.#outbox.putCase(open.record).catch((error: unknown) => {
      open.stored = undefined
      throw error
    })
    return open.stored
  }

  #reasonToDrop(offence: Offence): string | undefined {
    if (this.#closed) return 'closed'
    if (this.#cases.has(offence.faultId)) return 'known'
    if (this.#modules.stakeView.stake(offence.stakeId)?.tombstoned === true) return 'tombstoned'
    for (const { record } of this.#cases.values()) {
      // A stake is charged its largest penalty of a period: a second fault of one type adds cost, not penalty.
      if (record.stakeId === offence.stakeId && record.faultType === offence.faultType) return 'same stake and type'
    }
    return this.#cases.size >= (this.#opts.maxCases ?? MAX_OUTBOX_RECORDS) ? 'full' : undefined
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false
      this.#failedNow = undefined
      try {
        await this.#lookOnce()
      } catch (error) {
        this.#failed(error)
      }
      this.#lastError = this.#failedNow
    }
  }

  async #lookOnce(): Promise<void> {
    for (const open of this.#cases.values()) {
      try {
        await this.#store(open)
      } catch (error) {
        this.#failed(error)
      }
    }
    this.#metrics.open.set(this.#cases.size)
    const errands = await this.#errands()
    if (this.#cases.size === 0 && this.#gasKey.isIdle && errands.length === 0) return
    // Nonces before facts: what the nonces call mined, the facts then show.
    const position = await this.#modules.court.position()
    try {
      await this.#gasKey.tend(position)
    } catch (error) {
      // A full disk, or an RPC that will not have one transaction: an answer to a challenge is due all the same.
      this.#failed(error)
    }
    // Answers have deadlines; cases have none that a block's delay could break.
    for (const errand of errands) {
      try {
        await this.#run(errand, position)
      } catch (error) {
        this.#failed(error)
      }
    }
    for (const open of [...this.#cases.values()]) {
      if (open.stored === undefined) continue
      try {
        await this.#advance(open, position)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  /** Sends an errand that the chain would take. One it refuses is somebody else's work done, or not due yet. */
  async #run({ data, purpose, refused, to }: Errand, position: ChainPosition): Promise<void> {
    if (this.#gasKey.isOnItsWay(purpose, position)) return
    const refusal = await this.#modules.court.refusal(data, 'latest', to)
    if (refusal !== undefined) {
      this.#modules.logger.debug('an errand is refused', { purpose, reason: refusal.message })
      refused?.(refusal)
      return
    }
    this.#metrics.transactions.inc({ purpose: purpose.split(' ')[0] as string })
    await this.#gasKey.send(purpose, data, position, { to, mayBeForgotten: true, yields: !isOwedAnswer(purpose) })
  }

  async #advance(open: OpenCase, position: ChainPosition): Promise<void> {
    const { court, stakeView } = this.#modules
    const { record } = open
    const tombstoned = stakeView.stake(record.stakeId)?.tombstoned === true
    const facts = { ...(await court.facts(record)), ...position, tombstoned }
    if (facts.commitBlock > 0)
      this.#announce(open, { type: 'committed', faultId: record.faultId, blockNumber: facts.commitBlock })
    if (facts.slashedBlock > 0) {
      const { faultId, stakeId } = record
      this.#announce(open, { type: 'slashed', faultId, stakeId, blockNumber: facts.slashedBlock })
    }
    const { memory, step } = nextStep(open.memory, record, facts, this.#opts.rewardWindowSeconds)
    open.memory = memory
    open.doing = step.do === 'wait' ? `wait for ${step.why}` : step.do
    if (step.do === 'wait') return
    if (step.do === 'finish') return this.#finish(open, step.outcome)
    const purpose = `${step.do} ${record.faultId}`
    if (this.#gasKey.isOnItsWay(purpose, position)) return
    const data = caseCalls[step.do](record)
    // Evidence that the court would not take is not worth a commit either.
    const trial = step.do === 'commit' ? caseCalls.submit(record) : data
    const refusal =
      (await court.refusal(trial, 'latest')) ?? (data === trial ? undefined : await court.refusal(data, 'latest'))
    if (refusal !== undefined) return this.#refused(open, refusal, position.headNumber)
    if (step.do === 'submit' && step.yieldToPending) {
      const pending = await court.refusal(data, 'pending')
      if (pending?.values.error === 'AlreadySlashed') {
        open.memory = notePending(open.memory, position.headNumber)
        return
      }
    }
    this.#metrics.transactions.inc({ purpose: step.do })
    // Only a claim as good as ours can make it fail, and then there is nothing to claim.
    await this.#gasKey.send(purpose, data, position, { yields: step.do === 'claim' })
  }

  #refused(open: OpenCase, refusal: SuprnovaError, headNumber: number): void {
    if (MOVED_ON.has(String(refusal.values.error))) return
    open.memory = noteRefusal(open.memory, headNumber)
    this.#modules.logger.error('court refuses evidence', { faultId: open.record.faultId, reason: refusal.message })
  }

  async #finish(open: OpenCase, outcome: Outcome): Promise<void> {
    const { faultId } = open.record
    await this.#outbox.deleteCase(open.record)
    this.#cases.delete(faultId)
    this.#metrics.outcomes.inc({ outcome })
    this.#metrics.open.set(this.#cases.size)
    this.#modules.logger.info('fault finished', { faultId, outcome })
    this.#announce(open, { type: 'finished', faultId, outcome })
  }

  #announce(open: OpenCase, event: ReporterEvent): void {
    if (open.announced.has(event.type)) return
    open.announced.add(event.type)
    for (const listener of this.#listeners) listener(event)
  }

  #failed(error: unknown): void {
    const message = chainErrorMessage(error)
    const code = error instanceof SuprnovaError ? error.code : undefined
    if (message !== this.#lastError) this.#modules.logger.error('reporting is held up', { error: message, code })
    this.#failedNow = message
  }
}

function openCase(record: Case, stored: Promise<void> | undefined): OpenCase {
  return { record, memory: FRESH_MEMORY, stored, doing: 'look', announced: new Set() }
}
