import { type Address, type Hex, type Slot, toHex } from '../../core/index.ts'
import type { DomainSeparator } from '../digest.ts'
import { isKind, isMetered, isScopeVoid } from '../kinds.ts'
import { epochAt, epochOf } from '../position.ts'
import type { Secp256k1 } from '../secp256k1.ts'
import { isEpochInFuture, isInTenure, type JudgingParams, type KeyRecord, punishableUntil } from '../tenure.ts'

/** Why evidence proves nothing. The names and the order of checks are those of the Solidity verifiers. */
export type FaultError =
  | 'EvidenceLength'
  | 'VoidStatement'
  | 'UnknownKey'
  | 'EpochInFuture'
  | 'KeyNotInTenure'
  | 'EvidenceTooOld'
  | 'NotFaulty'
  | 'BadSignature'

export type FaultVerdict =
  | {
      readonly proven: true
      readonly signer: Address
      readonly stakeId: number
      readonly slot: Hex
    }
  | {
      readonly proven: false
      readonly error: FaultError
      /** The arguments of the Solidity error, in order. */
      readonly values: readonly (string | number | bigint)[]
    }

/** What a judge knows beside the evidence. */
export interface JudgeContext {
  readonly domain: DomainSeparator
  readonly params: JudgingParams
  /** Undefined for a key that never belonged to a stake. */
  readonly key: (address: Address) => KeyRecord | undefined
  /** Unix seconds as of which to judge. */
  readonly at: number
  readonly curve?: Secp256k1
}

/** A slot as evidence says it: its kind may be none. */
export type ClaimedSlot = Omit<Slot, 'kind'> & { readonly kind: number }

/** signer 20 | kind 1 | scope 32 | position 8 */
export function readSlot(evidence: Uint8Array): ClaimedSlot {
  return {
    signer: toHex(evidence.subarray(0, 20)),
    kind: evidence[20]!,
    scope: evidence.subarray(21, 53),
    position: new DataView(evidence.buffer, evidence.byteOffset).getBigUint64(53),
  }
}

export function refuse(error: FaultError, ...values: readonly (string | number | bigint)[]): FaultVerdict {
  return { proven: false, error, values }
}

/** Whether kind and scope can belong to a statement at all. */
export function isSlotValid(slot: ClaimedSlot): slot is Slot {
  return isKind(slot.kind) && !isScopeVoid(slot.kind, slot.scope)
}

export function voidStatement(slot: ClaimedSlot): FaultVerdict {
  return refuse('VoidStatement', slot.kind, toHex(slot.scope))
}

/**
 * The checks of a slot that both faults share, as of `at`: key, epoch, tenure, age.
 * @returns the key's record, or the verdict that ends the matter
 */
export function checkKey(slot: Slot, { params, key, at }: JudgeContext): KeyRecord | { refused: FaultVerdict } {
  const record = key(slot.signer)
  if (record === undefined) return { refused: refuse('UnknownKey', slot.signer) }
  const epoch = epochOf(slot.position)
  if (isMetered(slot.kind) && isEpochInFuture(slot.position, at, params)) {
    return {
      refused: refuse('EpochInFuture', epoch, epochAt(at, params.epochSeconds)),
    }
  }
  if (!isInTenure(slot.kind, slot.position, record)) {
    const until = Number.isFinite(record.untilEpoch) ? record.untilEpoch : 0
    return {
      refused: refuse('KeyNotInTenure', slot.signer, epoch, record.fromEpoch, until),
    }
  }
  const until = punishableUntil(slot.kind, record, params)
  if (at > until) return { refused: refuse('EvidenceTooOld', slot.signer, until, at) }
  return record
}
