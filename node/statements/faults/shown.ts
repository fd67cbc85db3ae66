import { fromHex } from '../../core/index.ts'
import type { DomainSeparator } from '../digest.ts'
import { statementDigest } from '../digest.ts'
import { EncodeError } from '../errors.ts'
import { contentOf, decodeFrame } from '../frame.ts'
import { pairOf } from './signature-pair.ts'

/** signer 20 | kind 1 | scope 32 | position 8 | r 32 | vs 32 | leaf 1 | pathLength 1, before path and body. */
const HEAD_BYTES = 127

/**
 * A wire frame of form 0 as the contract for challenges reads it: the parity of the signature is found, the content left
 * out, since it is the root that the body leads to.
 * @throws EncodeError for a frame that holds more than one body, or whose signature is none of its signer
 * @throws DecodeError for what is no frame
 */
export function encodeShown(frame: Uint8Array, separator: DomainSeparator): Uint8Array {
  const { bodies, path, signed } = decodeFrame(frame)
  const [body] = bodies
  if (bodies.length !== 1 || body === undefined) {
    throw new EncodeError('frame', 'form', 'a batch; one body with its path is needed')
  }
  const { signature, signer, statement } = signed
  const content = contentOf({ signed, bodies, path, whole: path.length === 0 })
  const pair = pairOf(signer, statementDigest(separator, { ...statement, content }), signature)
  const shown = new Uint8Array(HEAD_BYTES + 32 * path.length + body.bytes.length)
  shown.set(fromHex(signer))
  shown[20] = statement.kind
  shown.set(statement.scope, 21)
  new DataView(shown.buffer).setBigUint64(53, statement.position)
  shown.set(pair, 61)
  shown[125] = body.leaf
  shown[126] = path.length
  for (const [depth, sibling] of path.entries()) shown.set(sibling, HEAD_BYTES + 32 * depth)
  shown.set(body.bytes, HEAD_BYTES + 32 * path.length)
  return shown
}
