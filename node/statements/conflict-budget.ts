import type { Address } from '../core/index.ts'
import { BoundedMap } from './bounded-map.ts'

/** How many verifications may be spent: up to `burst` at once, `perSecond` in the long run. */
export interface BudgetRate {
  readonly burst: number
  readonly perSecond: number
}

/** Signers whose bucket is remembered; one forgotten starts full again, within the budget of all. */
export const MAX_BUDGETED_SIGNERS = 4096

interface Bucket {
  tokens: number
  atMs: number
}

/**
 * What may be spent on statements that can only ever become offences: second contents of a slot, and overruns. Without
 * it anyone could make a node verify for ever by sending forgeries in the name of others. Token buckets, one for each
 * signer and one for all. The time is passed in.
 */
export class ConflictBudget {
  readonly #perSigner: BudgetRate
  readonly #overall: BudgetRate
  readonly #all: Bucket
  readonly #signers = new BoundedMap<Address, Bucket>(MAX_BUDGETED_SIGNERS)

  constructor(perSigner: BudgetRate, overall: BudgetRate, nowMs: number) {
    this.#perSigner = perSigner
    this.#overall = overall
    this.#all = { tokens: overall.burst, atMs: nowMs }
  }

  /** Spends one verification for `signer`, if both buckets hold one. */
  take(signer: Address, nowMs: number): boolean {
    const own = this.#signers.get(signer) ?? {
      tokens: this.#perSigner.burst,
      atMs: nowMs,
    }
    refill(own, this.#perSigner, nowMs)
    refill(this.#all, this.#overall, nowMs)
    if (own.tokens < 1 || this.#all.tokens < 1) return false
    own.tokens -= 1
    this.#all.tokens -= 1
    this.#signers.set(signer, own)
    return true
  }

  /** Signers remembered now, at most {@link MAX_BUDGETED_SIGNERS}. */
  get signers(): number {
    return this.#signers.size
  }
}

function refill(bucket: Bucket, rate: BudgetRate, nowMs: number): void {
  const elapsedMs = Math.max(0, nowMs - bucket.atMs) // a clock set back gives nothing
  bucket.tokens = Math.min(rate.burst, bucket.tokens + (elapsedMs / 1000) * rate.perSecond)
  bucket.atMs = nowMs
}
