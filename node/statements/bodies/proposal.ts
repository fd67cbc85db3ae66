import { BodyReader, BodyWriter } from './packing.ts'

/** A block header: what NOTARIZE and FINALITY vote for by its hash. */
export interface ProposalBody {
  /** Mesh slot of the parent. */
  readonly parentSlot: bigint
  readonly parentHash: Uint8Array
  readonly effectsRoot: Uint8Array
  /** State root after this block. */
  readonly nextRoot: Uint8Array
  /** Code hash of F. */
  readonly codeHash: Uint8Array
}

export function encodeProposal(body: ProposalBody): Uint8Array {
  return new BodyWriter()
    .u64('parentSlot', body.parentSlot)
    .bytes32('parentHash', body.parentHash)
    .bytes32('effectsRoot', body.effectsRoot)
    .bytes32('nextRoot', body.nextRoot)
    .bytes32('codeHash', body.codeHash)
    .finish()
}

export function decodeProposal(bytes: Uint8Array): ProposalBody {
  const reader = new BodyReader(bytes)
  const body: ProposalBody = {
    parentSlot: reader.u64('parentSlot'),
    parentHash: reader.bytes32('parentHash'),
    effectsRoot: reader.bytes32('effectsRoot'),
    nextRoot: reader.bytes32('nextRoot'),
    codeHash: reader.bytes32('codeHash'),
  }
  reader.end()
  return body
}
