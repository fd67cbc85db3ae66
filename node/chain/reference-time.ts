import type { Head } from '../core/index.ts'

const MS_PER_SECOND = 1_000

/**
 * The chain's time now, in unix seconds: the newest head's, carried on by the time since it came.
 * `undefined` when no head has come for one skew, or when this clock went back behind the head's arrival.
 */
export function chainReference(head: Head | undefined, nowMs: number, skewSeconds: number): number | undefined {
  if (head === undefined) return undefined
  const elapsedMs = nowMs - head.seenAtMs
  if (elapsedMs < 0 || elapsedMs > skewSeconds * MS_PER_SECOND) return undefined
  return head.timestamp + Math.floor(elapsedMs / MS_PER_SECOND)
}

/**
 * The time the signing guard measures this clock against: the chain's or, when no head has come for one skew, the median
 * of the connected stakes' (the lower one of two).
 * @param peerTimes unix seconds, one voice a stake
 * @returns unix seconds; `undefined` when neither speaks
 */
export function referenceTime(
  head: Head | undefined,
  peerTimes: readonly number[],
  nowMs: number,
  skewSeconds: number,
): number | undefined {
  const chain = chainReference(head, nowMs, skewSeconds)
  if (chain !== undefined) return chain
  const sorted = [...peerTimes].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}
