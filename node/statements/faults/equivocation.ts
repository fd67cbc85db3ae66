import { equalBytes, type Slot, toHex } from '../../core/index.ts'
import { type DomainSeparator, statementDigest } from '../digest.ts'
import { EncodeError } from '../errors.ts'
import type { Secp256k1 } from '../secp256k1.ts'
import { packSlot, slotHash } from '../slot.ts'
import { isPairBy, PAIR_BYTES, pairOf } from './signature-pair.ts'
import {
  checkKey,
  type FaultVerdict,
  isSlotValid,
  type JudgeContext,
  readSlot,
  refuse,
  voidStatement,
} from './verdict.ts'

/** slot 61 | contentA 32 | rA 32 | vsA 32 | contentB 32 | rB 32 | vsB 32 */
export const EQUIVOCATION_BYTES = 61 + 2 * (32 + PAIR_BYTES)

const CONTENT_A = 61
const CONTENT_B = CONTENT_A + 32 + PAIR_BYTES

/** A content of a slot and a signature over it, as both stand on the wire. */
export interface SignedContent {
  readonly content: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/**
 * Judges F1: one key said two things in one slot. The twin of `contracts/faults/EquivocationVerifier.sol`: the same verdict on
 * the same bytes, by the same checks in the same order.
 */
export function judgeEquivocation(evidence: Uint8Array, context: JudgeContext): FaultVerdict {
  if (evidence.length !== EQUIVOCATION_BYTES) return refuse('EvidenceLength', evidence.length, EQUIVOCATION_BYTES)
  const slot = readSlot(evidence)
  if (equalBytes(contentAt(evidence, CONTENT_A), contentAt(evidence, CONTENT_B))) return refuse('NotFaulty')
  if (!isSlotValid(slot)) return voidStatement(slot)
  const record = checkKey(slot, context)
  if ('refused' in record) return record.refused
  for (const at of [CONTENT_A, CONTENT_B]) {
    const digest = statementDigest(context.domain, {
      ...slot,
      content: contentAt(evidence, at),
    })
    const pair = evidence.subarray(at + 32, at + 32 + PAIR_BYTES)
    if (!isPairBy(slot.signer, digest, pair, context.curve)) return refuse('BadSignature', slot.signer, toHex(digest))
  }
  return {
    proven: true,
    signer: slot.signer,
    stakeId: record.stakeId,
    slot: slotHash(slot),
  }
}

function contentAt(evidence: Uint8Array, at: number): Uint8Array {
  return evidence.subarray(at, at + 32)
}

/**
 * The evidence that `slot` holds two contents. Either order convicts.
 * @throws {EncodeError} when the contents are equal or a signature is not the signer's
 */
export function evidenceOfEquivocation(
  domain: DomainSeparator,
  slot: Slot,
  a: SignedContent,
  b: SignedContent,
  curve?: Secp256k1,
): Uint8Array {
  if (equalBytes(a.content, b.content)) throw new EncodeError('statement', 'content', 'equal in both: no fault')
  const evidence = new Uint8Array(EQUIVOCATION_BYTES)
  evidence.set(packSlot(slot), 0)
  for (const [at, said] of [
    [CONTENT_A, a],
    [CONTENT_B, b],
  ] as const) {
    const digest = statementDigest(domain, { ...slot, content: said.content })
    evidence.set(said.content, at)
    evidence.set(pairOf(slot.signer, digest, said.signature, curve), at + 32)
  }
  return evidence
}
