import { equalBytes } from '../../core/index.ts'
import { keccak256 } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import { PART_BYTES, STATE_MAX_BYTES } from './constants.ts'

/** The parts of a value too large for one record: content records, named by their roots. */
export interface Manifest {
  /** Bytes of the whole value. */
  readonly size: number
  /** Roots of its parts in order, 32 bytes each; all but the last are of {@link PART_BYTES}. */
  readonly roots: readonly Uint8Array[]
}

/** How a manifest begins: no other value does but by intent, and such a one is stored in parts itself. */
const MAGIC = keccak256(new Uint8Array(Buffer.from('suprnova manifest 1', 'utf8')))
const HEAD_BYTES = 32 + 8

/** Whether a value must be stored in parts: too large for one record, or mistakable for a manifest. */
export function needsParts(value: Uint8Array): boolean {
  return value.length > PART_BYTES || isManifest(value)
}

export function isManifest(value: Uint8Array): boolean {
  return value.length >= HEAD_BYTES && equalBytes(value.subarray(0, 32), MAGIC)
}

/** magic 32 | size 8 | root 32 each. */
export function encodeManifest({ roots, size }: Manifest): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + 32 * roots.length)
  bytes.set(MAGIC)
  new DataView(bytes.buffer).setBigUint64(32, BigInt(size))
  for (const [index, root] of roots.entries()) bytes.set(root, HEAD_BYTES + 32 * index)
  return bytes
}

/** @throws DhtError `DHT_BAD_MANIFEST` for a length that no writer of this program gives it */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = Number(view.getBigUint64(32))
  const count = Math.ceil(size / PART_BYTES)
  if (size > STATE_MAX_BYTES || bytes.length !== HEAD_BYTES + 32 * count) {
    throw new DhtError('DHT_BAD_MANIFEST', `a manifest of ${bytes.length} bytes for a value of ${size}`, {
      values: { size, bytes: bytes.length, limit: STATE_MAX_BYTES },
      hint: 'its writer made it so; nothing of it can be read',
    })
  }
  const roots = Array.from({ length: count }, (_, index) =>
    bytes.slice(HEAD_BYTES + 32 * index, HEAD_BYTES + 32 * (index + 1)),
  )
  return { size, roots }
}
