import type { Address, FaultType, Hex } from '../../core/index.ts'
import { PENDING_PATIENCE_BLOCKS, REFUSALS_BEFORE_GIVING_UP } from '../constants.ts'

/** One fault the reporter brings to court. All that must survive a restart; the rest is asked of the chain. */
export interface Case {
  readonly faultId: Hex
  readonly faultType: FaultType
  readonly stakeId: number
  readonly evidence: Hex
  readonly reporter: Address
  readonly beneficiary: Address
  /** 32 random bytes. */
  readonly salt: Hex
  readonly commitment: Hex
}

/** What the chain says about a case. Times in unix seconds, block 0: never. */
export interface CourtFacts {
  readonly headNumber: number
  readonly headTimestamp: number
  readonly finalNumber: number
  readonly commitBlock: number
  readonly slashedBlock: number
  readonly slashedAt: number
  readonly escrowedWei: bigint
  readonly released: boolean
  readonly best: { readonly beneficiary: Address; readonly commitBlock: number } | undefined
  /** Whether the stake is tombstoned: another fault of its adds nothing. */
  readonly tombstoned: boolean
}

/** How a case ended. */
export type Outcome =
  | 'rewarded' // slashed, and the reward is ours
  | 'slashed' // slashed; the reward is somebody else's, or there is none
  | 'moot' // the stake was tombstoned for another fault
  | 'refused' // the court does not take the evidence

/** What the reporter remembers between looks; lost with the process, and found again by looking. */
export interface CaseMemory {
  /** The head at which the end was first seen; it must become final. */
  readonly ending?: { readonly outcome: Outcome; readonly block: number }
  /** Heads at which the court refused the evidence. */
  readonly refusals: number
  readonly lastRefusalBlock: number
  /** The head at which another's submission was seen waiting to be mined. */
  readonly pendingSince?: number
}

export const FRESH_MEMORY: CaseMemory = { refusals: 0, lastRefusalBlock: -1 }

export type Step =
  | { readonly do: 'commit' | 'claim' | 'release' }
  /** `yieldToPending`: hold back while another's submission is about to be mined. */
  | { readonly do: 'submit'; readonly yieldToPending: boolean }
  | { readonly do: 'wait'; readonly why: 'finality' | 'window' | 'pending' }
  | { readonly do: 'finish'; readonly outcome: Outcome }

/**
 * Pure: what to do next about a case. It depends on the chain's facts alone, so a restart at any moment goes on where the chain
 * is, and "already committed" and "already slashed" are simply where it is.
 */
export function nextStep(
  memory: CaseMemory,
  of: Case,
  facts: CourtFacts,
  rewardWindowSeconds: number,
): { memory: CaseMemory; step: Step } {
  if (facts.slashedBlock > 0) return afterSlash(memory, of, facts, rewardWindowSeconds)
  if (facts.tombstoned) return end(memory, facts, 'moot')
  if (memory.refusals >= REFUSALS_BEFORE_GIVING_UP) return end(memory, facts, 'refused')
  const open: CaseMemory = { ...memory, ending: undefined }
  if (facts.commitBlock === 0) return { memory: open, step: { do: 'commit' } }
  const waited = memory.pendingSince === undefined ? 0 : facts.headNumber - memory.pendingSince
  if (memory.pendingSince === facts.headNumber) return { memory: open, step: { do: 'wait', why: 'pending' } }
  return { memory: open, step: { do: 'submit', yieldToPending: waited < PENDING_PATIENCE_BLOCKS } }
}

function afterSlash(
  memory: CaseMemory,
  of: Case,
  facts: CourtFacts,
  rewardWindowSeconds: number,
): { memory: CaseMemory; step: Step } {
  const { best, commitBlock } = facts
  const isOurs = best !== undefined && best.beneficiary === of.beneficiary && best.commitBlock === commitBlock
  if (facts.released) return end(memory, facts, isOurs ? 'rewarded' : 'slashed')
  const windowOpen = facts.headTimestamp < facts.slashedAt + rewardWindowSeconds
  const open: CaseMemory = { ...memory, ending: undefined }
  if (isOurs) return { memory: open, step: windowOpen ? { do: 'wait', why: 'window' } : { do: 'release' } }
  const canEarn = facts.escrowedWei > 0n && commitBlock > 0 && commitBlock < facts.slashedBlock
  const isEarliest = best === undefined || commitBlock < best.commitBlock
  if (canEarn && isEarliest && windowOpen) return { memory: open, step: { do: 'claim' } }
  return end(memory, facts, 'slashed')
}

/** Finishes once the head that showed the end is final; a reorg that takes it back begins anew. */
function end(memory: CaseMemory, facts: CourtFacts, outcome: Outcome): { memory: CaseMemory; step: Step } {
  const ending = memory.ending?.outcome === outcome ? memory.ending : { outcome, block: facts.headNumber }
  const step: Step = facts.finalNumber >= ending.block ? { do: 'finish', outcome } : { do: 'wait', why: 'finality' }
  return { memory: { ...memory, ending }, step }
}

/** Notes that the court refused the evidence; once a head. */
export function noteRefusal(memory: CaseMemory, headNumber: number): CaseMemory {
  if (memory.lastRefusalBlock === headNumber) return memory
  return { ...memory, refusals: memory.refusals + 1, lastRefusalBlock: headNumber }
}

/** Notes that another's submission waits to be mined. */
export function notePending(memory: CaseMemory, headNumber: number): CaseMemory {
  return { ...memory, pendingSince: memory.pendingSince ?? headNumber }
}
