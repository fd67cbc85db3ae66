import { equalBytes } from '../core/index.ts'
import { BoundedMap } from './bounded-map.ts'
import { contentOf, type Frame } from './frame.ts'
import { leafHash, nodeHash } from './merkle.ts'

/** Trees of which nodes are remembered: those whose leaves are coming in. At most 16.5 KiB each. */
export const KNOWN_TREES_MAX = 256
/** Below this many levels remembering costs more than it saves. */
const DEPTH_MIN = 2
const NODE_BYTES = 32

/** Nodes of one perfect tree, by their number: 1 is the root, those below n are 2n and 2n + 1. */
interface KnownTree {
  readonly nodes: Uint8Array
  readonly isKnown: Uint8Array
}

/**
 * Whether the bodies of frames hash to their statements' contents. Of a statement whose leaves come one by one, each with
 * its path, the nodes that were seen to lead to the content are remembered: of a later leaf, what lies above the first of
 * them is compared instead of hashed. All of a path is compared, for the court will hash all of it.
 */
export class KnownPaths {
  readonly #trees: BoundedMap<string, KnownTree>

  constructor(limit = KNOWN_TREES_MAX) {
    this.#trees = new BoundedMap(limit)
  }

  /** Trees of which something is remembered. */
  get size(): number {
    return this.#trees.size
  }

  /** The same as comparing {@link contentOf} the frame with the content it claims. */
  isTrue(frame: Frame): boolean {
    const { content } = frame.signed.statement
    const [first] = frame.bodies
    if (frame.whole || first === undefined || frame.path.length < DEPTH_MIN)
      return equalBytes(contentOf(frame), content)
    const depth = frame.path.length
    const name = nameOf(content, depth)
    const tree = this.#trees.get(name)
    const seen: Uint8Array[] = [leafHash(first.bytes)]
    for (const [level, sibling] of frame.path.entries()) {
      const node = seen[level] as Uint8Array
      const number = (2 ** (depth - level)) | (first.leaf >> level)
      if (tree !== undefined && tree.isKnown[number] === 1) {
        if (!isNode(tree, number, node) || !isRest(tree, frame.path, { depth, leaf: first.leaf, level })) return false
        break
      }
      seen.push((first.leaf >> level) & 1 ? nodeHash(sibling, node) : nodeHash(node, sibling))
    }
    if (seen.length > depth && !equalBytes(seen[depth] as Uint8Array, content)) return false
    this.#note(name, tree ?? newTree(depth), { depth, leaf: first.leaf, path: frame.path, seen })
    return true
  }

  /** Remembers what was found true: the nodes that were hashed, and their siblings. */
  #note(
    name: string,
    tree: KnownTree,
    {
      depth,
      leaf,
      path,
      seen,
    }: { depth: number; leaf: number; path: readonly Uint8Array[]; seen: readonly Uint8Array[] },
  ): void {
    for (const [level, node] of seen.entries()) {
      const number = (2 ** (depth - level)) | (leaf >> level)
      put(tree, number, node)
      const sibling = path[level]
      if (sibling !== undefined) put(tree, number ^ 1, sibling)
    }
    if (this.#trees.get(name) === undefined) this.#trees.set(name, tree)
  }
}

/** Whether the siblings from `level` upwards are those that were seen. Above a known node all of them are known. */
function isRest(
  tree: KnownTree,
  path: readonly Uint8Array[],
  { depth, leaf, level }: { readonly depth: number; readonly leaf: number; readonly level: number },
): boolean {
  for (let above = level; above < depth; above++) {
    const sibling = ((2 ** (depth - above)) | (leaf >> above)) ^ 1
    if (tree.isKnown[sibling] !== 1 || !isNode(tree, sibling, path[above] as Uint8Array)) return false
  }
  return true
}

function isNode({ nodes }: KnownTree, number: number, hash: Uint8Array): boolean {
  return equalBytes(nodes.subarray(number * NODE_BYTES, (number + 1) * NODE_BYTES), hash)
}

function put({ isKnown, nodes }: KnownTree, number: number, hash: Uint8Array): void {
  if (isKnown[number] === 1) return
  nodes.set(hash, number * NODE_BYTES)
  isKnown[number] = 1
}

function newTree(depth: number): KnownTree {
  const count = 2 ** (depth + 1)
  return { nodes: new Uint8Array(count * NODE_BYTES), isKnown: new Uint8Array(count) }
}

/** A content and the depth that a frame claims: another depth is another tree, whatever its root. */
function nameOf(content: Uint8Array, depth: number): string {
  return `${Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1')}${depth}`
}
