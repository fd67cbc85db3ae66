import type { Address, Hex } from './bytes.ts'
import type { Domain, FaultType } from './protocol.ts'

/** A fault that can be shown to the court. `evidence` is exactly what its verifier reads. */
export interface Offence {
  readonly faultType: FaultType
  readonly stakeId: number
  readonly signer: Address
  /** 32 bytes: see `slotHash` in `statements`. */
  readonly slot: Hex
  readonly faultId: Hex
  /** The verifier's packed bytes. */
  readonly evidence: Uint8Array
  readonly domain: Domain
}

/** Takes offences; the same `faultId` may come any number of times. */
export interface OffenceSink {
  report(offence: Offence): void
}
