import fc from 'fast-check'
import {
  BaseError,
  ContractFunctionRevertedError,
  encodeAbiParameters,
  toHex as viemHex,
  keccak256 as viemKeccak,
} from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Address, type Domain, FAULT, type Kind, type Offence, toHex } from '../../node/core/index.ts'
import {
  Admission,
  DomainSeparator,
  equivocationOffence,
  evidenceOfEquivocation,
  evidenceOfOverrun,
  type FaultVerdict,
  faultIdOf,
  type JudgeContext,
  judge,
  type KeyRecord,
  nativeSecp256k1,
  nobleSecp256k1,
  overrunOffence,
  positionOf,
  type SignedContent,
  type StatementFault,
  statementDigest,
} from '../../node/statements/index.ts'
import { type Contracts, DEV_PARAMS, openContracts, START_SECONDS } from '../integration/contracts/fixture.ts'
import { type Mutation, mutate, mutations } from '../unit/statements/arbitraries.ts'
import { PARAMS, PlainMetrics, PlainSlotIndex, say, signerOf } from '../unit/statements/world.ts'
import { bytes32 } from '../vectors/generators/cast.ts'

const LONG = process.env.SUPRNOVA_LONG === '1'
const runs = LONG ? 5000 : 400

const NOW_EPOCH = START_SECONDS / DEV_PARAMS.epochSeconds

/** Keys of the real registry, and keys that no registration could make, written into its storage. */
const OPEN = Number.POSITIVE_INFINITY
const CAST: readonly (readonly [name: string, record: KeyRecord | undefined])[] = [
  ['steady', { stakeId: 11, fromEpoch: 0, untilEpoch: OPEN }],
  ['young', { stakeId: 12, fromEpoch: NOW_EPOCH, untilEpoch: OPEN }],
  ['retired', { stakeId: 13, fromEpoch: 5, untilEpoch: NOW_EPOCH - 3 }],
  ['old', { stakeId: 14, fromEpoch: 5, untilEpoch: NOW_EPOCH - 70 }],
  ['ancient', { stakeId: 15, fromEpoch: 5, untilEpoch: NOW_EPOCH - 500 }],
  ['brief', { stakeId: 16, fromEpoch: NOW_EPOCH - 1, untilEpoch: NOW_EPOCH + 1 }],
  ['stranger', undefined],
]
const signers = CAST.map(([name]) => signerOf(name))
const records = new Map<Address, KeyRecord | undefined>(CAST.map(([, record], i) => [signers[i]!.address, record]))

let contracts: Contracts
let domain: Domain
let separator: DomainSeparator

beforeAll(async () => {
  contracts = await openContracts()
  const { chainId, salt, verifyingContract } = contracts.domain
  domain = { chainId: BigInt(chainId), salt, verifyingContract: verifyingContract.toLowerCase() as Address }
  separator = new DomainSeparator(domain)
  await contracts.register(0)
  const mapping = await keysMapping()
  for (const [address, record] of records) {
    if (record === undefined) continue
    const until = Number.isFinite(record.untilEpoch) ? record.untilEpoch : 0
    const packed = BigInt(record.stakeId) | (BigInt(record.fromEpoch) << 64n) | (BigInt(until) << 128n)
    await contracts.networkHelpers.setStorageAt(domain.verifyingContract, slotOfKey(address, mapping), packed)
    const { fromEpoch, stakeId, untilEpoch } = await contracts.contracts.registry.read.keyRecord([address])
    expect([stakeId, fromEpoch, untilEpoch]).toEqual([record.stakeId, record.fromEpoch, until].map(BigInt))
  }
})
afterAll(() => contracts.connection.close())

function slotOfKey(address: Address, mapping: bigint): bigint {
  return BigInt(viemKeccak(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [address, mapping])))
}

