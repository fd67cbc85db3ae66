import { KIND, type Kind, type SignedStatement, toHex } from '../../../node/core/index.ts'
import {
  contentOf,
  DecodeError,
  decodeFrame,
  encodeBody,
  encodeFrame,
  encodeLeafFrame,
  FRAME_HEADER_BYTES,
  merkleRoot,
  positionOf,
} from '../../../node/statements/index.ts'
import { bytes32, columns, digestOf, KEYS, ZERO_32 } from './cast.ts'

const signer = KEYS.steady

const gossip = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    encodeBody(KIND.gossip, { topicHash: bytes32('topic'), payload: Uint8Array.of(i) }),
  )

function signed(kind: Kind, bodies: readonly Uint8Array[]): SignedStatement {
  const metered = kind <= 3
  const scope = metered ? ZERO_32 : bytes32('scope')
  const statement = { kind, scope, position: metered ? positionOf(1000, 5) : 5n, content: merkleRoot(bodies) }
  const slot = { signer: signer.address, ...statement }
  return { signer: signer.address, statement, signature: signer.sign(digestOf(slot, statement.content)) }
}

function changed(frame: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = frame.slice()
  copy.set(bytes, at)
  return copy
}

function cases(): [name: string, frame: Uint8Array][] {
  const batch = gossip(3)
  const of = signed(KIND.gossip, batch)
  const whole = encodeFrame(of, batch)
  const leaf = encodeLeafFrame(of, batch, 2)
  const single = gossip(1)
  const one = encodeFrame(signed(KIND.gossip, single), single)
  const finality = [bytes32('block')]
  const vote = encodeFrame(signed(KIND.finality, finality), finality)
  const at = FRAME_HEADER_BYTES
  return [
    ['one body', one],
    ['a batch of 3', whole],
    ['leaf 2 of 3', leaf],
    ['a batch of 64', encodeFrame(signed(KIND.gossip, gossip(64)), gossip(64))],
    ['a vote', vote],
    ['a kind with a void scope still decodes', changed(one, 23, 1)],
    ['empty', new Uint8Array(0)],
    ['header alone', one.slice(0, at)],
    ['header, cut off', one.slice(0, at - 1)],
    ['version 0', changed(one, 0, 0)],
    ['version 2', changed(one, 0, 2)],
    ['form 2', changed(one, 1, 2)],
    ['kind 0', changed(one, 22, 0)],
    ['kind 8', changed(one, 22, 8)],
    ['path longer than the kind takes', changed(leaf, at + 1, 7)],
    ['path on a mesh kind', changed(vote, at + 1, 1)],
    ['leaf past the path', changed(leaf, at, 4)],
    ['leaf 1 without a path', changed(one, at, 1)],
    ['path cut off', leaf.slice(0, at + 2 + 40)],
    ['count 0', changed(whole, at, 0, 0)],
    ['count 1: one body is form 0', changed(whole, at, 0, 1)],
    ['count 65', changed(whole, at, 0, 65)],
    ['count 65535', changed(whole, at, 0xff, 0xff)],
    ['a body less than the count', changed(whole, at, 0, 4)],
    ['a body more than the count', changed(whole, at, 0, 2)],
    ['last body cut off', whole.slice(0, -1)],
    ['trailing byte', new Uint8Array([...whole, 0])],
    ['body length past the limit', changed(whole, at + 2, 0x40, 0x21)],
    ['other body: decodes, but not to the content', changed(one, one.length - 1, 99)],
    ['other sibling: decodes, but not to the content', changed(leaf, at + 2, 99)],
  ]
}

function wrongField(frame: Uint8Array): string {
  try {
    decodeFrame(frame)
    return ''
  } catch (error) {
    if (error instanceof DecodeError) return error.field
    throw error
  }
}

/** Wire frames, the field that makes them void or nothing, and the content their bodies lead to. */
export function frameVectors() {
  const rows = cases().map(([name, frame]) => {
    const field = wrongField(frame)
    return {
      name,
      frame: toHex(frame),
      valid: field === '',
      wrongField: field,
      bodies: field === '' ? decodeFrame(frame).bodies.length : 0,
      content: toHex(field === '' ? contentOf(decodeFrame(frame)) : ZERO_32),
    }
  })
  return columns(rows)
}
