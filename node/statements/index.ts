export * from './admission.ts'
export * from './admission-verdict.ts'
export * from './bodies/index.ts'
export * from './bundle.ts'
export * from './bundle-report.ts'
export {
  type BudgetRate,
  ConflictBudget,
  MAX_BUDGETED_SIGNERS,
} from './conflict-budget.ts'
export * from './digest.ts'
export * from './errors.ts'
export * from './faults/equivocation.ts'
export { isStatementFault, judge, readEvidence, type StatementFault } from './faults/judge.ts'
export * from './faults/offence.ts'
export * from './faults/overrun.ts'
export { encodeShown } from './faults/shown.ts'
export type {
  FaultError,
  FaultVerdict,
  JudgeContext,
} from './faults/verdict.ts'
export * from './frame.ts'
export * from './keccak.ts'
export * from './kinds.ts'
export * from './merkle.ts'
export * from './position.ts'
export * from './secp256k1.ts'
export * from './signature.ts'
export * from './slot.ts'
export * from './statement-signer.ts'
export * from './tenure.ts'