/** Where the registry keeps its keys: the first storage slot whose mapping has the one key registered. */
async function keysMapping(): Promise<bigint> {
  const { nodeKey } = await contracts.contracts.registry.read.stakeOf([1n])
  for (let mapping = 0n; mapping < 64n; mapping++) {
    const slot = viemHex(slotOfKey(nodeKey.toLowerCase() as Address, mapping), { size: 32 })
    const value = await contracts.publicClient.getStorageAt({ address: domain.verifyingContract, slot })
    if (value !== undefined && BigInt(value) !== 0n) return mapping
  }
  throw new Error('no mapping of keys found in the registry')
}

const often = <T>(value: fc.Arbitrary<T>, weight = 8) => ({ arbitrary: value, weight })

/** Epochs around every border there is, mostly near now. */
const epochs = fc.oneof(
  often(fc.integer({ min: -5, max: 3 }).map((offset) => NOW_EPOCH + offset)),
  often(
    fc.integer({ min: -600, max: 3 }).map((offset) => NOW_EPOCH + offset),
    3,
  ),
  often(fc.constantFrom(0, 4, 5, 0xffff_ffff), 1),
)
const LIMIT = DEV_PARAMS.gossipLimit
const indices = fc.oneof(fc.constantFrom(0, 7, LIMIT - 1), often(fc.constantFrom(LIMIT, LIMIT + 1, 0xffff_ffff), 2))
const positions = fc.oneof(
  often(
    fc.tuple(epochs, indices).map(([epoch, index]) => positionOf(epoch, index)),
    20,
  ),
  often(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), 1),
)
const kinds = fc.oneof(
  often(fc.integer({ min: 1, max: 7 })),
  often(fc.integer({ min: 1, max: 3 })),
  often(fc.nat(255), 1),
)
const scopes = fc.constantFrom(new Uint8Array(32), bytes32('a scope'))
const times = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.constantFrom(-70 * 10 + 600, -70 * 10 + 601, -70 * 10 + 1500, -70 * 10 + 1501, 100_000),
)
const contents = fc.constantFrom('a', 'b', 'c', 'd').map(bytes32)
/** Mostly in what comes after the slot, so that it is a signature or a content that breaks. */
const damages = fc.oneof(
  often(
    fc.record({
      change: fc.constant('set' as const),
      at: fc.integer({ min: 61, max: 252 }),
      to: fc.integer({ min: 0, max: 255 }),
    }),
    3,
  ),
  mutations,
)
const speakers = fc.oneof(often(fc.constant(signers[0]!), 4), often(fc.constantFrom(...signers), 6))

const claims = fc.record({
  faultType: fc.constantFrom<StatementFault>(FAULT.equivocation, FAULT.overrun),
  signer: speakers,
  kind: kinds,
  // None given: the one that fits the kind.
  scope: fc.oneof(often(fc.constant(undefined)), often(scopes, 1)),
  position: positions,
  first: contents,
  second: contents,
  atOffset: times,
  mutations: fc.oneof(
    often(fc.constant<Mutation[]>([]), 3),
    often(fc.array(damages, { minLength: 1, maxLength: 2 }), 1),
  ),
})
type Claim = typeof claims extends fc.Arbitrary<infer C> ? C : never

const MESH_SCOPE = bytes32('a mesh scope')

function evidenceOf({ faultType, first, kind, position, scope, second, signer, ...claim }: Claim): Uint8Array {
  const fitting = kind >= 1 && kind <= 3 ? new Uint8Array(32) : MESH_SCOPE
  const slot = { signer: signer.address, kind: kind as Kind, scope: scope ?? fitting, position }
  const said = (content: Uint8Array): SignedContent => ({
    content,
    signature: signer.sign(statementDigest(separator, { ...slot, content })),
  })
  let evidence =
    faultType === FAULT.overrun
      ? evidenceOfOverrun(separator, slot, said(first))
      : twoOf(slot, said(first), said(second))
  for (const mutation of claim.mutations) evidence = mutate(evidence, mutation)
  return evidence
}

/** The builder refuses equal contents, so they are put side by side by hand. */
function twoOf(slot: Parameters<typeof evidenceOfEquivocation>[1], a: SignedContent, b: SignedContent): Uint8Array {
  if (toHex(a.content) !== toHex(b.content)) return evidenceOfEquivocation(separator, slot, a, b)
  const single = evidenceOfOverrun(separator, slot, a)
  return new Uint8Array([...single, ...single.subarray(61)])
}

