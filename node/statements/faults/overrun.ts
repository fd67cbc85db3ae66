import { KIND, type Slot, toHex } from '../../core/index.ts'
import { type DomainSeparator, statementDigest } from '../digest.ts'
import { limitOf } from '../kinds.ts'
import { indexOf } from '../position.ts'
import type { Secp256k1 } from '../secp256k1.ts'
import { packSlot, slotHash } from '../slot.ts'
import type { JudgingParams } from '../tenure.ts'
import type { SignedContent } from './equivocation.ts'
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

/** slot 61 | content 32 | r 32 | vs 32 */
export const OVERRUN_BYTES = 61 + 32 + PAIR_BYTES

const CONTENT = 61

/**
 * Judges F2: a metered index at or above its kind's limit. The twin of `contracts/faults/OverrunVerifier.sol`: the same verdict
 * on the same bytes, by the same checks in the same order.
 */
export function judgeOverrun(evidence: Uint8Array, context: JudgeContext): FaultVerdict {
  if (evidence.length !== OVERRUN_BYTES) return refuse('EvidenceLength', evidence.length, OVERRUN_BYTES)
  const slot = readSlot(evidence)
  if (slot.kind > KIND.receipt) return voidStatement(slot)
  if (indexOf(slot.position) < claimedLimit(slot.kind, context.params)) return refuse('NotFaulty')
  if (!isSlotValid(slot)) return voidStatement(slot)
  const record = checkKey(slot, context)
  if ('refused' in record) return record.refused
  const content = evidence.subarray(CONTENT, CONTENT + 32)
  const digest = statementDigest(context.domain, { ...slot, content })
  const pair = evidence.subarray(CONTENT + 32)
  if (!isPairBy(slot.signer, digest, pair, context.curve)) return refuse('BadSignature', slot.signer, toHex(digest))
  return {
    proven: true,
    signer: slot.signer,
    stakeId: record.stakeId,
    slot: slotHash(slot),
  }
}

/** The limit of a kind that may be none: kind 0 is compared with the limit of RECEIPT, then found void, as in Solidity. */
function claimedLimit(kind: number, params: JudgingParams): number {
  return limitOf(kind === KIND.put || kind === KIND.gossip ? kind : KIND.receipt, params)
}

/**
 * The evidence that `slot` lies at or above its limit.
 * @throws {EncodeError} when the signature is not the signer's
 */
export function evidenceOfOverrun(
  domain: DomainSeparator,
  slot: Slot,
  said: SignedContent,
  curve?: Secp256k1,
): Uint8Array {
  const evidence = new Uint8Array(OVERRUN_BYTES)
  const digest = statementDigest(domain, { ...slot, content: said.content })
  evidence.set(packSlot(slot), 0)
  evidence.set(said.content, CONTENT)
  evidence.set(pairOf(slot.signer, digest, said.signature, curve), CONTENT + 32)
  return evidence
}
