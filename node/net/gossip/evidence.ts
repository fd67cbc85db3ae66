import {
  type Address,
  type Clock,
  type Domain,
  FAULT,
  type FaultType,
  type Offence,
  type ProtocolParams,
  type StakeView,
  toHex,
} from '../../core/index.ts'
import {
  DomainSeparator,
  type FaultError,
  faultIdOf,
  type JudgeContext,
  judgeEquivocation,
  judgeOverrun,
} from '../../statements/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import { EVIDENCE_MAX_BYTES, EVIDENCE_SEEN_MAX } from '../constants.ts'
import { badPayload } from '../errors.ts'
import type { NetMetrics } from '../metrics.ts'
import type { Checked, GossipRouter } from './router.ts'

const EVIDENCE_VERSION = 1
/** u8 version, u8 fault type. */
const HEAD_BYTES = 2

/** The bytes of a piece of evidence on its topic: u8 version, u8 fault type, then what the verifier reads. */
export function encodeEvidence(faultType: FaultType, evidence: Uint8Array): Uint8Array {
  const size = HEAD_BYTES + evidence.length
  if (size > EVIDENCE_MAX_BYTES) throw badPayload('evidence bytes', size, EVIDENCE_MAX_BYTES)
  const bytes = new Uint8Array(size)
  bytes.set([EVIDENCE_VERSION, faultType])
  bytes.set(evidence, HEAD_BYTES)
  return bytes
}

/** @returns `undefined` for bytes that are not evidence of a fault proved by statements alone */
export function decodeEvidence(bytes: Uint8Array): { faultType: FaultType; evidence: Uint8Array } | undefined {
  const faultType = bytes[1]
  if (bytes.length <= HEAD_BYTES + 20 || bytes.length > EVIDENCE_MAX_BYTES || bytes[0] !== EVIDENCE_VERSION) return
  if (faultType !== FAULT.equivocation && faultType !== FAULT.overrun) return
  return { faultType, evidence: bytes.subarray(HEAD_BYTES) }
}

/** What two honest nodes may see differently, by their clocks or heads. Anything else is wrong for everybody. */
const MATTERS_OF_TIME: ReadonlySet<FaultError> = new Set([
  'UnknownKey',
  'EpochInFuture',
  'KeyNotInTenure',
  'EvidenceTooOld',
])

export interface EvidenceOptions {
  readonly wireTopic: string
  readonly domain: Domain
  readonly params: ProtocolParams
}

export interface EvidenceModules {
  readonly stakeView: StakeView
  readonly clock: Clock
  readonly metrics: NetMetrics
}

/**
 * Carries evidence bare, signed by nobody: it proves itself. Each (stake, fault type) once: a second lie of a stake
 * that is about to be slashed is not worth a word.
 */
export class EvidenceGossip {
  readonly #wireTopic: string
  readonly #domain: DomainSeparator
  readonly #params: ProtocolParams
  readonly #modules: EvidenceModules
  readonly #seen: BoundedMap<string, true>
  readonly #handlers = new Set<(offence: Offence) => void>()

  constructor(options: EvidenceOptions, modules: EvidenceModules) {
    this.#wireTopic = options.wireTopic
    this.#domain = new DomainSeparator(options.domain)
    this.#params = options.params
    this.#modules = modules
    this.#seen = new BoundedMap(EVIDENCE_SEEN_MAX, () => modules.metrics.evicted.inc({ name: 'evidence' }))
  }

  /** (stake, fault type) pairs remembered. */
  get size(): number {
    return this.#seen.size
  }

  onEvidence(handler: (offence: Offence) => void): () => void {
    this.#handlers.add(handler)
    return () => this.#handlers.delete(handler)
  }

  async publish(router: GossipRouter, offence: Pick<Offence, 'faultType' | 'stakeId' | 'evidence'>): Promise<number> {
    const bytes = encodeEvidence(offence.faultType, offence.evidence)
    if (!this.#isNew(offence.stakeId, offence.faultType)) return 0
    this.#seen.set(pair(offence.stakeId, offence.faultType), true)
    this.#modules.metrics.evidence.inc({ outcome: 'published' })
    return router.publish(this.#wireTopic, bytes)
  }

  /** The validation of the evidence topic. What was carried before is not judged again. */
  check(data: Uint8Array): Checked {
    const decoded = decodeEvidence(data)
    if (decoded === undefined) return this.#counted('reject', 'undecodable')
    const { faultType, evidence } = decoded
    const signer: Address = toHex(evidence.subarray(0, 20))
    const key = this.#modules.stakeView.key(signer)
    if (key === undefined) return this.#counted('ignore', 'unknown-signer')
    if (!this.#isNew(key.stakeId, faultType)) return this.#counted('ignore', 'carried-before')
    const verdict =
      faultType === FAULT.overrun
        ? judgeOverrun(evidence, this.#context())
        : judgeEquivocation(evidence, this.#context())
    if (!verdict.proven) return this.#counted(MATTERS_OF_TIME.has(verdict.error) ? 'ignore' : 'reject', verdict.error)
    this.#seen.set(pair(verdict.stakeId, faultType), true)
    const { stakeId, slot } = verdict
    const { domain } = this.#domain
    const faultId = faultIdOf(domain, faultType, stakeId, slot)
    const offence: Offence = { faultType, stakeId, signer, slot, faultId, evidence: evidence.slice(), domain }
    return { ...this.#counted('accept', 'proven'), deliver: () => this.#deliver(offence) }
  }

  #context(): JudgeContext {
    const { stakeView, clock } = this.#modules
    const at = Math.floor(clock.nowMs() / 1000)
    return { domain: this.#domain, params: this.#params, key: (address) => stakeView.key(address), at }
  }

  #isNew(stakeId: number, faultType: FaultType): boolean {
    return !this.#seen.has(pair(stakeId, faultType))
  }

  #counted(outcome: Checked['outcome'], reason: string): Checked {
    this.#modules.metrics.evidence.inc({ outcome, reason })
    return { outcome }
  }

  #deliver(offence: Offence): void {
    for (const handler of this.#handlers) handler(offence)
  }
}

const pair = (stakeId: number, faultType: FaultType) => `${stakeId}:${faultType}`
