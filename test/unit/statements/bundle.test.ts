import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Domain, FAULT, type Offence, toHex } from '../../../node/core/index.ts'
import {
  bundleOf,
  DecodeError,
  decodeBundle,
  type EvidenceBundle,
  encodeBundle,
  equivocationOffence,
  MAX_BUNDLE_BYTES,
  offenceOf,
  overrunOffence,
  verifyBundle,
} from '../../../node/statements/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'
import { mutate, mutations } from './arbitraries.ts'
import { DOMAIN, gossip, NOW_EPOCH, PARAMS, SEPARATOR, say, signerOf } from './world.ts'

const liar = signerOf('liar')
const tenure = {
  address: liar.address,
  publicKey: liar.publicKey,
  stakeId: 2,
  fromEpoch: 5,
  untilEpoch: Number.POSITIVE_INFINITY,
}
const { evidenceWindowSeconds, epochSeconds, gossipLimit, putLimit, receiptLimit, unbondingSeconds } = PARAMS
const params = { epochSeconds, putLimit, gossipLimit, receiptLimit, evidenceWindowSeconds, unbondingSeconds }

function lie(kind: 2 | 6 = 2): Offence {
  const where = kind === 2 ? {} : { kind, scope: bytes32('scope'), position: 9n }
  const [a, b] = ['yes', 'no'].map((text) => {
    const { signed } = say(liar, { ...where, bodies: kind === 2 ? gossip(text) : [bytes32(text)] })
    return { content: signed.statement.content, ...signed }
  })
  return equivocationOffence(SEPARATOR, 2, { signer: liar.address, ...a!.statement }, a!, b!)
}

function spam(): Offence {
  const { signed } = say(liar, { index: PARAMS.gossipLimit })
  const said = { content: signed.statement.content, signature: signed.signature }
  return overrunOffence(SEPARATOR, 2, { signer: liar.address, ...signed.statement }, said)
}

const bundles: [string, EvidenceBundle][] = [
  ['two gossips', bundleOf(lie(), tenure, params)],
  ['two votes', bundleOf(lie(6), { ...tenure, untilEpoch: 2000 }, params)],
  ['an overrun', bundleOf(spam(), tenure, params)],
]

test.each(bundles)('%s: a bundle comes back from its text, and its offence from the bundle', (_, bundle) => {
  expect(decodeBundle(encodeBundle(bundle))).toEqual(bundle)
  expect(decodeBundle(new Uint8Array(Buffer.from(encodeBundle(bundle))))).toEqual(bundle)
  expect(encodeBundle(bundle).length).toBeLessThan(MAX_BUNDLE_BYTES)
})

test('an offence survives the way through a file', () => {
  const offence = lie()
  expect(offenceOf(decodeBundle(encodeBundle(bundleOf(offence, tenure, params))))).toEqual(offence)
})

test('a bundle shows the statements to the eye', () => {
  const shown = JSON.parse(encodeBundle(bundles[0]![1]))
  expect(shown).toMatchObject({
    version: 1,
    fault: 'equivocation',
    domain: { chainId: '31337' },
    signer: { untilEpoch: null },
  })
  expect(shown.statements).toHaveLength(2)
  expect(shown.statements[0]).toMatchObject({ kind: 'gossip', epoch: NOW_EPOCH, index: 0 })
  expect(JSON.parse(encodeBundle(bundles[1]![1])).statements[0]).toMatchObject({ kind: 'notarize', position: '9' })
})

interface BundleJson {
  readonly domain: object
  readonly signer: object
  readonly params: object
  readonly statements: object[]
}

/** Every way of spoiling one field, and the name that the error must give. */
const spoilt: [string, (json: BundleJson) => unknown][] = [
  ['version', (json) => Object.assign(json, { version: 2 })],
  ['faultType', (json) => Object.assign(json, { faultType: 3 })],
  ['fault', (json) => Object.assign(json, { fault: 'overrun' })],
  ['faultId', (json) => Object.assign(json, { faultId: `0x${'11'.repeat(32)}` })],
  ['slot', (json) => Object.assign(json, { slot: `0x${'11'.repeat(32)}` })],
  ['evidence', (json) => Object.assign(json, { evidence: '0x00' })],
  ['evidence', (json) => Object.assign(json, { evidence: 5 })],
  ['domain', (json) => Object.assign(json, { domain: null })],
  ['domain.chainId', (json) => Object.assign(json.domain, { chainId: 31337 })],
  ['domain.chainId', (json) => Object.assign(json.domain, { chainId: '0x7a69' })],
  ['domain.registry', (json) => Object.assign(json.domain, { registry: '0x12' })],
  ['domain.salt', (json) => Object.assign(json.domain, { salt: 'salt' })],
  ['faultId', (json) => Object.assign(json.domain, { chainId: '1' })],
  ['signer.address', (json) => Object.assign(json.signer, { address: '0x' })],
  ['signer.publicKey', (json) => Object.assign(json.signer, { publicKey: `0x02${'11'.repeat(32)}` })],
  ['signer.publicKey', (json) => Object.assign(json.signer, { publicKey: `0x${'ff'.repeat(33)}` })],
  ['signer.stakeId', (json) => Object.assign(json.signer, { stakeId: 0 })],
  ['faultId', (json) => Object.assign(json.signer, { stakeId: 3 })],
  ['signer.fromEpoch', (json) => Object.assign(json.signer, { fromEpoch: -1 })],
  ['signer.untilEpoch', (json) => Object.assign(json.signer, { untilEpoch: 1.5 })],
  ['params.epochSeconds', (json) => Object.assign(json.params, { epochSeconds: 0 })],
  ['params.gossipLimit', (json) => Object.assign(json.params, { gossipLimit: '1' })],
  ['params.extra', (json) => Object.assign(json.params, { extra: 1 })],
  ['statements', (json) => json.statements.pop()],
  ['statements[1].content', (json) => Object.assign(json.statements[1]!, { content: `0x${'11'.repeat(32)}` })],
  ['statements[0].kind', (json) => Object.assign(json.statements[0]!, { kind: 'put' })],
  ['statements[0].index', (json) => Object.assign(json.statements[0]!, { index: 7 })],
  ['statements[0].position', (json) => Object.assign(json.statements[0]!, { position: '7' })],
  ['statements[0].signature', (json) => Object.assign(json.statements[0]!, { signature: `0x${'11'.repeat(64)}` })],
  ['note', (json) => Object.assign(json, { note: 'hello' })],
]

