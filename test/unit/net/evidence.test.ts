import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVIDENCE_MAX_BYTES } from '../../../node/net/constants.ts'
import { decodeEvidence, encodeEvidence } from '../../../node/net/gossip/evidence.ts'

describe('evidence on the wire', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1 as const, 2 as const),
        fc.uint8Array({ minLength: 21, maxLength: 510 }),
        (faultType, evidence) => {
          expect(decodeEvidence(encodeEvidence(faultType, evidence))).toEqual({ faultType, evidence })
        },
      ),
    )
  })

  // Break it caught: no check of the version.
  it('is one encoding: what decodes is what would be encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const decoded = decodeEvidence(bytes)
        if (decoded) expect(encodeEvidence(decoded.faultType, decoded.evidence)).toEqual(bytes)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['another version', [2, 1]],
    ['a fault that statements alone do not prove', [1, 3]],
    ['no fault', [1, 0]],
  ])('is not %s', (_, head) => {
    expect(decodeEvidence(Uint8Array.from([...head, ...new Uint8Array(253)]))).toBeUndefined()
  })

  it('has a size', () => {
    expect(decodeEvidence(Uint8Array.from([1, 1, ...new Uint8Array(EVIDENCE_MAX_BYTES)]))).toBeUndefined()
    expect(() => encodeEvidence(1, new Uint8Array(EVIDENCE_MAX_BYTES))).toThrow(
      expect.objectContaining({ code: 'NET_BAD_PAYLOAD' }),
    )
  })
})
