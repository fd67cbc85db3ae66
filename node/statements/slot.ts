import { type Domain, type FaultType, fromHex, type Hex, type Slot, toHex } from '../core/index.ts'
import { keccak256 } from './keccak.ts'

const SLOT_BYTES = 20 + 1 + 32 + 8

/** signer (20) || kind (1) || scope (32) || position (8): what a slot is the hash of. */
export function packSlot(slot: Slot): Uint8Array {
  const packed = new Uint8Array(SLOT_BYTES)
  packed.set(fromHex(slot.signer), 0)
  packed[20] = slot.kind
  packed.set(slot.scope, 21)
  new DataView(packed.buffer).setBigUint64(53, slot.position)
  return packed
}

/** The slot as the court names it: keccak256 of {@link packSlot}. */
export function slotHash(slot: Slot): Hex {
  return toHex(keccak256(packSlot(slot)))
}

/** keccak256(abi.encode(chain id, registry, fault type, stake id, slot)): one fault id, one slash. */
export function faultIdOf(domain: Domain, faultType: FaultType, stakeId: number, slot: Hex): Hex {
  const encoded = new Uint8Array(5 * 32)
  encoded.set(fromHex(`0x${domain.chainId.toString(16).padStart(64, '0')}`), 0)
  encoded.set(fromHex(domain.verifyingContract), 32 + 12)
  encoded[3 * 32 - 1] = faultType
  new DataView(encoded.buffer).setBigUint64(4 * 32 - 8, BigInt(stakeId))
  encoded.set(fromHex(slot), 4 * 32)
  return toHex(keccak256(encoded))
}
