import { randomBytes } from 'node:crypto'
import type { Random } from '../core/index.ts'

/** The operating system's randomness, for salts and nonces on disk. */
export const machineRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
}
