import { EXIT, SuprnovaError, toHex } from '../core/index.ts'
import type { SignedPut } from './interface.ts'

/** An operation on records that could not be done, or not fully. */
export class DhtError extends SuprnovaError {
  override readonly name = 'DhtError'
}

export type RefusalReason =
  | 'undecodable' // not a request of this protocol
  | 'invalid' // the PUT or its value is void, or the two do not belong together
  | 'unknown-writer' // no stake that may speak stands behind the PUT
  | 'window' // signed too long ago or in the future, or promises a life too long or over
  | 'not-mine' // this node is neither a replica of the key nor close enough to stand in
  | 'quota' // the writer's share of this node is used up
  | 'full' // this node's disk is
  | 'busy' // too much is under way here
  | 'conflict' // another content was signed in the same slot
  | 'draining' // this node signs no receipts now
  | 'unsupported' // mesh records without a judge
  | 'lacking' // the value was not sent, and is not here

/** What a client learns about one replica that did not do as asked. */
export interface ReplicaFailure {
  readonly stakeId: number
  /** A {@link RefusalReason}, a transport code, or `bad-answer`. */
  readonly reason: string
  readonly detail?: string
}

export function storeFailed(values: {
  readonly recordKey: string
  readonly got: number
  readonly needed: number
  readonly failures: readonly ReplicaFailure[]
}): DhtError {
  const reasons = values.failures.map(({ stakeId, reason }) => `stake ${stakeId}: ${reason}`).join(', ')
  return new DhtError(
    'DHT_TOO_FEW_RECEIPTS',
    `the record ${values.recordKey} got ${values.got} of the ${values.needed} receipts it needs${reasons === '' ? '' : ` (${reasons})`}`,
    { exitCode: EXIT.tryAgain, values: { ...values }, hint: 'replicas may be away; store it again' },
  )
}

export function supersededBy(record: SignedPut, newer: SignedPut): DhtError {
  const values = {
    recordKey: toHex(record.recordKey),
    position: record.version.position,
    newer: newer.version.position,
  }
  return new DhtError('DHT_SUPERSEDED', `a newer version of ${values.recordKey} is stored already`, {
    values,
    hint: 'read it before you write again',
  })
}

export function behindFloor(recordKey: string, floor: bigint, found: bigint): DhtError {
  return new DhtError('DHT_BEHIND_FLOOR', `only older versions of ${recordKey} were shown than seen before`, {
    exitCode: EXIT.tryAgain,
    values: { recordKey, floor, found },
    hint: 'the replicas that hold the newest are away: read again later, or have its owner store it anew',
  })
}

export function noReplicas(recordKey: string): DhtError {
  return new DhtError('DHT_NO_REPLICAS', 'no stake is placed yet, so nobody could hold the record', {
    exitCode: EXIT.tryAgain,
    values: { recordKey },
    hint: 'a new network places its stakes within an epoch; is the chain followed?',
  })
}
