import type { Address, Hex } from './bytes.ts'
import type { Kind } from './protocol.ts'

/** A slot: at most one content may be signed for it. */
export interface Slot {
  readonly signer: Address
  readonly kind: Kind
  /** 32 bytes. */
  readonly scope: Uint8Array
  readonly position: bigint
}

/** What was verified in a slot: enough to prove a second content against it. */
export interface SlotEntry {
  /** 32 bytes: the EIP-712 digest. */
  readonly digest: Uint8Array
  /** 32 bytes. */
  readonly content: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** Digest and signature by slot of what has been *verified*. Nothing unverified is ever put. */
export interface SlotIndex {
  get(slot: Slot): SlotEntry | undefined
  /** Remembers the first entry of a slot; a second one for the same slot changes nothing. */
  put(slot: Slot, entry: SlotEntry): void
  /** Marks a key as a liar: nothing new of it is verified, stored or forwarded. */
  quarantine(signer: Address, faultId: Hex): void
  isQuarantined(signer: Address): boolean
}
