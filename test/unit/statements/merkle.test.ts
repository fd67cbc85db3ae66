import fc from 'fast-check'
import { encodePacked, keccak256 as viemKeccak } from 'viem'
import { expect, test } from 'vitest'
import { toHex } from '../../../node/core/index.ts'
import {
  CHUNK_BYTES,
  chunkRoot,
  chunksOf,
  leafHash,
  merklePath,
  merkleRoot,
  nodeHash,
  rootFromPath,
} from '../../../node/statements/index.ts'

const trees = fc
  .array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 70 })
  .chain((bodies) => fc.record({ bodies: fc.constant(bodies), index: fc.nat(bodies.length - 1) }))

test('hashes are prefixed as Solidity prefixes them', () => {
  const [left, right] = [leafHash(Uint8Array.of(1)), leafHash(Uint8Array.of(2))]
  expect(toHex(left)).toBe(viemKeccak('0x0001'))
  const node = encodePacked(['uint8', 'bytes32', 'bytes32'], [1, toHex(left), toHex(right)])
  expect(toHex(nodeHash(left, right))).toBe(viemKeccak(node))
  expect(merkleRoot([Uint8Array.of(1)])).toEqual(left)
})

// Bites: padding with the last leaf instead of zero: 3 bodies and the same with the third twice have one root.
test('no two lists of bodies share a root', () => {
  const three = [1, 2, 3].map((byte) => Uint8Array.of(byte))
  expect(merkleRoot(three)).not.toEqual(merkleRoot([...three, Uint8Array.of(3)]))
  expect(merkleRoot(three)).not.toEqual(merkleRoot([...three, new Uint8Array(0)]))
})

test('every path leads to the root, and no other index does', () => {
  fc.assert(
    fc.property(trees, fc.nat(), ({ bodies, index }, otherSeed) => {
      const path = merklePath(bodies, index)
      const root = merkleRoot(bodies)
      expect(2 ** path.length).toBeGreaterThanOrEqual(bodies.length)
      expect(2 ** path.length).toBeLessThan(Math.max(2 * bodies.length, 2))
      expect(rootFromPath(leafHash(bodies[index]!), index, path)).toEqual(root)
      const other = otherSeed % 2 ** path.length
      // An index that differs only where both children are equal gives the same root; bodies that differ do not.
      if (other === index || new Set(bodies.map(toHex)).size < bodies.length) return
      const padding = path.some((sibling) => sibling.every((byte) => byte === 0))
      if (!padding) expect(rootFromPath(leafHash(bodies[index]!), other, path)).not.toEqual(root)
    }),
  )
})

test('asking for what is not there is a mistake of the caller', () => {
  expect(() => merkleRoot([])).toThrow(RangeError)
  expect(() => merklePath([Uint8Array.of(1)], 1)).toThrow(RangeError)
  expect(() => merklePath([Uint8Array.of(1)], -1)).toThrow(RangeError)
  expect(() => merklePath([Uint8Array.of(1)], 0.5)).toThrow(RangeError)
})

test('a value is cut into chunks of 1 KiB, the last one shorter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (size) => {
      const value = new Uint8Array(size).fill(3)
      const chunks = chunksOf(value)
      expect(chunks.length).toBe(Math.ceil(size / CHUNK_BYTES))
      expect(new Uint8Array(Buffer.concat(chunks))).toEqual(value)
      expect(chunkRoot(value)).toEqual(merkleRoot(chunks))
    }),
  )
  expect(chunkRoot(new Uint8Array(0))).toEqual(new Uint8Array(32))
})
