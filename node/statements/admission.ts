import {
  type Address,
  type Clock,
  type Counter,
  type Domain,
  equalBytes,
  type Metrics,
  type OffenceSink,
  type ProtocolParams,
  type SignedStatement,
  type SigningGuard,
  type Slot,
  type SlotIndex,
  type StakeView,
} from '../core/index.ts'
import type {
  AdmissionContext,
  AdmittedBody,
  IgnoreReason,
  Judging,
  RejectReason,
  Verdict,
} from './admission-verdict.ts'
import { BoundedMap } from './bounded-map.ts'
import { type BudgetRate, ConflictBudget } from './conflict-budget.ts'
import { DomainSeparator, statementDigest } from './digest.ts'
import { equivocationOffence, overrunOffence } from './faults/offence.ts'
import { type Frame, MAX_FRAME_BYTES } from './frame.ts'
import { isMetered, isScopeVoid, kindRule, limitOf } from './kinds.ts'
import { KnownPaths } from './known-paths.ts'
import { LeavesSeen } from './leaves-seen.ts'
import { isOnTopic, openFrame } from './opened-frame.ts'
import { epochAt, epochOf, indexOf } from './position.ts'
import { verifyDigest } from './signature.ts'
import { isEpochInFuture, isInTenure, punishableUntil } from './tenure.ts'

/** Epochs behind the current one whose metered statements are still taken: one of clock skew, one of delay. */
export const DEFAULT_PAST_EPOCHS = 2
/** Statements of which only some leaves were seen. Forgetting one drops its missing leaves as duplicates. */
export const MAX_PARTIAL_STATEMENTS = 16_384
/** Signers whose overrun of this epoch is known, so that no other of it is verified. */
export const MAX_KNOWN_OVERRUNS = 4096
/** Verifications of second contents and overruns. 256 a second are about 2 % of one core with native verification. */
export const DEFAULT_CONFLICT_BUDGET = {
  perSigner: { burst: 8, perSecond: 2 },
  overall: { burst: 512, perSecond: 256 },
} as const satisfies { perSigner: BudgetRate; overall: BudgetRate }

export interface AdmissionOptions {
  readonly domain: Domain | DomainSeparator
  readonly params: ProtocolParams
  readonly pastEpochs?: number
  /** Longest frame taken, in bytes. */
  readonly maxFrameBytes?: number
  readonly conflictBudget?: {
    readonly perSigner: BudgetRate
    readonly overall: BudgetRate
  }
}

export interface AdmissionModules {
  readonly stakeView: Pick<StakeView, 'key' | 'maySpeak'>
  readonly slotIndex: SlotIndex
  readonly clock: Clock
  readonly offences: OffenceSink
  readonly metrics: Metrics
  /** This node's own key: its statements are told to the guard, and never reported against it. */
  readonly own?: {
    readonly address: Address
    readonly publicKey: Uint8Array
    readonly guard: Pick<SigningGuard, 'observeOwn'>
  }
}

const reject = (reason: RejectReason): Verdict => ({
  outcome: 'reject',
  reason,
})
const ignore = (reason: IgnoreReason): Verdict => ({
  outcome: 'ignore',
  reason,
})

interface Speaker {
  readonly stakeId: number
  readonly publicKey: Uint8Array
}

