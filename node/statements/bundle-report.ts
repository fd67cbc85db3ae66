import type { Address, Domain } from '../core/index.ts'
import type { EvidenceBundle } from './bundle.ts'
import { DomainSeparator } from './digest.ts'
import { FAULT_RULES, judge, readEvidence } from './faults/judge.ts'
import type { FaultVerdict } from './faults/verdict.ts'
import { epochOf } from './position.ts'
import type { JudgingParams, KeyRecord } from './tenure.ts'

/** What whoever verifies a bundle knows for sure. Only the domain is needed; the rest makes more of it proven. */
export interface BundleContext {
  /** Chain id, registry and salt of the deployment that is asked about. */
  readonly domain: Domain
  /** The deployment's numbers, read from its chain. Without them the bundle's are taken. */
  readonly params?: JudgingParams
  /** The registry's record of a key (`StakeView.key` fits). Without it the bundle's is taken. */
  readonly key?: (address: Address) => KeyRecord | undefined
  /** Unix seconds of the chain's head. Without it the fault is judged as of the moment it was committed. */
  readonly at?: number
}

export interface BundleReport {
  /** The court's verdict, as far as what was given goes. */
  readonly verdict: FaultVerdict
  /** What holds whatever the bundle claims. */
  readonly proven: readonly string[]
  /** What the verdict takes from the bundle, or cannot know. */
  readonly unproven: readonly string[]
}

/**
 * Judges a bundle without a chain, and says what that proves. Signatures are checked in `context.domain`, never in the
 * bundle's own, so a bundle for another deployment proves nothing here.
 */
export function verifyBundle(bundle: EvidenceBundle, context: BundleContext): BundleReport {
  const params = context.params ?? bundle.params
  const verdict = judge(bundle.faultType, bundle.evidence, {
    domain: new DomainSeparator(context.domain),
    params,
    key: context.key ?? ((address) => (address === bundle.signer.address ? bundle.signer : undefined)),
    at: context.at ?? committedAt(bundle, params),
  })
  return { verdict, proven: verdict.proven ? proven(bundle, context) : [], unproven: unproven(bundle, context) }
}

/** The start of the epoch the statement is in. Mesh kinds have none: then the key's first moment. */
function committedAt(bundle: EvidenceBundle, params: JudgingParams): number {
  const { kind, position } = readEvidence(bundle.faultType, bundle.evidence).slot
  return (kind <= 3 ? epochOf(position) : bundle.signer.fromEpoch) * params.epochSeconds
}

function proven(bundle: EvidenceBundle, context: BundleContext): string[] {
  const { chainId, verifyingContract } = context.domain
  const { address } = bundle.signer
  const where = `for chain ${chainId} and registry ${verifyingContract}`
  const said = FAULT_RULES[bundle.faultType].contents === 2 ? 'two contents for one slot' : 'this statement'
  const lines = [`key ${address} signed ${said}, ${where}`]
  if (context.key) lines.push('the key belongs to this stake, in that epoch')
  if (context.params && bundle.faultType === 2) lines.push('its index is at or above the limit')
  if (context.at !== undefined) lines.push('it can still be punished')
  return lines
}

function unproven(bundle: EvidenceBundle, context: BundleContext): string[] {
  const { fromEpoch, stakeId } = bundle.signer
  const lines: string[] = []
  if (!context.key) lines.push(`that the key belongs to stake ${stakeId} since epoch ${fromEpoch}: the bundle says so`)
  if (!context.params) lines.push('epoch length, limits and windows of the deployment: the bundle says so')
  if (context.at === undefined) lines.push('that it can still be punished: no chain time was given')
  lines.push('that the stake was not slashed for it already: only the court knows')
  return lines
}
