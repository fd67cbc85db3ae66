import { FAULT, KIND, type Kind, toHex } from '../../../node/core/index.ts'
import { computeV, faultIdOf, positionOf, slotHash } from '../../../node/statements/index.ts'
import { bytes32, columns, DOMAIN, digestOf, hex, KEYS, SEPARATOR, ZERO_32 } from './cast.ts'

const MAX_U64 = 2n ** 64n - 1n

interface Case {
  name: string
  kind: Kind
  scope: Uint8Array
  position: bigint
  content: Uint8Array
}

function cases(): Case[] {
  const metered = [KIND.put, KIND.gossip, KIND.receipt].flatMap((kind) => [
    { name: `kind ${kind}, first index`, kind, scope: ZERO_32, position: positionOf(1000, 0), content: bytes32('a') },
    {
      name: `kind ${kind}, last index`,
      kind,
      scope: ZERO_32,
      position: positionOf(1000, 0xffff_ffff),
      content: bytes32('b'),
    },
  ])
  const mesh = [KIND.effect, KIND.proposal, KIND.notarize, KIND.finality].flatMap((kind) => [
    { name: `kind ${kind}, slot 0`, kind, scope: bytes32('scope'), position: 0n, content: bytes32('c') },
    { name: `kind ${kind}, last slot`, kind, scope: bytes32('scope'), position: MAX_U64, content: bytes32('d') },
  ])
  return [...metered, ...mesh, { ...metered[0]!, name: 'zero position and content', position: 0n, content: ZERO_32 }]
}

/** Digest, slot, fault ids and signature of every kind. */
export function statementVectors() {
  const signer = KEYS.steady
  const rows = cases().map(({ name, ...statement }) => {
    const slot = { signer: signer.address, ...statement }
    const digest = digestOf(slot, statement.content)
    const signature = signer.sign(digest)
    const hash = slotHash(slot)
    return {
      name,
      kind: statement.kind,
      scope: toHex(statement.scope),
      position: statement.position.toString(),
      content: toHex(statement.content),
      digest: toHex(digest),
      signature: toHex(signature),
      v: 27 + (computeV(signer.address, digest, signature) ?? Number.NaN),
      slot: hash,
      faultIdEquivocation: faultIdOf(DOMAIN, FAULT.equivocation, 1, hash),
      faultIdOverrun: faultIdOf(DOMAIN, FAULT.overrun, 1, hash),
    }
  })
  return {
    chainId: Number(DOMAIN.chainId),
    registry: DOMAIN.verifyingContract,
    salt: DOMAIN.salt,
    separator: hex(SEPARATOR.bytes),
    signer: signer.address,
    publicKey: toHex(signer.publicKey),
    stakeId: 1,
    ...columns(rows),
  }
}