/**
 * The checks that gossip and requests share, in the order that makes hostile frames cheap: size, decoding, topic and
 * epoch window, stake, slot and meter, signature, path, and only then the writes. Nothing unverified is remembered.
 *
 * The meter needs no state: an index is part of the signed position, so the limit is checked against it alone.
 *
 * @example
 * const verdict = admission.admit(frame, { kinds: [KIND.gossip], topicHash: topicHash('chess') })
 * if (verdict.outcome === 'accept') for (const { body } of verdict.bodies) deliver(body)
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #modules: AdmissionModules
  readonly #domain: DomainSeparator
  readonly #budget: ConflictBudget
  readonly #partial = new LeavesSeen(MAX_PARTIAL_STATEMENTS)
  readonly #paths = new KnownPaths()
  readonly #overruns = new BoundedMap<Address, number>(MAX_KNOWN_OVERRUNS)
  readonly #verdicts: Counter
  /** Counts the writes: unchanged between two steps, nothing looked up before has gone stale. */
  #writes = 0

  constructor(options: AdmissionOptions, modules: AdmissionModules) {
    this.#options = options
    this.#modules = modules
    this.#domain = options.domain instanceof DomainSeparator ? options.domain : new DomainSeparator(options.domain)
    const { perSigner, overall } = options.conflictBudget ?? DEFAULT_CONFLICT_BUDGET
    this.#budget = new ConflictBudget(perSigner, overall, modules.clock.nowMs())
    this.#verdicts = modules.metrics.counter(
      'suprnova_statements_verdicts_total',
      'Frames judged, by outcome and reason',
    )
  }

  /** Judges `bytes`, a wire frame. Never throws for what stands in them. */
  admit(bytes: Uint8Array, context: AdmissionContext): Verdict {
    const judging = this.judging(bytes, context)
    let step = judging.next()
    while (!step.done) {
      const { publicKey, digest, signature } = step.value
      step = judging.next(verifyDigest(publicKey, digest, signature))
    }
    return step.value
  }

  /**
   * The same in steps, for a caller that checks signatures elsewhere, off this thread for one. Other frames may be
   * judged between two steps: nothing was written before, and what is known of the slot is looked up anew after.
   */
  *judging(bytes: Uint8Array, context: AdmissionContext): Judging {
    const verdict = yield* this.#judge(bytes, context)
    this.#verdicts.inc({ outcome: verdict.outcome, reason: verdict.reason })
    return verdict
  }

  /** How much is remembered beside the slot index; each number has a bound. */
  get remembered(): {
    readonly partialStatements: number
    readonly budgetedSigners: number
    readonly overruns: number
    readonly trees: number
  } {
    return {
      partialStatements: this.#partial.size,
      budgetedSigners: this.#budget.signers,
      overruns: this.#overruns.size,
      trees: this.#paths.size,
    }
  }

  *#judge(bytes: Uint8Array, context: AdmissionContext): Judging {
    if (bytes.length > (this.#options.maxFrameBytes ?? MAX_FRAME_BYTES)) return reject('size')
    const decoded = openFrame(bytes)
    if ('reason' in decoded) return reject(decoded.reason)
    const { frame, bodies } = decoded
    const { statement } = frame.signed
    if (isScopeVoid(statement.kind, statement.scope)) return reject('void')
    if (!context.kinds.includes(statement.kind) || !isOnTopic(bodies, context.topicHash)) return reject('topic')
    const nowMs = this.#modules.clock.nowMs()
    const unfit = this.#windowProblem(frame, nowMs, context.pastEpochs)
    if (unfit) return ignore(unfit)
    const speaker = this.#speakerOf(frame, nowMs)
    if (typeof speaker === 'string') return ignore(speaker)
    if (isMetered(statement.kind) && indexOf(statement.position) >= limitOf(statement.kind, this.#options.params)) {
      return yield* this.#judgeOverrun(frame, speaker, nowMs)
    }
    return yield* this.#judgeSlot(frame, bodies, speaker, { nowMs, takesRepeats: context.repeats === 'accept' })
  }

  #windowProblem(
    { signed: { statement } }: Frame,
    nowMs: number,
    wanted: number | undefined,
  ): IgnoreReason | undefined {
    if (!isMetered(statement.kind)) return undefined
    const { params } = this.#options
    const pastEpochs = wanted ?? this.#options.pastEpochs ?? DEFAULT_PAST_EPOCHS
    const nowSeconds = nowMs / 1000
    if (isEpochInFuture(statement.position, nowSeconds, params)) return 'window'
    return epochOf(statement.position) < epochAt(nowSeconds, params.epochSeconds) - pastEpochs ? 'window' : undefined
  }

  #speakerOf({ signed: { signer, statement } }: Frame, nowMs: number): Speaker | IgnoreReason {
    const { own, slotIndex, stakeView } = this.#modules
    if (signer === own?.address) return { stakeId: stakeView.key(signer)?.stakeId ?? 0, publicKey: own.publicKey }
    if (slotIndex.isQuarantined(signer)) return 'quarantined'
    const key = stakeView.key(signer)
    if (key === undefined) return 'unknown'
    if (!stakeView.maySpeak(key.stakeId)) return 'inactive'
    if (!isInTenure(statement.kind, statement.position, key)) return 'tenure'
    return nowMs / 1000 > punishableUntil(statement.kind, key, this.#options.params) ? 'tenure' : key
  }

  /** An index at or above the limit: never passed on, and an offence once it is verified. */
  *#judgeOverrun(frame: Frame, speaker: Speaker, nowMs: number): Judging {
    const { signed } = frame
    const { signer, statement } = signed
    const epoch = epochOf(statement.position)
    if (this.#overruns.get(signer) === epoch || !this.#budget.take(signer, nowMs)) return reject('overrun')
    const digest = statementDigest(this.#domain, statement)
    if (!(yield { publicKey: speaker.publicKey, digest, signature: signed.signature })) return reject('signature')
    if (this.#overruns.get(signer) === epoch) return reject('overrun')
    if (this.#observeOwn(signed, digest)) return ignore('own')
    this.#overruns.set(signer, epoch)
    const slot = { signer, ...statement }
    const said = { content: statement.content, signature: signed.signature }
    this.#modules.offences.report(overrunOffence(this.#domain, speaker.stakeId, slot, said))
    return reject('overrun')
  }

  *#judgeSlot(
    frame: Frame,
    bodies: readonly AdmittedBody[],
    speaker: Speaker,
    { nowMs, takesRepeats }: { readonly nowMs: number; readonly takesRepeats: boolean },
  ): Judging {
    const { signed } = frame
    const { signer, statement, signature } = signed
    const { slotIndex } = this.#modules
    const slot = {
      signer,
      kind: statement.kind,
      scope: statement.scope,
      position: statement.position,
    }
    let { known, same, fresh } = this.#lookUp(slot, statement.content, bodies)

    // 1. The same statement again: only leaves not seen yet are of interest.
    if (fresh.length === 0 && !takesRepeats) return ignore('duplicate')

    // 2. A second content costs a verification that earns nothing here, so it has a budget.
    if (known && !same && !this.#budget.take(signer, nowMs)) return ignore('budget')

    // 3. Signature, once per statement. What was judged meanwhile may have filled the slot.
    const digest = same && known ? known.digest : statementDigest(this.#domain, statement)
    if (!(same && known && equalBytes(known.signature, signature))) {
      const writes = this.#writes
      if (!(yield { publicKey: speaker.publicKey, digest, signature })) return reject('signature')
      if (slotIndex.isQuarantined(signer)) return ignore('quarantined')
      if (this.#writes !== writes) ({ known, same, fresh } = this.#lookUp(slot, statement.content, bodies))
      if (fresh.length === 0 && !takesRepeats) return ignore('duplicate')
    }

    // 4. A verified second content is an offence, whatever its bodies.
    const isOwn = this.#observeOwn(signed, digest)
    if (known && !same) {
      if (isOwn) return ignore('own')
      const offence = equivocationOffence(this.#domain, speaker.stakeId, slot, known, statementPart(signed))
      slotIndex.quarantine(signer, offence.faultId)
      this.#modules.offences.report(offence)
      return ignore('conflict')
    }

    // 5. Path, and then the writes.
    if (!this.#paths.isTrue(frame)) return reject('path')
    if (!known) {
      const entry = {
        digest,
        content: statement.content.slice(),
        signature: signature.slice(),
      }
      slotIndex.put({ ...slot, scope: slot.scope.slice() }, entry)
    }
    // A leaf of a statement known whole must not make the others look missing.
    if (fresh.length > 0) this.#partial.saw(slot, frame, kindRule(slot.kind).maxBodies)
    this.#writes++
    if (isOwn && !takesRepeats) return ignore('own')
    return {
      outcome: 'accept',
      reason: fresh.length > 0 ? 'new' : 'known',
      signed,
      digest,
      stakeId: speaker.stakeId,
      bodies: takesRepeats ? bodies : fresh,
    }
  }

  /** What is known of a slot, whether that is `content`, and which of `bodies` were not accepted yet. */
  #lookUp(slot: Slot, content: Uint8Array, bodies: readonly AdmittedBody[]) {
    const known = this.#modules.slotIndex.get(slot)
    const same = known !== undefined && equalBytes(known.content, content)
    return { known, same, fresh: same ? bodies.filter(({ leaf }) => this.#partial.isMissing(slot, leaf)) : bodies }
  }

  /** Tells the guard of a verified statement under this node's own key. */
  #observeOwn(signed: SignedStatement, digest: Uint8Array): boolean {
    const { own } = this.#modules
    if (signed.signer !== own?.address) return false
    own.guard.observeOwn(signed.statement, digest)
    return true
  }
}

function statementPart({ statement, signature }: SignedStatement): {
  content: Uint8Array
  signature: Uint8Array
} {
  return { content: statement.content, signature }
}
