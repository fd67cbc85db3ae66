import { toHex } from '../core/index.ts'
import type { DomainSeparator } from '../statements/index.ts'

const HASH_BYTES = 8

/**
 * The name of a table whose rows mean something in one domain only: slots, quarantines, evidence, cases. A node moved to
 * another coordinator must not take the old one's for its own, and finds them again when it is moved back.
 */
export function tableName(name: string, domain: DomainSeparator): string {
  return `${name}-${toHex(domain.bytes.subarray(0, HASH_BYTES)).slice(2)}`
}
