import type { Logger, Offence, SigningGuard } from '../core/index.ts'
import { type DomainSeparator, isKind, isStatementFault, readEvidence, statementDigest } from '../statements/index.ts'

/**
 * What to do about evidence against this node's own key: show the guard what was signed. What it did not give out means
 * that somebody else holds the key, and the guard falls silent. Nobody reports itself.
 */
export function considerOwnOffence(
  offence: Offence,
  domain: DomainSeparator,
  modules: { readonly guard: Pick<SigningGuard, 'observeOwn'>; readonly logger: Logger },
): void {
  const { faultId, faultType, evidence } = offence
  modules.logger.error('there is evidence against the key of this node: somebody else may hold it', {
    faultId,
    faultType,
  })
  if (!isStatementFault(faultType)) return
  const { slot, said } = readEvidence(faultType, evidence)
  const { kind, scope, position } = slot
  if (!isKind(kind)) return
  for (const { content } of said) {
    const statement = { kind, scope, position, content }
    modules.guard.observeOwn(statement, statementDigest(domain, statement))
  }
}
