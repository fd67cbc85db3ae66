import { type Address, type Domain, fromHex, type Hex, type KeyTenure, type Offence, toHex } from '../core/index.ts'
import { DecodeError, EncodeError } from './errors.ts'
import { FAULT_RULES, isStatementFault, readEvidence, type StatementFault } from './faults/judge.ts'
import { JsonReader } from './json-reader.ts'
import { isKind, isMetered, kindRule } from './kinds.ts'
import { epochOf, indexOf } from './position.ts'
import { addressOfPublicKey } from './signature.ts'
import { faultIdOf, slotHash } from './slot.ts'
import type { JudgingParams } from './tenure.ts'

export const BUNDLE_VERSION = 1
/** The longest bundle read; a real one has about 3,000 bytes. */
export const MAX_BUNDLE_BYTES = 8192

/**
 * A fault as anyone can pass it on, check and submit. `signer` and `params` are what its maker read from the chain:
 * claims, which only the chain can confirm.
 */
export interface EvidenceBundle {
  readonly domain: Domain
  readonly faultType: StatementFault
  /** The verifier's packed bytes. */
  readonly evidence: Uint8Array
  readonly signer: KeyTenure
  readonly params: JudgingParams
  readonly slot: Hex
  readonly faultId: Hex
}

/** Adds to an offence what others need to check it without a chain. */
export function bundleOf(offence: Offence, key: KeyTenure, params: JudgingParams): EvidenceBundle {
  const { domain, evidence, faultId, faultType, slot } = offence
  if (!isStatementFault(faultType)) throw new EncodeError('bundle', 'faultType', `${faultType} has no bundle`)
  if (key.address !== offence.signer) throw new EncodeError('bundle', 'signer', `${key.address} is not the offender`)
  return { domain, faultType, evidence, signer: key, params, slot, faultId }
}

/** What a bundle is about, as the reporter takes it. */
export function offenceOf(bundle: EvidenceBundle): Offence {
  const { domain, evidence, faultId, faultType, signer, slot } = bundle
  return { faultType, stakeId: signer.stakeId, signer: signer.address, slot, faultId, evidence, domain }
}