// Bites: a field read without `JsonReader`, or not compared with what the evidence says.
test.each(spoilt)('a bundle whose %s is wrong is refused by that name', (field, spoil) => {
  const json = JSON.parse(encodeBundle(bundles[0]![1]))
  spoil(json)
  expect(() => decodeBundle(JSON.stringify(json))).toThrow(expect.objectContaining({ code: 'BAD_BUNDLE', field }))
})

test('a bundle that names another key than its evidence is refused', () => {
  const json = JSON.parse(encodeBundle(bundles[0]![1]))
  const { address, publicKey } = signerOf('somebody else')
  Object.assign(json.signer, { address, publicKey: toHex(publicKey) })
  expect(() => decodeBundle(JSON.stringify(json))).toThrow(expect.objectContaining({ field: 'signer.address' }))
})

test('every missing field is named', () => {
  const whole = JSON.parse(encodeBundle(bundles[0]![1]))
  const holders: [string, Record<string, unknown>][] = [
    ['', whole],
    ['domain.', whole.domain],
    ['signer.', whole.signer],
    ['params.', whole.params],
    ['statements[0].', whole.statements[0]],
  ]
  for (const [path, holder] of holders) {
    for (const field of Object.keys(holder)) {
      const kept = holder[field]
      delete holder[field]
      expect(() => decodeBundle(JSON.stringify(whole)), path + field).toThrow(`${path}${field}: missing`)
      holder[field] = kept
    }
  }
})

test('what is no bundle at all is refused without a stack of its own', () => {
  for (const text of ['', '{', 'null', '[]', '5', '"x"', '{"version":1}', ' '.repeat(MAX_BUNDLE_BYTES + 1)]) {
    expect(() => decodeBundle(text), JSON.stringify(text.slice(0, 20))).toThrow(DecodeError)
  }
  expect(() => decodeBundle(Uint8Array.of(0xff, 0xfe))).toThrow(/text: not JSON/)
})

test('changed bytes never throw anything but DecodeError', () => {
  const whole = new Uint8Array(Buffer.from(encodeBundle(bundles[0]![1])))
  fc.assert(
    fc.property(fc.array(mutations, { minLength: 1, maxLength: 3 }), (changes) => {
      let raw: Uint8Array = whole
      for (const change of changes) raw = mutate(raw, change)
      try {
        decodeBundle(raw)
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }),
    { numRuns: 500 },
  )
})

test('only faults that statements prove have a bundle, and only with their offender', () => {
  const offence = lie()
  expect(() => bundleOf({ ...offence, faultType: FAULT.transition }, tenure, params)).toThrow(/faultType/)
  expect(() => bundleOf(offence, { ...tenure, address: `0x${'11'.repeat(20)}` }, params)).toThrow(/signer/)
})

test.each(bundles)('%s: proven off line, and what is not is said', (_, bundle) => {
  const bare = verifyBundle(bundle, { domain: DOMAIN })
  expect(bare.verdict).toMatchObject({ proven: true, stakeId: 2 })
  expect(bare.proven).toHaveLength(1)
  expect(bare.proven[0]).toMatch(new RegExp(`^key ${liar.address} signed`))
  expect(bare.unproven).toHaveLength(4)
  const key = () => tenure
  const full = verifyBundle(bundle, { domain: DOMAIN, params: PARAMS, key, at: NOW_EPOCH * PARAMS.epochSeconds })
  expect(full.verdict.proven).toBe(true)
  expect(full.unproven).toEqual(['that the stake was not slashed for it already: only the court knows'])
})

// Bites: judging in the domain that the bundle itself names.
test('a bundle for another deployment proves nothing here', () => {
  const [, bundle] = bundles[0]!
  const others: Partial<Domain>[] = [
    { chainId: 1n },
    { salt: `0x${'77'.repeat(32)}` },
    { verifyingContract: `0x${'11'.repeat(20)}` },
  ]
  for (const other of others) {
    const report = verifyBundle(bundle, { domain: { ...DOMAIN, ...other } })
    expect(report.verdict).toMatchObject({ proven: false, error: 'BadSignature' })
    expect(report.proven).toEqual([])
  }
})

test('what the chain says goes before what the bundle says', () => {
  const [, bundle] = bundles[2]!
  const higher = verifyBundle(bundle, { domain: DOMAIN, params: { ...PARAMS, gossipLimit: 1_000_000 } })
  expect(higher.verdict).toMatchObject({ proven: false, error: 'NotFaulty' })
  const nobody = verifyBundle(bundle, { domain: DOMAIN, key: () => undefined })
  expect(nobody.verdict).toMatchObject({ proven: false, error: 'UnknownKey' })
  const retired = () => ({ ...tenure, untilEpoch: NOW_EPOCH + 1 })
  const late = verifyBundle(bundle, {
    domain: DOMAIN,
    key: retired,
    at: (NOW_EPOCH + 1) * 10 + PARAMS.evidenceWindowSeconds + 1,
  })
  expect(late.verdict).toMatchObject({ proven: false, error: 'EvidenceTooOld' })
})
