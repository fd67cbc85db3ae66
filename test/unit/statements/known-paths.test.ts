import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KIND } from '../../../node/core/index.ts'
import { contentOf, decodeFrame, encodeLeafFrames, type Frame, merkleRoot } from '../../../node/statements/index.ts'
import { KnownPaths } from '../../../node/statements/known-paths.ts'

const signer = `0x${'11'.repeat(20)}` as const

/** Frames of form 0 of `bodies` under one statement. Nothing is signed: paths alone are looked at. */
function framesOf(bodies: readonly Uint8Array[]): Uint8Array[] {
  const statement = { kind: KIND.receipt, scope: new Uint8Array(32), position: 5n, content: merkleRoot(bodies) }
  return encodeLeafFrames({ signer, statement, signature: new Uint8Array(64) }, bodies)
}

const bodiesOf = (count: number, salt: number) =>
  Array.from({ length: count }, (_, i) => Uint8Array.of(salt, i & 0xff, i >> 8))
/** What {@link KnownPaths} must agree with: the whole path hashed. */
const isTrue = (frame: Frame) => Buffer.compare(contentOf(frame), frame.signed.statement.content) === 0

test('says of every frame, whole or broken anywhere, in any order, what hashing all of its path says', () => {
  const changes = fc.record({
    leaf: fc.nat(255),
    /** Of the header's end onwards: leaf number, path length, path, body. */
    breakAt: fc.option(fc.nat(400), { nil: undefined }),
    bit: fc.nat(7),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 256 }),
      fc.array(changes, { minLength: 1, maxLength: 40 }),
      (count, tried) => {
        const known = new KnownPaths(2)
        const trees = [framesOf(bodiesOf(count, 1)), framesOf(bodiesOf(count, 2))]
        for (const { bit, breakAt, leaf } of tried) {
          const frames = trees[bit & 1] as Uint8Array[]
          const bytes = (frames[leaf % count] as Uint8Array).slice()
          const headEnd = bytes.length - (bytes[160] as number) * 32 - 3 - 2
          if (breakAt !== undefined) bytes[headEnd + (breakAt % (bytes.length - headEnd))]! ^= 1 << bit
          let frame: Frame
          try {
            frame = decodeFrame(bytes)
          } catch {
            continue
          }
          expect(known.isTrue(frame)).toBe(isTrue(frame))
        }
      },
    ),
    { numRuns: process.env.SUPRNOVA_LONG === '1' ? 20_000 : 150 },
  )
})

test('a path whose upper end is another is refused though its lower end is known', () => {
  const known = new KnownPaths()
  const frames = framesOf(bodiesOf(16, 1)).map((bytes) => decodeFrame(bytes))
  expect(known.isTrue(frames[0] as Frame)).toBe(true)
  const neighbour = frames[1] as Frame
  const forged = {
    ...neighbour,
    path: neighbour.path.map((sibling, level) => (level === 3 ? new Uint8Array(32) : sibling)),
  }
  expect(known.isTrue(forged)).toBe(false)
  expect(known.isTrue(neighbour)).toBe(true)
})

test('a frame that was refused is not remembered', () => {
  const known = new KnownPaths()
  const frames = framesOf(bodiesOf(16, 1)).map((bytes) => decodeFrame(bytes))
  const first = frames[0] as Frame
  const forged = { ...first, path: first.path.map((sibling, level) => (level === 0 ? new Uint8Array(32) : sibling)) }
  expect(known.isTrue(forged)).toBe(false)
  expect(known.size).toBe(0)
  for (const frame of frames) expect(known.isTrue(frame)).toBe(true)
})

test('remembers no more trees than it may', () => {
  const known = new KnownPaths(3)
  for (let salt = 0; salt < 10; salt++) {
    for (const bytes of framesOf(bodiesOf(8, salt))) expect(known.isTrue(decodeFrame(bytes))).toBe(true)
    expect(known.size).toBeLessThanOrEqual(3)
  }
})
