import { createKeccak } from 'hash-wasm'

// One hasher for the whole process: keccak256 below is synchronous, so no two hashes are ever interleaved.
const hasher = await createKeccak(256)

/** Keccak-256 of the concatenation of `parts`: 32 new bytes. */
export function keccak256(...parts: readonly Uint8Array[]): Uint8Array {
  hasher.init()
  for (const part of parts) hasher.update(part)
  return hasher.digest('binary')
}
