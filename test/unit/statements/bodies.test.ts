import fc from 'fast-check'
import { encodePacked, keccak256 as viemKeccak, zeroHash } from 'viem'
import { expect, test } from 'vitest'
import { equalBytes, KIND, toHex } from '../../../node/core/index.ts'
import {
  cellKey,
  chunkRoot,
  DecodeError,
  decodeBody,
  EncodeError,
  encodeBody,
  encodeGossip,
  encodeLease,
  isLeaseValue,
  MAX_PAYLOAD_BYTES,
  MAX_VALUE_BYTES,
  maxBodyBytes,
  meshKey,
  ownerKey,
  recordKeyOf,
} from '../../../node/statements/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'
import { bodies, bytes, kinds, mutate, mutations } from './arbitraries.ts'

test('every body comes back as it went in, within its kind limit', () => {
  fc.assert(
    fc.property(bodies, ({ body, kind, packed }) => {
      expect(decodeBody(kind, packed)).toEqual(body)
      expect(packed.length).toBeLessThanOrEqual(maxBodyBytes(kind))
    }),
    { numRuns: 500 },
  )
})

// Bites: `reader.end()` left out of a decoder: two byte strings then stand for one body.
test('what decodes has one encoding, and nothing else is thrown than DecodeError', () => {
  fc.assert(
    fc.property(bodies, mutations, ({ kind, packed }, mutation) => {
      const changed = mutate(packed, mutation)
      const again = reencoded(kind, changed)
      if (again !== undefined) expect(toHex(again)).toBe(toHex(changed))
    }),
    { numRuns: 1000 },
  )
})

test('random bytes decode to their one encoding or not at all', () => {
  fc.assert(
    fc.property(kinds, fc.uint8Array({ maxLength: 200 }), (kind, raw) => {
      const again = reencoded(kind, raw)
      if (again !== undefined) expect(equalBytes(again, raw)).toBe(true)
    }),
  )
})

function reencoded(kind: Parameters<typeof decodeBody>[0], raw: Uint8Array): Uint8Array | undefined {
  try {
    return encodeBody(kind, decodeBody(kind, raw))
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
    return undefined
  }
}

test('the longest bodies are taken and one byte more is not', () => {
  const topic = new Uint8Array(32)
  const longest = encodeGossip({ topicHash: topic, payload: new Uint8Array(MAX_PAYLOAD_BYTES) })
  expect(decodeBody(KIND.gossip, longest).payload.length).toBe(MAX_PAYLOAD_BYTES)
  expect(() => decodeBody(KIND.gossip, new Uint8Array([...longest, 0]))).toThrow(
    /payload: 16385 bytes, the limit is 16384/,
  )
  const tooLong = { topicHash: topic, payload: new Uint8Array(MAX_PAYLOAD_BYTES + 1) }
  expect(() => encodeGossip(tooLong)).toThrow(EncodeError)
  expect(decodeBody(KIND.effect, new Uint8Array(MAX_PAYLOAD_BYTES)).effect.length).toBe(MAX_PAYLOAD_BYTES)
  expect(() => decodeBody(KIND.effect, new Uint8Array(MAX_PAYLOAD_BYTES + 1))).toThrow(DecodeError)
})

test('values that no node would take cannot be encoded', () => {
  const put = {
    keyType: 1,
    keyPreimage: bytes32('name'),
    valueRoot: bytes32('root'),
    size: 5,
    expiryEpoch: 9n,
  } as const
  const receipt = {
    putDigest: bytes32('a'),
    leaf: 0,
    recordKey: bytes32('b'),
    valueRoot: bytes32('c'),
    size: 1,
    untilEpoch: 1n,
    publisherStakeId: 1n,
  }
  const bad: [string, () => unknown][] = [
    ['size', () => encodeBody(KIND.put, { ...put, size: MAX_VALUE_BYTES + 1 })],
    ['size', () => encodeBody(KIND.put, { ...put, size: 1.5 })],
    ['size', () => encodeBody(KIND.put, { ...put, size: -1 })],
    ['expiryEpoch', () => encodeBody(KIND.put, { ...put, expiryEpoch: 2n ** 64n })],
    ['expiryEpoch', () => encodeBody(KIND.put, { ...put, expiryEpoch: -1n })],
    ['keyPreimage', () => encodeBody(KIND.put, { ...put, keyPreimage: new Uint8Array(31) })],
    ['keyPreimage', () => encodeBody(KIND.put, { ...put, keyType: 2 })],
    ['valueRoot', () => encodeBody(KIND.put, { ...put, size: 0 })],
    ['leaf', () => encodeBody(KIND.receipt, { ...receipt, leaf: 64 })],
    ['publisherStakeId', () => encodeBody(KIND.receipt, { ...receipt, publisherStakeId: 0n })],
    ['effect', () => encodeBody(KIND.effect, { effect: new Uint8Array(0) })],
    ['blockHash', () => encodeBody(KIND.notarize, { blockHash: new Uint8Array(32) })],
  ]
  for (const [field, encode] of bad) expect(encode, field).toThrow(expect.objectContaining({ field }))
})

test('record keys are the packed hashes that Solidity will compute', () => {
  const name = bytes32('name')
  const owner = encodePacked(['uint8', 'uint64', 'bytes32'], [1, 77n, toHex(name)])
  expect(toHex(ownerKey(77, name))).toBe(viemKeccak(owner))
  const cell = encodePacked(['uint8', 'bytes32', 'uint8', 'uint8', 'int64', 'int64'], [3, toHex(name), 2, 20, 3n, -4n])
  // Bites: a shift that rounds towards zero puts -3.5 into cell -3.
  expect(toHex(cellKey(name, 20, [(7n << 20n) / 2n, -(7n << 20n) / 2n]))).toBe(viemKeccak(cell))
  expect(toHex(meshKey(name))).toBe(viemKeccak(encodePacked(['uint8', 'bytes32'], [4, toHex(name)])))
  const root = bytes32('root')
  const content = { keyType: 2, keyPreimage: new Uint8Array(32), valueRoot: root, size: 1, expiryEpoch: 0n } as const
  expect(recordKeyOf(content, 5)).toEqual(root)
})

test('two positions of one cell share its key, at every level', () => {
  const level = fc.integer({ min: 1, max: 62 })
  fc.assert(
    fc.property(bytes(32), level, fc.bigInt({ min: -1000n, max: 1000n }), fc.nat(), (world, s, cell, inside) => {
      const clamp = (q: bigint) => BigInt.asIntN(64, q)
      const corner = clamp(cell << BigInt(s))
      const within = corner + (BigInt(inside) % (1n << BigInt(s)))
      expect(cellKey(world, s, [corner])).toEqual(cellKey(world, s, [within]))
    }),
  )
})

test('a lease is the value of an owner record, and any other field is another value', () => {
  const lease = { agentId: bytes32('agent'), hostStakeId: 1n, number: 3n, untilEpoch: 1010n }
  const root = chunkRoot(encodeLease(lease))
  expect(encodeLease(lease).length).toBe(56)
  expect(isLeaseValue(root, lease)).toBe(true)
  for (const change of [{ hostStakeId: 2n }, { number: 4n }, { untilEpoch: 1011n }, { agentId: bytes32('other') }]) {
    expect(isLeaseValue(root, { ...lease, ...change })).toBe(false)
  }
  expect(toHex(chunkRoot(new Uint8Array(0)))).toBe(zeroHash)
})
