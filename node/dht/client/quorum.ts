import { EXIT } from '../../core/index.ts'
import { QUORUM_DEFAULT, REPLICAS_DEFAULT, REPLICAS_MAX } from '../constants.ts'
import { DhtError } from '../errors.ts'

export interface QuorumOptions {
  /** R: 3 by default, 20 at most. */
  readonly replicas?: number
  /** W: 2 by default, R at most. */
  readonly quorum?: number
}

/** @throws DhtError `DHT_BAD_QUORUM` */
export function checkedQuorum({ quorum, replicas = REPLICAS_DEFAULT }: QuorumOptions): {
  readonly replicas: number
  readonly quorum: number
} {
  const needed = quorum ?? Math.min(QUORUM_DEFAULT, replicas)
  const isWhole = Number.isInteger(replicas) && Number.isInteger(needed)
  if (!isWhole || replicas < 1 || replicas > REPLICAS_MAX || needed < 1 || needed > replicas) {
    throw new DhtError('DHT_BAD_QUORUM', `${needed} of ${replicas} replicas: expected 1 to R of 1 to ${REPLICAS_MAX}`, {
      exitCode: EXIT.usage,
      values: { quorum: needed, replicas },
      hint: 'no more receipts can come than there are replicas',
    })
  }
  return { replicas, quorum: needed }
}