/** A verdict in words: the stake and slot convicted, or the error with its values. */
function inWords(verdict: FaultVerdict): string {
  if (verdict.proven) return `proven: stake ${verdict.stakeId}, ${verdict.slot}`
  return `${verdict.error}(${verdict.values.map(String).join(', ')})`.toLowerCase()
}

async function verdictOfCourt(faultType: StatementFault, evidence: Uint8Array, at: number): Promise<string> {
  const { equivocation, overrun } = contracts.contracts
  const verifier = faultType === FAULT.equivocation ? equivocation : overrun
  try {
    const [stakeId, slot] = await verifier.read.verify([toHex(evidence), BigInt(at)])
    return `proven: stake ${stakeId}, ${slot}`
  } catch (error) {
    const reverted = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionRevertedError)
    if (!(reverted instanceof ContractFunctionRevertedError) || reverted.data === undefined) throw error
    return `${reverted.data.errorName}(${(reverted.data.args ?? []).map(String).join(', ')})`.toLowerCase()
  }
}

function contextAt(at: number): JudgeContext {
  return { domain: separator, params: DEV_PARAMS, key: (address) => records.get(address), at }
}

// Bites: any check of either judge left out, moved, or off by one (seen with the window's `at > until` made `>=`).
test('TypeScript and Solidity give the same verdict on the same bytes, with the same values', async () => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(claims, async (claim) => {
      const evidence = evidenceOf(claim)
      const at = START_SECONDS + claim.atOffset
      const wanted = await verdictOfCourt(claim.faultType, evidence, at)
      for (const curve of [nativeSecp256k1 ?? nobleSecp256k1, nobleSecp256k1]) {
        expect(inWords(judge(claim.faultType, evidence, { ...contextAt(at), curve }))).toBe(wanted)
      }
      const name = wanted.split(/[:(]/)[0]!
      seen.set(name, (seen.get(name) ?? 0) + 1)
    }),
    { numRuns: runs },
  )
  // The fuzz is worth nothing if it meets one verdict only.
  const names = ['proven', 'evidencelength', 'voidstatement', 'unknownkey', 'epochinfuture', 'keynotintenure']
  expect([...seen.keys()].sort()).toEqual([...names, 'evidencetooold', 'notfaulty', 'badsignature'].sort())
})

/** A node of this deployment at a moment, with what it reports. */
function nodeAt(at: number): { admission: Admission; offences: Offence[] } {
  const offences: Offence[] = []
  const key = (address: Address) => {
    const record = records.get(address)
    const signer = signers.find((candidate) => candidate.address === address)
    return record && signer ? { ...record, address, publicKey: signer.publicKey } : undefined
  }
  const admission = new Admission(
    { domain: separator, params: { ...PARAMS, ...DEV_PARAMS }, pastEpochs: 60 },
    {
      stakeView: { key, maySpeak: () => true },
      slotIndex: new PlainSlotIndex(),
      clock: { nowMs: () => at * 1000 },
      offences: { report: (offence) => void offences.push(offence) },
      metrics: new PlainMetrics(),
    },
  )
  return { admission, offences }
}

/** A body of its kind that decodes, a different one for each text. */
function bodyOf(kind: Kind, text: string): Uint8Array {
  const hash = bytes32(text)
  switch (kind) {
    case 1:
      return new Uint8Array([1, ...hash, ...hash, 0, 0, 0, 9, ...new Uint8Array(8)])
    case 3:
      return new Uint8Array([...hash, 0, ...hash, ...hash, 0, 0, 0, 9, ...new Uint8Array(15), 1])
    case 5:
      return new Uint8Array([...new Uint8Array(8), ...hash, ...hash, ...hash, ...hash])
    default:
      return hash
  }
}

const conflicts = fc.record({
  signer: speakers,
  kind: fc.integer({ min: 1, max: 7 }) as fc.Arbitrary<Kind>,
  position: positions,
  atOffset: times,
  damage: fc.option(mutations, { freq: 3 }),
})

