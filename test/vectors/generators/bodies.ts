import { KIND, type Kind, type Statement, toHex } from '../../../node/core/index.ts'
import {
  type CellFields,
  chunkRoot,
  DecodeError,
  decodeBody,
  encodeBody,
  encodeLeafFrame,
  encodeLease,
  leaseNameHash,
  merkleRoot,
  type PutBody,
  positionOf,
  recordKeyOf,
} from '../../../node/statements/index.ts'
import { bytes32, columns, digestOf, KEYS, ZERO_32 } from './cast.ts'

type Case = [name: string, kind: Kind, body: Uint8Array]

const WRITER_STAKE = 1
const value = new Uint8Array(3000).fill(9)
const put = { keyPreimage: bytes32('name'), valueRoot: chunkRoot(value), size: value.length, expiryEpoch: 1060n }
const agentId = bytes32('agent')

const owner = encodeBody(KIND.put, { ...put, keyType: 1 })
const content = encodeBody(KIND.put, { ...put, keyType: 2, keyPreimage: ZERO_32 })

function cellPut(cell: Partial<CellFields>): PutBody {
  const fields = {
    level: 30,
    position: [5n << 30n, -1n],
    agentId,
    leaseNumber: 3n,
    leaseUntilEpoch: 1010n,
    authorityKind: 1,
    authorityStakeId: 1n,
    ...cell,
  } as CellFields
  return { ...put, keyType: 3, keyPreimage: bytes32('world'), cell: fields }
}

/** The lease of stake 2's agent for stake 1, as stake 2 would sign it into its owner record. */
export function leaseFrame(named = agentId, expiryEpoch = 1010n): Uint8Array {
  const lease = encodeLease({ agentId, hostStakeId: 1n, number: 3n, untilEpoch: 1010n })
  const body = encodeBody(KIND.put, {
    keyType: 1,
    keyPreimage: leaseNameHash(named),
    valueRoot: chunkRoot(lease),
    size: lease.length,
    expiryEpoch,
  })
  const statement: Statement = {
    kind: KIND.put,
    scope: ZERO_32,
    position: positionOf(1000, 4),
    content: merkleRoot([owner, body]),
  }
  const signer = KEYS.successor
  const signature = signer.sign(digestOf({ signer: signer.address, ...statement }, statement.content))
  return encodeLeafFrame({ signer: signer.address, statement, signature }, [owner, body], 1)
}

const cell = (fields: Partial<CellFields>) => encodeBody(KIND.put, cellPut(fields))
const leased = cell({ authorityKind: 2, authorityStakeId: 2n, leaseFrame: leaseFrame() })

function changed(body: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = body.slice()
  copy.set(bytes, at)
  return copy
}

/** A leased cell whose lease frame is another. */
function withLease(frame: Uint8Array): Uint8Array {
  const start = leased.subarray(0, leased.length - leaseFrame().length - 2)
  return new Uint8Array([...start, frame.length >> 8, frame.length & 0xff, ...frame])
}

function puts(): Case[] {
  const bad = (name: string, body: Uint8Array): Case => [`PUT, ${name}`, KIND.put, body]
  return [
    ['PUT, owner', KIND.put, owner],
    ['PUT, owner, empty value', KIND.put, encodeBody(KIND.put, { ...put, keyType: 1, size: 0, valueRoot: ZERO_32 })],
    ['PUT, owner, largest value', KIND.put, encodeBody(KIND.put, { ...put, keyType: 1, size: 65_536 })],
    ['PUT, content', KIND.put, content],
    ['PUT, cell, 1-D', KIND.put, cell({ position: [-(2n ** 63n)] })],
    ['PUT, cell, 2-D', KIND.put, cell({})],
    ['PUT, cell, 3-D', KIND.put, cell({ position: [2n ** 63n - 1n, 0n, -1n], level: 63 })],
    ['PUT, cell, level 0', KIND.put, cell({ level: 0 })],
    ['PUT, cell, leased', KIND.put, leased],
    ['PUT, cell, mesh', KIND.put, cell({ authorityKind: 3, authorityMeshId: bytes32('mesh') })],
    ['PUT, mesh', KIND.put, encodeBody(KIND.put, { ...put, keyType: 4 })],
    bad('empty', new Uint8Array(0)),
    bad('key type 0', changed(owner, 0, 0)),
    bad('key type 5', changed(owner, 0, 5)),
    bad('cut off', owner.slice(0, -1)),
    bad('trailing byte', new Uint8Array([...owner, 0])),
    bad('value too large', changed(owner, 65, 0, 1, 0, 1)),
    bad('size without a root', changed(owner, 33, ...ZERO_32)),
    bad('root without a size', changed(owner, 65, 0, 0, 0, 0)),
    bad('content with a preimage', changed(content, 1, 1)),
    bad('empty content', changed(changed(content, 33, ...ZERO_32), 65, 0, 0, 0, 0)),
    bad('cell without fields', changed(owner, 0, 3)),
    bad('cell, no dimension', changed(cell({}), 77, 0)),
    bad('cell, four dimensions', changed(cell({}), 77, 4)),
    bad('cell, level 64', changed(cell({}), 78, 64)),
    bad('cell, authority kind 0', changed(cell({}), 143, 0)),
    bad('cell, authority kind 4', changed(cell({}), 143, 4)),
    bad('cell, stake id not padded with zeros', changed(cell({}), 144, 1)),
    bad('cell, authority stake 0', changed(cell({}), 144, ...ZERO_32)),
    bad('cell, authority mesh 0', changed(changed(cell({}), 143, 3), 144, ...ZERO_32)),
    bad('cell, trailing byte', new Uint8Array([...cell({}), 0])),
    bad('cell, lease cut off', leased.slice(0, -1)),
    bad('cell, lease empty', withLease(new Uint8Array(0))),
    bad('cell, lease for another agent', withLease(leaseFrame(bytes32('another agent')))),
    bad('cell, lease record ends too early', withLease(leaseFrame(agentId, 1009n))),
    bad('cell, lease not a PUT', withLease(changed(leaseFrame(), 22, 2))),
    bad('cell, lease of unknown version', withLease(changed(leaseFrame(), 0, 2))),
  ]
}

