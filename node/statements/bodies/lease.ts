import { equalBytes, KIND } from '../../core/index.ts'
import { DecodeError } from '../errors.ts'
import { decodeFrame } from '../frame.ts'
import { keccak256 } from '../keccak.ts'
import { chunkRoot } from '../merkle.ts'
import { BodyReader, BodyWriter } from './packing.ts'
import { KEY_TYPE, type RecordFields, readRecord, recordProblem } from './record.ts'

// A lease is an owner PUT of the authority, not a body of its own: the kinds are final, a lease stands in the DHT as an
// owner record anyway, and one signature then serves both. The record's value is packed from fields that a cell entry
// and its writer already give, so a reader needs the PUT alone and recomputes its value root.

const LEASE_NAME_PREFIX = new Uint8Array([0x07])

/** "This stake may run my agent until then." The value of an owner record of the agent's authority. */
export interface Lease {
  readonly agentId: Uint8Array
  readonly hostStakeId: bigint
  /** Grows by one with every lease of an agent. */
  readonly number: bigint
  readonly untilEpoch: bigint
}

/** 32 + 8 + 8 + 8. */
export const LEASE_BYTES = 56

/** The name hash of an agent's lease record: keccak256(0x07 || agent id). */
export function leaseNameHash(agentId: Uint8Array): Uint8Array {
  return keccak256(LEASE_NAME_PREFIX, agentId)
}

/** agent id 32 | host stake id 8 | number 8 | until epoch 8. */
export function encodeLease(lease: Lease): Uint8Array {
  return new BodyWriter()
    .bytes32('agentId', lease.agentId)
    .u64('hostStakeId', lease.hostStakeId)
    .u64('number', lease.number)
    .u64('untilEpoch', lease.untilEpoch)
    .finish()
}

/**
 * Whether a carried lease has the form of one for this agent and end: form 0, an owner PUT named for the agent, of the
 * right size, alive as long as the lease.
 * @returns what is wrong with it
 */
export function checkLeaseFrame(
  bytes: Uint8Array,
  { agentId, leaseUntilEpoch }: { agentId: Uint8Array; leaseUntilEpoch: bigint },
): [field: string, problem: string] | undefined {
  const frame = orProblem(() => decodeFrame(bytes))
  if (frame instanceof DecodeError) return ['lease', frame.message]
  if (frame.signed.statement.kind !== KIND.put) return ['lease', 'not a PUT']
  const [body] = frame.bodies
  if (frame.bodies.length !== 1 || body === undefined) return ['lease', 'a batch, not one body with its path']
  if (body.bytes[0] !== KEY_TYPE.owner) return ['lease', 'not an owner record']
  const put = orProblem(() => decodeOwnerRecord(body.bytes))
  if (put instanceof DecodeError) return ['lease', put.message]
  if (!equalBytes(put.keyPreimage, leaseNameHash(agentId))) return ['lease', 'named for another agent']
  if (put.size !== LEASE_BYTES) return ['lease', `a value of ${put.size} bytes, not ${LEASE_BYTES}`]
  if (put.expiryEpoch < leaseUntilEpoch) return ['lease', 'its record ends before the lease']
  return undefined
}

/** A PUT of key type `owner`, read here since `put.ts` reads cells and those read leases. */
function decodeOwnerRecord(bytes: Uint8Array): RecordFields {
  const reader = new BodyReader(bytes)
  const { keyType, record } = readRecord(reader)
  reader.end()
  const problem = recordProblem(keyType, record)
  if (problem) throw new DecodeError('body', ...problem)
  return record
}

function orProblem<T>(decode: () => T): T | DecodeError {
  try {
    return decode()
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
}

/** Whether the PUT of a lease record names exactly this lease. */
export function isLeaseValue(valueRoot: Uint8Array, lease: Lease): boolean {
  return equalBytes(valueRoot, chunkRoot(encodeLease(lease)))
}
