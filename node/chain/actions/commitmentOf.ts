import { encodeAbiParameters, keccak256 } from 'viem'
import type { Address, Hex } from '../../core/index.ts'

/** What a commitment binds. Whoever copies the hash gains nothing: it names who reports and who is paid. */
export interface CommitmentParts {
  readonly reporter: Address
  readonly beneficiary: Address
  readonly faultId: Hex
  readonly evidence: Hex
  /** 32 random bytes, kept secret until the claim. */
  readonly salt: Hex
}

/** keccak256(abi.encode(reporter, beneficiary, faultId, keccak256(evidence), salt)) */
export function commitmentOf(parts: CommitmentParts): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'address' }, { type: 'address' }, { type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }],
      [parts.reporter, parts.beneficiary, parts.faultId, keccak256(parts.evidence), parts.salt],
    ),
  )
}
