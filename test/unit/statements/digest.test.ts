import fc from 'fast-check'
import { encodeAbiParameters, encodePacked, hashTypedData, toHex as viemHex, keccak256 as viemKeccak } from 'viem'
import { expect, test } from 'vitest'
import { type Domain, type FaultType, fromHex, type Kind, toHex } from '../../../node/core/index.ts'
import {
  DomainSeparator,
  faultIdOf,
  keccak256,
  slotHash,
  statementDigest,
  topicHash,
} from '../../../node/statements/index.ts'
import { bytes, u64 } from './arbitraries.ts'

const TYPES = {
  Statement: [
    { name: 'kind', type: 'uint8' },
    { name: 'scope', type: 'bytes32' },
    { name: 'position', type: 'uint64' },
    { name: 'content', type: 'bytes32' },
  ],
} as const

const domains: fc.Arbitrary<Domain> = fc.record({
  chainId: fc.bigInt({ min: 1n, max: BigInt(Number.MAX_SAFE_INTEGER) }),
  verifyingContract: bytes(20).map(toHex),
  salt: bytes(32).map(toHex),
})
const statements = fc.record({
  kind: fc.integer({ min: 1, max: 7 }) as fc.Arbitrary<Kind>,
  scope: bytes(32),
  position: u64,
  content: bytes(32),
})

test('keccak256 is that of viem, for one part and for several', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40_000 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
      expect(toHex(keccak256(a))).toBe(viemKeccak(a))
      expect(toHex(keccak256(a, b))).toBe(viemKeccak(new Uint8Array([...a, ...b])))
    }),
  )
})

// Bites: leave the last position of the struct unwritten (`setBigUint64` removed): digests of two positions are equal.
test('the digest is that of viem hashTypedData', () => {
  fc.assert(
    fc.property(domains, statements, (domain, statement) => {
      const wanted = hashTypedData({
        domain: {
          name: 'Suprnova',
          version: '1',
          chainId: Number(domain.chainId),
          verifyingContract: domain.verifyingContract,
          salt: domain.salt,
        },
        types: TYPES,
        primaryType: 'Statement',
        message: { ...statement, scope: toHex(statement.scope), content: toHex(statement.content) },
      })
      expect(toHex(statementDigest(domain, statement))).toBe(wanted)
      expect(toHex(statementDigest(new DomainSeparator(domain), statement))).toBe(wanted)
    }),
  )
})

test('slot and fault id are what Solidity packs and encodes', () => {
  const slots = fc.record({
    signer: bytes(20).map(toHex),
    kind: fc.integer({ min: 1, max: 7 }),
    scope: bytes(32),
    position: u64,
  })
  const types = fc.constantFrom<FaultType>(1, 2, 3, 4)
  fc.assert(
    fc.property(domains, slots, types, fc.nat(), (domain, slot, faultType, stakeId) => {
      const packed = encodePacked(
        ['address', 'uint8', 'bytes32', 'uint64'],
        [slot.signer, slot.kind, toHex(slot.scope), slot.position],
      )
      const hash = slotHash({ ...slot, kind: slot.kind as Kind })
      expect(hash).toBe(viemKeccak(packed))
      const encoded = encodeAbiParameters(
        [{ type: 'uint256' }, { type: 'address' }, { type: 'uint8' }, { type: 'uint64' }, { type: 'bytes32' }],
        [domain.chainId, domain.verifyingContract, faultType, BigInt(stakeId), hash],
      )
      expect(faultIdOf(domain, faultType, stakeId, hash)).toBe(viemKeccak(encoded))
    }),
  )
})

test('a topic is hashed by its UTF-8 bytes', () => {
  expect(toHex(topicHash('schäch'))).toBe(viemKeccak(viemHex('schäch')))
  expect(topicHash('a')).toEqual(fromHex(viemKeccak(viemHex('a'))))
})
