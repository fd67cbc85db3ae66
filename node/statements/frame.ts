import { type Address, fromHex, type SignedStatement, toHex } from '../core/index.ts'
import { maxBodyBytes } from './bodies/limits.ts'
import { DecodeError, EncodeError } from './errors.ts'
import { isKind, kindRule } from './kinds.ts'
import { leafHash, type MerkleTree, merklePath, merkleRoot, merkleTree, rootFromPath } from './merkle.ts'
import { SIGNATURE_BYTES } from './signature.ts'

export const FRAME_VERSION = 1
/** One body with its path. */
const FORM_LEAF = 0
/** All bodies of the statement. */
const FORM_BATCH = 1

/** version, form, signer, statement, signature. */
export const FRAME_HEADER_BYTES = 1 + 1 + 20 + (1 + 32 + 8 + 32) + SIGNATURE_BYTES
/** The longest frame there can be: a batch of 64 GOSSIP bodies of full length. */
export const MAX_FRAME_BYTES = FRAME_HEADER_BYTES + 2 + 64 * (2 + maxBodyBytes(2))

/** A body and where it stands under the content. */
export interface LeafBody {
  readonly leaf: number
  readonly bytes: Uint8Array
}

/** What stands in a frame. Nothing of it is verified: not the signature, not the path, not the inside of the bodies. */
export interface Frame {
  readonly signed: SignedStatement
  readonly bodies: readonly LeafBody[]
  /** Whether `bodies` are all that the statement carries, as far as the frame says. */
  readonly whole: boolean
  /** For one body: its siblings, from the leaf upwards. Empty for a batch. */
  readonly path: readonly Uint8Array[]
}

/** Encodes all bodies under a statement: form 0 for one body, form 1 for more. */
export function encodeFrame(signed: SignedStatement, bodies: readonly Uint8Array[]): Uint8Array {
  const { maxBodies, name } = kindRule(signed.statement.kind)
  if (bodies.length === 0 || bodies.length > maxBodies) {
    throw new EncodeError('frame', 'bodies', `${bodies.length} given, ${name} takes 1 to ${maxBodies}`)
  }
  if (bodies.length === 1) return encodeLeafFrame(signed, bodies, 0)
  for (const body of bodies) checkBodyLength(signed, body)
  const size = bodies.reduce((sum, body) => sum + 2 + body.length, FRAME_HEADER_BYTES + 2)
  const frame = new Uint8Array(size)
  const view = new DataView(frame.buffer)
  writeHeader(frame, FORM_BATCH, signed)
  view.setUint16(FRAME_HEADER_BYTES, bodies.length)
  let at = FRAME_HEADER_BYTES + 2
  for (const body of bodies) {
    view.setUint16(at, body.length)
    frame.set(body, at + 2)
    at += 2 + body.length
  }
  return frame
}

/** Encodes one of `bodies` (all that stand under the statement) with its path: form 0. */
export function encodeLeafFrame(signed: SignedStatement, bodies: readonly Uint8Array[], leaf: number): Uint8Array {
  return leafFrame(signed, { body: bodies[leaf]!, leaf, path: merklePath(bodies, leaf) })
}

/**
 * One frame of form 0 for each of `bodies`.
 * @param tree theirs, when it is there already
 */
export function encodeLeafFrames(
  signed: SignedStatement,
  bodies: readonly Uint8Array[],
  tree: MerkleTree = merkleTree(bodies),
): Uint8Array[] {
  const header = leafHeader(signed)
  return bodies.map((body, leaf) => leafFrame(signed, { body, leaf, path: tree.path(leaf) }, header))
}

function leafHeader(signed: SignedStatement): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES)
  writeHeader(header, FORM_LEAF, signed)
  return header
}

function leafFrame(
  signed: SignedStatement,
  { body, leaf, path }: { readonly body: Uint8Array; readonly leaf: number; readonly path: readonly Uint8Array[] },
  header = leafHeader(signed),
): Uint8Array {
  checkBodyLength(signed, body)
  const frame = new Uint8Array(FRAME_HEADER_BYTES + 2 + 32 * path.length + body.length)
  frame.set(header)
  frame[FRAME_HEADER_BYTES] = leaf
  frame[FRAME_HEADER_BYTES + 1] = path.length
  for (const [depth, sibling] of path.entries()) frame.set(sibling, FRAME_HEADER_BYTES + 2 + 32 * depth)
  frame.set(body, frame.length - body.length)
  return frame
}

function checkBodyLength(signed: SignedStatement, body: Uint8Array): void {
  const limit = maxBodyBytes(signed.statement.kind)
  if (body.length > limit) {
    throw new EncodeError(
      'frame',
      'body',
      `${body.length} bytes, ${kindRule(signed.statement.kind).name} takes ${limit}`,
    )
  }
}

