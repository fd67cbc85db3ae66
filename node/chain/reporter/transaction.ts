import type { Address, Hex } from '../../core/index.ts'
import { FEE_BUMP_PERCENT, REPLACE_AFTER_BLOCKS } from '../constants.ts'

export interface Fees {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** A signed transaction of the gas key, kept from before it is sent until its nonce is used for good. */
export interface SentTransaction extends Fees {
  readonly nonce: number
  /** What it is for: one transaction per purpose is on its way at a time. */
  readonly purpose: string
  readonly to: Address
  readonly data: Hex
  readonly gas: bigint
  readonly raw: Hex
}

/** What the process remembers of a transaction; after a restart it is simply sent again. */
export interface Flight {
  /** The head at which it was last handed to the RPC. */
  readonly sentAtBlock?: number
  /** The head at which its nonce was first seen used. */
  readonly usedAtBlock?: number
  /** The RPC did not take it: at its fees it costs more than the account has, or than that RPC lets through. */
  readonly isTooDear?: boolean
}

/** Where the gas key and the chain stand. */
export interface NoncePosition {
  readonly headNumber: number
  readonly finalNumber: number
  /** Transactions of the gas key that are mined: the next nonce the chain takes. */
  readonly minedNonce: number
}

export type NonceStep =
  | { readonly do: 'send'; readonly nonce: number }
  | { readonly do: 'replace'; readonly nonce: number; readonly fees: Fees }
  | { readonly do: 'fill'; readonly nonce: number }
  | { readonly do: 'noteUsed'; readonly nonce: number }
  | { readonly do: 'forget'; readonly nonce: number }

/**
 * Pure: what to do about the transactions on their way. One whose nonce is used is kept until that is final, so that a reorg
 * that drops it is mended by sending it again. One not mined for a while is replaced at a higher fee, up to the cap; a nonce
 * that nothing fills is filled, since all above it wait for it. One that was too dear to be taken is signed anew as soon as
 * less is asked.
 */
export function planNonces(
  transactions: readonly SentTransaction[],
  flights: ReadonlyMap<number, Flight>,
  at: NoncePosition,
  suggested: Fees,
  maxFeePerGas: bigint,
): NonceStep[] {
  const steps: NonceStep[] = []
  for (const transaction of transactions) {
    const { nonce } = transaction
    const flight = flights.get(nonce) ?? {}
    if (nonce < at.minedNonce) {
      if (flight.usedAtBlock === undefined) steps.push({ do: 'noteUsed', nonce })
      else if (flight.usedAtBlock <= at.finalNumber) steps.push({ do: 'forget', nonce })
      continue
    }
    const { sentAtBlock } = flight
    const cap = capAt(nonce, transactions, maxFeePerGas)
    const fees = capped(suggested, cap)
    if (flight.isTooDear === true && fees.maxFeePerGas < transaction.maxFeePerGas) {
      steps.push({ do: 'replace', nonce, fees })
    } else if (sentAtBlock === undefined || flight.usedAtBlock !== undefined) steps.push({ do: 'send', nonce })
    else if (at.headNumber - sentAtBlock >= REPLACE_AFTER_BLOCKS) {
      const dearer = bumped(transaction, suggested, cap)
      steps.push(dearer === undefined ? { do: 'send', nonce } : { do: 'replace', nonce, fees: dearer })
    }
  }
  const onTheirWay = transactions.filter(({ nonce }) => nonce >= at.minedNonce)
  if (onTheirWay.length > 0 && onTheirWay.every(({ nonce }) => nonce !== at.minedNonce)) {
    steps.push({ do: 'fill', nonce: at.minedNonce })
  }
  return steps
}

/** The lowest nonce that is neither used nor taken. */
export function freeNonce(transactions: readonly SentTransaction[], minedNonce: number): number {
  const taken = new Set(transactions.map(({ nonce }) => nonce))
  let nonce = minedNonce
  while (taken.has(nonce)) nonce++
  return nonce
}

/** Whether a transaction for `purpose` is on its way. */
export function isOnItsWay(transactions: readonly SentTransaction[], purpose: string, minedNonce: number): boolean {
  return transactions.some((transaction) => transaction.purpose === purpose && transaction.nonce >= minedNonce)
}

/** The answer to a challenge of the own stake may cost so many times what a report may: it keeps a tenth of that stake. */
export const ANSWER_FEE_FACTOR = 20n

/** What an errand that answers a challenge of the own stake is called, before the challenge's id. */
export const ANSWER_PURPOSE = 'answer'

/** Whether a transaction of that purpose keeps a tenth of the own stake. */
export function isOwedAnswer(purpose: string): boolean {
  return purpose.startsWith(`${ANSWER_PURPOSE} `)
}

/**
 * The most that a transaction under `nonce` may pay. An answer waits for all nonces below its own, so they may cost as
 * much. What goes to the block's builder is bounded as ever: an RPC that lies about fees could name any.
 * @param maxFeePerGas of a report
 */
export function capAt(
  nonce: number,
  transactions: readonly Pick<SentTransaction, 'nonce' | 'purpose'>[],
  maxFeePerGas: bigint,
): Fees {
  const isOwed = transactions.some((one) => one.nonce >= nonce && isOwedAnswer(one.purpose))
  return { maxFeePerGas: isOwed ? maxFeePerGas * ANSWER_FEE_FACTOR : maxFeePerGas, maxPriorityFeePerGas: maxFeePerGas }
}

/** `fees`, at most those of `cap`. */
export function capped(fees: Fees, cap: Fees): Fees {
  return {
    maxFeePerGas: least(fees.maxFeePerGas, cap.maxFeePerGas),
    maxPriorityFeePerGas: least(fees.maxPriorityFeePerGas, cap.maxPriorityFeePerGas),
  }
}

/** A price the network takes as a replacement, or `undefined` when the cap is below it. */
function bumped(last: Fees, suggested: Fees, cap: Fees): Fees | undefined {
  const up = (fee: bigint) => (fee * BigInt(FEE_BUMP_PERCENT)) / 100n + 1n
  const fees = {
    maxFeePerGas: most(up(last.maxFeePerGas), suggested.maxFeePerGas),
    maxPriorityFeePerGas: most(up(last.maxPriorityFeePerGas), suggested.maxPriorityFeePerGas),
  }
  const within = capped(fees, cap)
  return within.maxFeePerGas < up(last.maxFeePerGas) || within.maxPriorityFeePerGas < up(last.maxPriorityFeePerGas)
    ? undefined
    : within
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