function others(): Case[] {
  const receipt = encodeBody(KIND.receipt, {
    putDigest: bytes32('put'),
    leaf: 63,
    recordKey: bytes32('key'),
    valueRoot: put.valueRoot,
    size: 3000,
    untilEpoch: 1050n,
    publisherStakeId: 7n,
  })
  const proposal = encodeBody(KIND.proposal, {
    parentSlot: 11n,
    parentHash: bytes32('parent'),
    effectsRoot: bytes32('effects'),
    nextRoot: bytes32('next'),
    codeHash: bytes32('code'),
  })
  const gossip = (length: number) => new Uint8Array([...bytes32('topic'), ...new Uint8Array(length)])
  return [
    ['GOSSIP, empty payload', KIND.gossip, gossip(0)],
    ['GOSSIP, three bytes', KIND.gossip, new Uint8Array([...bytes32('topic'), 1, 2, 3])],
    ['GOSSIP, no topic', KIND.gossip, bytes32('topic').slice(1)],
    ['RECEIPT', KIND.receipt, receipt],
    ['RECEIPT, leaf 64', KIND.receipt, changed(receipt, 32, 64)],
    ['RECEIPT, cut off', KIND.receipt, receipt.slice(1)],
    ['RECEIPT, trailing byte', KIND.receipt, new Uint8Array([...receipt, 0])],
    ['RECEIPT, value too large', KIND.receipt, changed(receipt, 97, 0, 1, 0, 1)],
    ['RECEIPT, size without a root', KIND.receipt, changed(receipt, 65, ...ZERO_32)],
    ['RECEIPT, publisher 0', KIND.receipt, changed(receipt, 109, ...ZERO_32.subarray(24))],
    ['RECEIPT, without a publisher', KIND.receipt, receipt.slice(0, 109)],
    ['EFFECT, one byte', KIND.effect, Uint8Array.of(1)],
    ['EFFECT, empty', KIND.effect, new Uint8Array(0)],
    ['PROPOSAL', KIND.proposal, proposal],
    ['PROPOSAL, cut off', KIND.proposal, proposal.slice(1)],
    ['PROPOSAL, trailing byte', KIND.proposal, new Uint8Array([...proposal, 0])],
    ['NOTARIZE', KIND.notarize, bytes32('block')],
    ['NOTARIZE, zero', KIND.notarize, ZERO_32],
    ['NOTARIZE, short', KIND.notarize, bytes32('block').slice(1)],
    ['FINALITY', KIND.finality, bytes32('block')],
    ['FINALITY, skip', KIND.finality, ZERO_32],
    ['FINALITY, long', KIND.finality, new Uint8Array(33)],
  ]
}

/** The field that makes `body` void, or nothing. */
function wrongField(kind: Kind, body: Uint8Array): string {
  try {
    decodeBody(kind, body)
    return ''
  } catch (error) {
    if (error instanceof DecodeError) return error.field
    throw error
  }
}

/** Bodies of every kind, valid and void; for valid PUTs the record key when stake 1 signs them. */
export function bodyVectors() {
  const rows = [...puts(), ...others()].map(([name, kind, body]) => {
    const field = wrongField(kind, body)
    const isPut = kind === KIND.put && field === ''
    return {
      name,
      kind,
      body: toHex(body),
      valid: field === '',
      wrongField: field,
      recordKey: toHex(isPut ? recordKeyOf(decodeBody(KIND.put, body), WRITER_STAKE) : ZERO_32),
    }
  })
  return { writerStakeId: WRITER_STAKE, ...columns(rows) }
}
