import { FAULT, type FaultType, type Offence, type Slot } from '../../core/index.ts'
import type { DomainSeparator } from '../digest.ts'
import { faultIdOf, slotHash } from '../slot.ts'
import { evidenceOfEquivocation, type SignedContent } from './equivocation.ts'
import { evidenceOfOverrun } from './overrun.ts'

function offence(
  domain: DomainSeparator,
  faultType: FaultType,
  stakeId: number,
  slot: Slot,
  evidence: Uint8Array,
): Offence {
  const hash = slotHash(slot)
  const faultId = faultIdOf(domain.domain, faultType, stakeId, hash)
  return {
    faultType,
    stakeId,
    signer: slot.signer,
    slot: hash,
    faultId,
    evidence,
    domain: domain.domain,
  }
}

/** F1 as a node reports it, from the two contents it verified. */
export function equivocationOffence(
  domain: DomainSeparator,
  stakeId: number,
  slot: Slot,
  a: SignedContent,
  b: SignedContent,
): Offence {
  return offence(domain, FAULT.equivocation, stakeId, slot, evidenceOfEquivocation(domain, slot, a, b))
}

/** F2 as a node reports it, from the statement it verified. */
export function overrunOffence(domain: DomainSeparator, stakeId: number, slot: Slot, said: SignedContent): Offence {
  return offence(domain, FAULT.overrun, stakeId, slot, evidenceOfOverrun(domain, slot, said))
}
