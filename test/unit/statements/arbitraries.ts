import fc from 'fast-check'
import { KIND, type Kind } from '../../../node/core/index.ts'
import { type BodyOf, chunkRoot, encodeBody } from '../../../node/statements/index.ts'
import { leaseFrame } from '../../vectors/generators/bodies.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'

/** Exactly `length` bytes. */
export const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

/** 32 bytes that are not all zero. */
export const hash = bytes(32).filter((value) => value.some((byte) => byte !== 0))
export const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
export const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
export const kinds = fc.constantFrom<Kind>(1, 2, 3, 4, 5, 6, 7)

const size = fc.integer({ min: 1, max: 65_536 })
const putFields = { keyPreimage: bytes(32), valueRoot: hash, size, expiryEpoch: u64 }
const cellFields = {
  level: fc.integer({ min: 0, max: 63 }),
  position: fc.array(i64, { minLength: 1, maxLength: 3 }),
  agentId: bytes(32),
  leaseNumber: u64,
  leaseUntilEpoch: u64,
}
const stakeId = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n })

const cells = fc.oneof(
  fc.record({ ...cellFields, authorityKind: fc.constant(1 as const), authorityStakeId: stakeId }),
  fc.record({
    ...cellFields,
    agentId: fc.constant(bytes32('agent')),
    leaseUntilEpoch: fc.bigInt({ min: 0n, max: 1010n }),
    authorityKind: fc.constant(2 as const),
    authorityStakeId: stakeId,
    leaseFrame: fc.constant(leaseFrame()),
  }),
  fc.record({ ...cellFields, authorityKind: fc.constant(3 as const), authorityMeshId: hash }),
)

const bodiesByKind: { [K in Kind]: fc.Arbitrary<BodyOf[K]> } = {
  [KIND.put]: fc.oneof(
    fc.record({ ...putFields, keyType: fc.constantFrom(1 as const, 4 as const) }),
    fc.record({ ...putFields, keyType: fc.constant(2 as const), keyPreimage: fc.constant(new Uint8Array(32)) }),
    fc.record({
      ...putFields,
      keyType: fc.constant(1 as const),
      size: fc.constant(0),
      valueRoot: fc.constant(chunkRoot(new Uint8Array(0))),
    }),
    fc.record({ ...putFields, keyType: fc.constant(3 as const), cell: cells }),
  ),
  [KIND.gossip]: fc.record({ topicHash: bytes(32), payload: fc.uint8Array({ maxLength: 300 }) }),
  [KIND.receipt]: fc.record({
    putDigest: bytes(32),
    leaf: fc.integer({ min: 0, max: 63 }),
    recordKey: bytes(32),
    valueRoot: hash,
    size,
    untilEpoch: u64,
    publisherStakeId: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  }),
  [KIND.effect]: fc.record({ effect: fc.uint8Array({ minLength: 1, maxLength: 300 }) }),
  [KIND.proposal]: fc.record({
    parentSlot: u64,
    parentHash: bytes(32),
    effectsRoot: bytes(32),
    nextRoot: bytes(32),
    codeHash: bytes(32),
  }),
  [KIND.notarize]: fc.record({ blockHash: hash }),
  [KIND.finality]: fc.record({ blockHash: bytes(32) }),
}

/** PUT bodies of every key type. */
export const puts = bodiesByKind[KIND.put]

/** A kind, a body of it, and its packed bytes. */
export const bodies = kinds.chain((kind) =>
  (bodiesByKind[kind] as fc.Arbitrary<BodyOf[typeof kind]>).map((body) => ({
    kind,
    body,
    packed: encodeBody(kind, body),
  })),
)

/** Packed bodies of one kind, as many as a statement may carry, up to `most`. */
export const bodiesOf = (kind: Kind, most: number) =>
  fc.array(
    (bodiesByKind[kind] as fc.Arbitrary<BodyOf[typeof kind]>).map((body) => encodeBody(kind, body)),
    { minLength: 1, maxLength: most },
  )

/** A change to bytes: one byte set, a piece cut off, or bytes added. Often none at all that shows. */
export const mutations = fc.oneof(
  fc.record({ change: fc.constant('set' as const), at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ change: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ change: fc.constant('add' as const), tail: fc.uint8Array({ minLength: 1, maxLength: 5 }) }),
)
export type Mutation = typeof mutations extends fc.Arbitrary<infer M> ? M : never

export function mutate(original: Uint8Array, mutation: Mutation): Uint8Array {
  switch (mutation.change) {
    case 'cut':
      return original.slice(0, mutation.at % (original.length + 1))
    case 'add':
      return new Uint8Array([...original, ...mutation.tail])
    case 'set': {
      const copy = original.slice()
      if (copy.length > 0) copy[mutation.at % copy.length] = mutation.to
      return copy
    }
  }
}
