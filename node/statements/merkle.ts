import { keccak256 } from './keccak.ts'

const LEAF_PREFIX = new Uint8Array([0x00])
const NODE_PREFIX = new Uint8Array([0x01])

/** What pads a tree up to a power of two. No body hashes to it. */
export const ZERO_LEAF = new Uint8Array(32)

/** Bytes of a value in one leaf of its {@link chunkRoot}. */
export const CHUNK_BYTES = 1024

/** keccak256(0x00 || body). */
export function leafHash(body: Uint8Array): Uint8Array {
  return keccak256(LEAF_PREFIX, body)
}

/** keccak256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return keccak256(NODE_PREFIX, left, right)
}

/** All levels of the perfect tree over `leaves`, leaves first, the root alone in the last. */
function levelsOf(leaves: readonly Uint8Array[]): Uint8Array[][] {
  if (leaves.length === 0) throw new RangeError('a Merkle tree needs at least one leaf')
  let width = 1
  while (width < leaves.length) width *= 2
  let level = [...leaves]
  while (level.length < width) level.push(ZERO_LEAF)
  const levels = [level]
  while (level.length > 1) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) above.push(nodeHash(level[i]!, level[i + 1]!))
    levels.push(above)
    level = above
  }
  return levels
}

/** The root over `bodies` (at least one), padded with zero leaves; one body: its leaf. */
export function merkleRoot(bodies: readonly Uint8Array[]): Uint8Array {
  return levelsOf(bodies.map(leafHash)).at(-1)![0]!
}

/** The siblings of leaf `index` from the leaf upwards: 32 bytes each. */
export function merklePath(bodies: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= bodies.length) {
    throw new RangeError(`leaf ${index} is not one of ${bodies.length} bodies`)
  }
  const levels = levelsOf(bodies.map(leafHash))
  return levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1]!)
}

/** Root and all paths over `bodies`, the tree computed once. */
export interface MerkleTree {
  /** 32 bytes. */
  readonly root: Uint8Array
  /** The siblings of leaf `index` from the leaf upwards: 32 bytes each. */
  path(index: number): Uint8Array[]
}

/** The tree over `bodies` (at least one), for whoever needs more than one path. */
export function merkleTree(bodies: readonly Uint8Array[]): MerkleTree {
  const levels = levelsOf(bodies.map(leafHash))
  return {
    root: levels.at(-1)![0]!,
    path: (index) => levels.slice(0, -1).map((level, depth) => level[(index >> depth) ^ 1]!),
  }
}

/**
 * The root that `leaf` (a leaf hash) at `index` leads to. Bit i of `index` says whether the node is the right child
 * at level i. The caller has checked that index < 2^path.length.
 */
export function rootFromPath(leaf: Uint8Array, index: number, path: readonly Uint8Array[]): Uint8Array {
  let node = leaf
  path.forEach((sibling, depth) => {
    node = (index >> depth) & 1 ? nodeHash(sibling, node) : nodeHash(node, sibling)
  })
  return node
}

/** Cuts `value` into chunks of {@link CHUNK_BYTES}; only the last may be shorter. An empty value has none. */
export function chunksOf(value: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0; at < value.length; at += CHUNK_BYTES) chunks.push(value.subarray(at, at + CHUNK_BYTES))
  return chunks
}

/** The root a record names its value by: the same tree, one chunk a leaf. An empty value has the zero root. */
export function chunkRoot(value: Uint8Array): Uint8Array {
  return value.length === 0 ? ZERO_LEAF.slice() : merkleRoot(chunksOf(value))
}
