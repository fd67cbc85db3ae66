import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KIND, type SignedStatement, toHex } from '../../../node/core/index.ts'
import {
  contentOf,
  DecodeError,
  decodeFrame,
  EncodeError,
  encodeFrame,
  encodeLeafFrame,
  FRAME_HEADER_BYTES,
  type Frame,
  kindRule,
  MAX_FRAME_BYTES,
  maxBodyBytes,
  merkleRoot,
} from '../../../node/statements/index.ts'
import { bodiesOf, bytes, kinds, mutate, mutations, u64 } from './arbitraries.ts'

const signedBodies = kinds.chain((kind) =>
  fc
    .record({
      bodies: bodiesOf(kind, Math.min(9, kindRule(kind).maxBodies)),
      signer: bytes(20).map(toHex),
      scope: bytes(32),
      position: u64,
      signature: bytes(64),
    })
    .map(({ bodies, position, scope, signature, signer }) => {
      const signed: SignedStatement = {
        signer,
        statement: { kind, scope, position, content: merkleRoot(bodies) },
        signature,
      }
      return { bodies, signed }
    }),
)

/** The frame as `encodeFrame` or `encodeLeafFrame` would write it, from what was read. */
function rewritten(raw: Uint8Array, { bodies, path, signed }: Frame): Uint8Array {
  if (raw[1] === 1)
    return encodeFrame(
      signed,
      bodies.map((body) => body.bytes),
    )
  const [body] = bodies
  return new Uint8Array([
    ...encodeFrame(signed, [body!.bytes]).subarray(0, FRAME_HEADER_BYTES),
    body!.leaf,
    path.length,
    ...path.flatMap((sibling) => [...sibling]),
    ...body!.bytes,
  ])
}

test('a statement comes back from its frame, whole or leaf by leaf', () => {
  fc.assert(
    fc.property(signedBodies, ({ bodies, signed }) => {
      const whole = decodeFrame(encodeFrame(signed, bodies))
      expect(whole.signed).toEqual(signed)
      expect(whole.whole).toBe(true)
      expect(whole.bodies).toEqual(bodies.map((body, leaf) => ({ leaf, bytes: body })))
      expect(contentOf(whole)).toEqual(signed.statement.content)
      for (const leaf of bodies.keys()) {
        const part = decodeFrame(encodeLeafFrame(signed, bodies, leaf))
        expect(part.signed).toEqual(signed)
        expect(part.whole).toBe(bodies.length === 1)
        expect(part.bodies).toEqual([{ leaf, bytes: bodies[leaf] }])
        expect(contentOf(part)).toEqual(signed.statement.content)
      }
    }),
  )
})

// Bites: the check for bytes after the end left out of `decodeBatch`.
test('what decodes has one encoding, and nothing else is thrown than DecodeError', () => {
  fc.assert(
    fc.property(signedBodies, fc.nat(), fc.array(mutations, { maxLength: 3 }), ({ bodies, signed }, form, changes) => {
      let raw = form % 2 ? encodeFrame(signed, bodies) : encodeLeafFrame(signed, bodies, form % bodies.length)
      for (const change of changes) raw = mutate(raw, change)
      let frame: Frame
      try {
        frame = decodeFrame(raw)
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
        return
      }
      expect(toHex(rewritten(raw, frame))).toBe(toHex(raw))
    }),
    { numRuns: 1000 },
  )
})

test('random bytes never throw anything but DecodeError', () => {
  const header = fc.tuple(fc.constant(1), fc.constantFrom(0, 1)).map((pair) => new Uint8Array(pair))
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 700 }), (start, rest) => {
      try {
        decodeFrame(new Uint8Array([...start, ...rest]))
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }),
    { numRuns: 1000 },
  )
})

test('the bounds on count, length and path hold at their borders', () => {
  const statement = { kind: KIND.gossip, scope: new Uint8Array(32), position: 0n, content: new Uint8Array(32) }
  const signed: SignedStatement = { signer: `0x${'11'.repeat(20)}`, statement, signature: new Uint8Array(64) }
  const longest = new Uint8Array(maxBodyBytes(KIND.gossip))
  const full = encodeFrame(
    signed,
    Array.from({ length: 64 }, () => longest),
  )
  expect(full.length).toBe(MAX_FRAME_BYTES)
  expect(decodeFrame(full).bodies.length).toBe(64)
  expect(() => decodeFrame(new Uint8Array([...full, 0]))).toThrow(`length: ${MAX_FRAME_BYTES + 1} bytes`)
  expect(() =>
    encodeFrame(
      signed,
      Array.from({ length: 65 }, () => longest),
    ),
  ).toThrow(EncodeError)
  expect(() => encodeFrame(signed, [])).toThrow(EncodeError)
  expect(() => encodeFrame(signed, [new Uint8Array(longest.length + 1)])).toThrow(EncodeError)
  expect(() => encodeFrame(signed, [longest, new Uint8Array(longest.length + 1)])).toThrow(EncodeError)
  const receipts = { ...signed, statement: { ...statement, kind: KIND.receipt } }
  const many = Array.from({ length: 256 }, (_, i) => Uint8Array.of(i))
  expect(decodeFrame(encodeFrame(receipts, many)).bodies.length).toBe(256)
  expect(decodeFrame(encodeLeafFrame(receipts, many, 255)).path.length).toBe(8)
})

test('the parts of a frame are views of it: reading copies nothing', () => {
  const body = new Uint8Array(64)
  const statement = { kind: KIND.gossip, scope: new Uint8Array(32), position: 0n, content: new Uint8Array(32) }
  const raw = encodeFrame({ signer: `0x${'11'.repeat(20)}`, statement, signature: new Uint8Array(64) }, [body, body])
  const { bodies, signed } = decodeFrame(raw)
  for (const part of [signed.signature, signed.statement.content, ...bodies.map(({ bytes }) => bytes)]) {
    expect(part.buffer).toBe(raw.buffer)
  }
})
