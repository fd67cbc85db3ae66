import { type Address, FAULT, type Logger, type Offence, type SigningGuard, type SlotIndex } from '../core/index.ts'
import type { DomainSeparator } from '../statements/index.ts'
import type { EvidenceBook } from './evidence-book.ts'
import { considerOwnOffence } from './own-offence.ts'

export interface EvidenceDeskModules {
  readonly book: EvidenceBook
  readonly slotIndex: Pick<SlotIndex, 'quarantine'>
  readonly guard: Pick<SigningGuard, 'observeOwn'>
  /** `undefined` without a gas key: evidence is then told to others at once. */
  readonly reporter: { report(offence: Offence): void } | undefined
  readonly tell: (offence: Offence) => void
  readonly logger: Logger
}

/** What a node does with a fault, whoever saw it: remembers it, silences the liar here, and brings it to court. */
export class EvidenceDesk {
  readonly #key: Address
  readonly #domain: DomainSeparator
  readonly #modules: EvidenceDeskModules

  /** @param options.key the node's own: nobody reports itself */
  constructor(options: { readonly key: Address; readonly domain: DomainSeparator }, modules: EvidenceDeskModules) {
    this.#key = options.key
    this.#domain = options.domain
    this.#modules = modules
  }

  report(offence: Offence): void {
    const { book, slotIndex, reporter, tell } = this.#modules
    const isOwn = offence.signer === this.#key
    // First of all, so that the guard knows before anything here can fail.
    if (isOwn) considerOwnOffence(offence, this.#domain, this.#modules)
    const isNew = book.add(offence)
    if (isOwn) return
    // Evidence from others silences an equivocator here as what we saw ourselves does.
    if (offence.faultType === FAULT.equivocation) slotIndex.quarantine(offence.signer, offence.faultId)
    if (reporter !== undefined) reporter.report(offence)
    else if (isNew) tell(offence)
  }

  /** Reports again what the court did not know of when the node ended: its signers are quarantined, so nobody else here will. */
  resume(): void {
    const { book, reporter } = this.#modules
    for (const offence of book.unfinished()) if (offence.signer !== this.#key) reporter?.report(offence)
  }
}
