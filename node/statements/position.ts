/** Indices of one epoch fill the low 32 bits of a metered position. */
const INDEX_BITS = 32n
const INDEX_MASK = 0xffff_ffffn

/** The largest epoch a position can hold. */
export const MAX_POSITION_EPOCH = 0xffff_ffff

/** epoch << 32 | index. */
export function positionOf(epoch: number, index: number): bigint {
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > MAX_POSITION_EPOCH) {
    throw new RangeError(`epoch ${epoch} is not a whole number from 0 to ${MAX_POSITION_EPOCH}`)
  }
  if (!Number.isInteger(index) || index < 0 || index > Number(INDEX_MASK)) {
    throw new RangeError(`index ${index} is not a whole number from 0 to ${INDEX_MASK}`)
  }
  return (BigInt(epoch) << INDEX_BITS) | BigInt(index)
}

/** The epoch of a metered position. */
export function epochOf(position: bigint): number {
  return Number(position >> INDEX_BITS)
}

/** The index within the epoch of a metered position. */
export function indexOf(position: bigint): number {
  return Number(position & INDEX_MASK)
}

/** The epoch a moment lies in. */
export function epochAt(unixSeconds: number, epochSeconds: number): number {
  return Math.floor(unixSeconds / epochSeconds)
}

/** Unix seconds at which an epoch is over: what holds until it holds until then. */
export function epochEnd(epoch: number, epochSeconds: number): number {
  return (epoch + 1) * epochSeconds
}
