import { FAULT } from '../../core/index.ts'
import { EQUIVOCATION_BYTES, judgeEquivocation } from './equivocation.ts'
import { judgeOverrun, OVERRUN_BYTES } from './overrun.ts'
import { signatureOfPair } from './signature-pair.ts'
import { type ClaimedSlot, type FaultVerdict, type JudgeContext, readSlot } from './verdict.ts'

/** A fault that signed statements alone prove. */
export type StatementFault = typeof FAULT.equivocation | typeof FAULT.overrun

interface FaultRule {
  readonly name: string
  readonly evidenceBytes: number
  /** Contents in the evidence, one signature each. */
  readonly contents: number
  judge(evidence: Uint8Array, context: JudgeContext): FaultVerdict
}

export const FAULT_RULES: { readonly [F in StatementFault]: FaultRule } = {
  [FAULT.equivocation]: {
    name: 'equivocation',
    evidenceBytes: EQUIVOCATION_BYTES,
    contents: 2,
    judge: judgeEquivocation,
  },
  [FAULT.overrun]: { name: 'overrun', evidenceBytes: OVERRUN_BYTES, contents: 1, judge: judgeOverrun },
}

export function isStatementFault(faultType: number): faultType is StatementFault {
  return faultType === FAULT.equivocation || faultType === FAULT.overrun
}

/** Judges evidence of either fault, as of `context.at`. */
export function judge(faultType: StatementFault, evidence: Uint8Array, context: JudgeContext): FaultVerdict {
  return FAULT_RULES[faultType].judge(evidence, context)
}

/** What evidence says, unjudged: its slot, and each content with the signature as it stood on the wire. */
export function readEvidence(
  faultType: StatementFault,
  evidence: Uint8Array,
): { slot: ClaimedSlot; said: { content: Uint8Array; signature: Uint8Array }[] } {
  const said = []
  for (let at = 61; at < evidence.length; at += 96) {
    const { signature } = signatureOfPair(evidence.subarray(at + 32, at + 96))
    said.push({ content: evidence.subarray(at, at + 32), signature })
  }
  return { slot: readSlot(evidence), said: said.slice(0, FAULT_RULES[faultType].contents) }
}
