import { EXIT, SuprnovaError } from '../core/index.ts'

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
