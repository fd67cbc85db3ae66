import { expect, it } from 'vitest'
import { isPairBy, pairOf, signatureOfPair } from '../../../node/statements/faults/signature-pair.ts'
import { createSigner } from '../../../node/statements/index.ts'

const signer = createSigner(new Uint8Array(32).fill(7))

/** Digests until one is signed with each parity of y. */
const signed = [...Array(16).keys()].map((byte) => {
  const digest = new Uint8Array(32).fill(byte)
  return { digest, signature: signer.sign(digest) }
})

it('goes from wire to pair and back', () => {
  const parities = signed.map(({ digest, signature }) => {
    const pair = pairOf(signer.address, digest, signature)
    expect(isPairBy(signer.address, digest, pair)).toBe(true)
    expect(signatureOfPair(pair).signature).toEqual(signature)
    return signatureOfPair(pair).parity
  })
  expect(new Set(parities)).toEqual(new Set([0, 1]))
})

// Catches `slice()`: of a Buffer it is a view, and the parity bit is then flipped in bytes that are the caller's.
it('leaves the bytes of a Buffer as they were', () => {
  for (const { digest, signature } of signed) {
    const wire = Buffer.from(signature)
    const pair = Buffer.from(pairOf(signer.address, digest, wire))
    expect(wire.equals(signature)).toBe(true)
    const before = Buffer.from(pair)
    signatureOfPair(pair)
    expect(pair.equals(before)).toBe(true)
  }
})