// Bites: a tenure, window or limit that a node reads more kindly than the court.
test('what nodes accept the court can punish, and what it can punish a node that sees it reports', async () => {
  let [punished, accepted] = [0, 0]
  await fc.assert(
    fc.asyncProperty(conflicts, async ({ atOffset, damage, kind, position, signer }) => {
      const at = START_SECONDS + atOffset
      const scope = kind <= 3 ? new Uint8Array(32) : MESH_SCOPE
      const [a, b] = ['a', 'b'].map((text) =>
        say(signer, { kind, scope, position, bodies: [bodyOf(kind, text)], separator }),
      )
      const frameOfB = damage === null ? b!.frame : mutate(b!.frame, damage)
      const admit = (frame: Uint8Array) => {
        const node = nodeAt(at)
        return node.admission.admit(frame, { kinds: [1, 2, 3, 4, 5, 6, 7] })
      }
      const [verdictA, verdictB] = [admit(a!.frame), admit(frameOfB)]

      // 1. Two nodes accepted one each: together they hold what convicts.
      if (verdictA.outcome === 'accept' && verdictB.outcome === 'accept') {
        accepted++
        const [one, other] = [verdictA.signed, verdictB.signed]
        const sides = [one, other].map(({ signature, statement }) => ({ content: statement.content, signature }))
        const slot = { ...one.statement, signer: one.signer }
        const { statement } = other
        const sameSlot = one.signer === other.signer && statement.position === position && statement.kind === kind
        if (sameSlot && toHex(sides[0]!.content) !== toHex(sides[1]!.content)) {
          const evidence = evidenceOfEquivocation(separator, slot, sides[0]!, sides[1]!)
          expect(await verdictOfCourt(FAULT.equivocation, evidence, at)).toMatch(/^proven/)
        }
      }

      // 2. One node saw both: its offences are those the court proves, under the ids the court gives them.
      const node = nodeAt(at)
      for (const frame of [a!.frame, frameOfB]) node.admission.admit(frame, { kinds: [1, 2, 3, 4, 5, 6, 7] })
      for (const { evidence, faultId, faultType, slot, stakeId } of node.offences) {
        expect(await verdictOfCourt(faultType as StatementFault, evidence, at)).toBe(
          `proven: stake ${stakeId}, ${slot}`,
        )
        const courtsId = await contracts.contracts.court.read.faultIdOf([faultType, BigInt(stakeId), slot])
        expect(faultId).toBe(courtsId)
      }

      // 3. What the court proves of sound statements in a node's window, that node reported.
      if (damage !== null) return
      const slot = { ...a!.signed.statement, signer: signer.address }
      const [saidA, saidB] = [a!, b!].map(({ signed }) => ({
        content: signed.statement.content,
        signature: signed.signature,
      }))
      const whole =
        kind <= 3 && (position & 0xffff_ffffn) >= 65_536n
          ? overrunOffence(separator, 0, slot, saidA!)
          : equivocationOffence(separator, 0, slot, saidA!, saidB!)
      const inWindow = kind > 3 || Number(position >> 32n) >= Math.floor(at / DEV_PARAMS.epochSeconds) - 60
      const isProven = (await verdictOfCourt(whole.faultType as StatementFault, whole.evidence, at)).startsWith(
        'proven',
      )
      if (isProven) punished++
      const reported = node.offences.map(({ faultType }) => faultType)
      expect(reported).toEqual(isProven && inWindow ? [whole.faultType] : [])
    }),
    { numRuns: runs },
  )
  expect(punished).toBeGreaterThan(runs / 50)
  expect(accepted).toBeGreaterThan(runs / 50)
})

test('fault ids are those of the court', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 2, 3, 4),
      fc.nat(),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      async (type, stakeId, slot) => {
        const wanted = await contracts.contracts.court.read.faultIdOf([type, BigInt(stakeId), toHex(slot)])
        expect(faultIdOf(domain, type as 1, stakeId, toHex(slot))).toBe(wanted)
      },
    ),
    { numRuns: 20 },
  )
})
