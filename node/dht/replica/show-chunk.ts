import { type ChunkQuestion, equalBytes } from '../../core/index.ts'
import { chunksOf, merkleTree } from '../../statements/index.ts'

/** The chunk of `value` that a challenge asks for, with its path; `undefined` when it is another value or has no such chunk. */
export function showChunk(
  value: Uint8Array,
  { chunkIndex, valueRoot }: Pick<ChunkQuestion, 'chunkIndex' | 'valueRoot'>,
): { readonly chunk: Uint8Array; readonly path: readonly Uint8Array[] } | undefined {
  const chunks = chunksOf(value)
  const chunk = chunks[chunkIndex]
  if (chunk === undefined) return undefined
  const tree = merkleTree(chunks)
  return equalBytes(tree.root, valueRoot) ? { chunk, path: tree.path(chunkIndex) } : undefined
}
