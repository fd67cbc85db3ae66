import type { KeyTenure, Kind, ProtocolParams } from '../core/index.ts'
import { isMetered } from './kinds.ts'
import { epochAt, epochOf } from './position.ts'

/** What the registry knows of a key, as far as punishing it goes. */
export type KeyRecord = Pick<KeyTenure, 'stakeId' | 'fromEpoch' | 'untilEpoch'>

/** The numbers of a deployment that a judge of statements needs. */
export type JudgingParams = Pick<
  ProtocolParams,
  'epochSeconds' | 'putLimit' | 'gossipLimit' | 'receiptLimit' | 'evidenceWindowSeconds' | 'unbondingSeconds'
>

/** The epoch of a metered position lies past the one after the current one, so the statement is void as yet. */
export function isEpochInFuture(position: bigint, atSeconds: number, params: JudgingParams): boolean {
  return epochOf(position) > epochAt(atSeconds, params.epochSeconds) + 1
}

/** A key speaks metered kinds only in epochs in which it is its stake's key; mesh kinds always. */
export function isInTenure(kind: Kind, position: bigint, key: KeyRecord): boolean {
  if (!isMetered(kind)) return true
  const epoch = epochOf(position)
  return key.fromEpoch <= epoch && epoch < key.untilEpoch
}

/** The last moment, in unix seconds, at which a statement of `kind` by this key can be punished; Infinity while it is newest. */
export function punishableUntil(kind: Kind, key: KeyRecord, params: JudgingParams): number {
  const windowSeconds = isMetered(kind) ? params.evidenceWindowSeconds : params.unbondingSeconds
  return key.untilEpoch * params.epochSeconds + windowSeconds
}
