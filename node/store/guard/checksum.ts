import { hash } from 'node:crypto'

/** Eight hex digits that tell a whole record from a damaged one. */
export function checksum(bytes: Uint8Array | string): string {
  return hash('sha256', bytes).slice(0, 8)
}