function writeHeader(frame: Uint8Array, form: number, { signer, statement, signature }: SignedStatement): void {
  frame[0] = FRAME_VERSION
  frame[1] = form
  frame.set(fromHex(signer), 2)
  frame[22] = statement.kind
  frame.set(statement.scope, 23)
  new DataView(frame.buffer).setBigUint64(55, statement.position)
  frame.set(statement.content, 63)
  frame.set(signature, 95)
}

/**
 * Takes a frame apart. Strict: known version, form and kind, exact lengths, nothing after the end. Costs no more than
 * walking the given bytes; the parts are views of them, not copies.
 * @throws {DecodeError} `BAD_FRAME`, naming the first wrong field
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > MAX_FRAME_BYTES) bad('length', `${bytes.length} bytes, the limit is ${MAX_FRAME_BYTES}`)
  if (bytes.length < FRAME_HEADER_BYTES + 2) bad('length', `${bytes.length} bytes, cut off`)
  if (bytes[0] !== FRAME_VERSION) bad('version', `${bytes[0]}, this node speaks ${FRAME_VERSION}`)
  const kind = bytes[22]!
  if (!isKind(kind)) return bad('kind', `${kind} is none`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const signer: Address = toHex(bytes.subarray(2, 22))
  const statement = {
    kind,
    scope: bytes.subarray(23, 55),
    position: view.getBigUint64(55),
    content: bytes.subarray(63, 95),
  }
  const signed = {
    signer,
    statement,
    signature: bytes.subarray(95, FRAME_HEADER_BYTES),
  }
  switch (bytes[1]) {
    case FORM_LEAF:
      return decodeLeaf(bytes, signed)
    case FORM_BATCH:
      return decodeBatch(bytes, view, signed)
    default:
      return bad('form', `${bytes[1]} is none`)
  }
}

function decodeLeaf(bytes: Uint8Array, signed: SignedStatement): Frame {
  const { kind } = signed.statement
  const leaf = bytes[FRAME_HEADER_BYTES]!
  const pathLength = bytes[FRAME_HEADER_BYTES + 1]!
  const { maxPath, name } = kindRule(kind)
  if (pathLength > maxPath) bad('pathLength', `${pathLength}, ${name} takes ${maxPath}`)
  if (leaf >= 2 ** pathLength) bad('leaf', `${leaf} has no place under a path of ${pathLength}`)
  const bodyAt = FRAME_HEADER_BYTES + 2 + 32 * pathLength
  if (bytes.length < bodyAt) bad('path', 'cut off')
  const path: Uint8Array[] = []
  for (let at = FRAME_HEADER_BYTES + 2; at < bodyAt; at += 32) path.push(bytes.subarray(at, at + 32))
  const body = bytes.subarray(bodyAt)
  if (body.length > maxBodyBytes(kind)) bad('body', `${body.length} bytes, ${name} takes ${maxBodyBytes(kind)}`)
  return {
    signed,
    bodies: [{ leaf, bytes: body }],
    whole: pathLength === 0,
    path,
  }
}

function decodeBatch(bytes: Uint8Array, view: DataView, signed: SignedStatement): Frame {
  const { kind } = signed.statement
  const { maxBodies, name } = kindRule(kind)
  const count = view.getUint16(FRAME_HEADER_BYTES)
  // One body has one encoding, form 0.
  if (count < 2 || count > maxBodies) bad('count', `${count}, a batch of ${name} takes 2 to ${maxBodies}`)
  const bodies: LeafBody[] = []
  let at = FRAME_HEADER_BYTES + 2
  for (let leaf = 0; leaf < count; leaf++) {
    if (at + 2 > bytes.length) bad('bodies', `cut off in body ${leaf}`)
    const length = view.getUint16(at)
    if (length > maxBodyBytes(kind)) bad('body', `${length} bytes, ${name} takes ${maxBodyBytes(kind)}`)
    at += 2
    if (at + length > bytes.length) bad('bodies', `cut off in body ${leaf}`)
    bodies.push({ leaf, bytes: bytes.subarray(at, at + length) })
    at += length
  }
  if (at !== bytes.length) bad('length', `${bytes.length - at} bytes after the end`)
  return { signed, bodies, whole: true, path: [] }
}

/** The content that the bodies of a frame hash to. A frame is true to its statement when it equals `content`. */
export function contentOf(frame: Frame): Uint8Array {
  const [first] = frame.bodies
  if (frame.bodies.length > 1) return merkleRoot(frame.bodies.map((body) => body.bytes))
  return rootFromPath(leafHash(first!.bytes), first!.leaf, frame.path)
}

function bad(field: string, problem: string): never {
  throw new DecodeError('frame', field, problem)
}