/** The JSON text of a bundle, for people and for the wire. */
export function encodeBundle(bundle: EvidenceBundle): string {
  const { domain, evidence, faultId, faultType, params, signer, slot } = bundle
  const document = {
    version: BUNDLE_VERSION,
    domain: { chainId: domain.chainId.toString(), registry: domain.verifyingContract, salt: domain.salt },
    faultType,
    fault: FAULT_RULES[faultType].name,
    faultId,
    slot,
    signer: {
      address: signer.address,
      publicKey: toHex(signer.publicKey),
      stakeId: signer.stakeId,
      fromEpoch: signer.fromEpoch,
      untilEpoch: Number.isFinite(signer.untilEpoch) ? signer.untilEpoch : null,
    },
    params: {
      epochSeconds: params.epochSeconds,
      putLimit: params.putLimit,
      gossipLimit: params.gossipLimit,
      receiptLimit: params.receiptLimit,
      evidenceWindowSeconds: params.evidenceWindowSeconds,
      unbondingSeconds: params.unbondingSeconds,
    },
    statements: statementsOf(faultType, evidence),
    evidence: toHex(evidence),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** One statement of a bundle, for the eye. Follows from the evidence. */
interface ShownStatement {
  readonly kind: string
  readonly scope: Hex
  readonly position: string
  readonly epoch?: number
  readonly index?: number
  readonly content: Hex
  readonly signature: Hex
}

function statementsOf(faultType: StatementFault, evidence: Uint8Array): ShownStatement[] {
  const { slot, said } = readEvidence(faultType, evidence)
  const { kind, position, scope } = slot
  if (!isKind(kind)) throw new DecodeError('bundle', 'evidence', `kind ${kind} is none`)
  return said.map(({ content, signature }) => ({
    kind: kindRule(kind).name,
    scope: toHex(scope),
    position: position.toString(),
    ...(isMetered(kind) ? { epoch: epochOf(position), index: indexOf(position) } : {}),
    content: toHex(content),
    signature: toHex(signature),
  }))
}

const MAX_U32 = 0xffff_ffff
const MAX_U64 = 2n ** 64n - 1n
const MAX_U256 = 2n ** 256n - 1n

/**
 * Reads a bundle: every field there, none unknown, and all that follows from others (ids, the public key's address,
 * the statements shown) in agreement with them. Judges nothing; see `verifyBundle`.
 * @throws {DecodeError} `BAD_BUNDLE`, naming the field
 */
export function decodeBundle(text: string | Uint8Array): EvidenceBundle {
  const top = new JsonReader(parse(text), '')
  top.integer('version', BUNDLE_VERSION, BUNDLE_VERSION)
  const domain = readDomain(top.object('domain'))
  const faultType = top.integer('faultType', 1, 2) as StatementFault
  top.text('fault', FAULT_RULES[faultType].name)
  const signer = readSigner(top.object('signer'))
  const params = readParams(top.object('params'))
  const evidence = fromHex(top.hex('evidence', FAULT_RULES[faultType].evidenceBytes))
  const shown = statementsOf(faultType, evidence)
  const slot = top.hex('slot', 32)
  const faultId = top.hex('faultId', 32)
  for (const [index, reader] of top.objects('statements', shown.length).entries()) checkShown(reader, shown[index]!)
  top.end()

  const claimed = readEvidence(faultType, evidence).slot
  if (claimed.signer !== signer.address) bad('signer.address', `not the evidence's ${claimed.signer}`)
  if (!isKind(claimed.kind)) return bad('evidence', `kind ${claimed.kind} is none`)
  const { kind } = claimed
  if (slotHash({ ...claimed, kind }) !== slot) bad('slot', 'not the slot of the evidence')
  if (faultIdOf(domain, faultType, signer.stakeId, slot) !== faultId) bad('faultId', 'not that of this fault')
  return { domain, faultType, evidence, signer, params, slot, faultId }
}

function parse(text: string | Uint8Array): unknown {
  const size = typeof text === 'string' ? Buffer.byteLength(text) : text.length
  if (size > MAX_BUNDLE_BYTES) bad('text', `${size} bytes, the limit is ${MAX_BUNDLE_BYTES}`)
  try {
    return JSON.parse(typeof text === 'string' ? text : new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch (cause) {
    throw new DecodeError('bundle', 'text', 'not JSON', {
      cause,
      hint: 'Give the file that `suprnova evidence show` wrote.',
    })
  }
}

function readDomain(reader: JsonReader): Domain {
  const domain = {
    chainId: reader.decimal('chainId', MAX_U256),
    verifyingContract: reader.hex('registry', 20),
    salt: reader.hex('salt', 32),
  }
  reader.end()
  return domain
}

function readSigner(reader: JsonReader): KeyTenure {
  const address: Address = reader.hex('address', 20)
  const publicKey = fromHex(reader.hex('publicKey', 33))
  const stakeId = reader.integer('stakeId', 1, Number.MAX_SAFE_INTEGER)
  const fromEpoch = reader.integer('fromEpoch', 0, MAX_U32)
  const untilEpoch = reader.integerOrNull('untilEpoch', 1, MAX_U32) ?? Number.POSITIVE_INFINITY
  reader.end()
  if (addressOrNone(publicKey) !== address) bad('signer.publicKey', 'not the key of signer.address')
  return { address, publicKey, stakeId, fromEpoch, untilEpoch }
}

function addressOrNone(publicKey: Uint8Array): Address | undefined {
  try {
    return addressOfPublicKey(publicKey)
  } catch {
    return undefined // no point of the curve
  }
}

function readParams(reader: JsonReader): JudgingParams {
  const params = {
    epochSeconds: reader.integer('epochSeconds', 1, MAX_U32),
    putLimit: reader.integer('putLimit', 0, MAX_U32),
    gossipLimit: reader.integer('gossipLimit', 0, MAX_U32),
    receiptLimit: reader.integer('receiptLimit', 0, MAX_U32),
    evidenceWindowSeconds: reader.integer('evidenceWindowSeconds', 0, MAX_U32),
    unbondingSeconds: reader.integer('unbondingSeconds', 0, MAX_U32),
  }
  reader.end()
  return params
}

function checkShown(reader: JsonReader, shown: ShownStatement): void {
  reader.text('kind', shown.kind)
  if (reader.hex('scope', 32) !== shown.scope) reader.refuse('scope')
  if (reader.decimal('position', MAX_U64).toString() !== shown.position) reader.refuse('position')
  if (shown.epoch !== undefined && reader.integer('epoch', 0, MAX_U32) !== shown.epoch) reader.refuse('epoch')
  if (shown.index !== undefined && reader.integer('index', 0, MAX_U32) !== shown.index) reader.refuse('index')
  if (reader.hex('content', 32) !== shown.content) reader.refuse('content')
  if (reader.hex('signature', 64) !== shown.signature) reader.refuse('signature')
  reader.end()
}

function bad(field: string, problem: string): never {
  throw new DecodeError('bundle', field, problem)
}
