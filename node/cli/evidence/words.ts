import { FAULT } from '../../core/index.ts'

/** A fault type in a word. */
export function faultName(faultType: number): string {
  const found = Object.entries(FAULT).find(([, type]) => type === faultType)
  return found?.[0] ?? `fault type ${faultType}`
}

/** Why evidence proves nothing, in words; the names are those of the court's own errors. */
export const WHY_NOT: Readonly<Record<string, string>> = {
  EvidenceLength: 'it does not have the length of evidence of its type',
  VoidStatement: 'a statement of this kind with this scope is void everywhere',
  UnknownKey: 'the key never belonged to a stake',
  EpochInFuture: 'the statement is of an epoch that has not begun',
  KeyNotInTenure: "the key was not its stake's key in that epoch",
  EvidenceTooOld: 'the key was retired too long ago',
  NotFaulty: 'the statements are valid and break no rule',
  BadSignature: 'a signature is not one of this key for this deployment',
}
