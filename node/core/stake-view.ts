import type { Address, Hex } from './bytes.ts'

/** `pending`: registered, placement not drawn. `withdrawn` stakes stay known so that their keys stay theirs. */
export type StakeStatus = 'pending' | 'active' | 'unbonding' | 'withdrawn'

/** One stake as the chain has it. */
export interface StakeRow {
  readonly stakeId: number
  readonly operator: Address
  readonly status: StakeStatus
  readonly amountWei: bigint
  /** 32 bytes, once drawn. */
  readonly placement: Hex | undefined
  /** Unix seconds until which it is jailed; 0 when it is not. A jail ends by `unjail`, not by time alone. */
  readonly jailedUntil: number
  readonly tombstoned: boolean
  /** Unix seconds from which an unbonding stake may be withdrawn; 0 before. */
  readonly readyAt: number
}

/** A key and the epochs in which it is its stake's key: `fromEpoch <= epoch < untilEpoch`. */
export interface KeyTenure {
  readonly address: Address
  readonly stakeId: number
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array
  readonly fromEpoch: number
  /** Exclusive; `Infinity` for the newest key. */
  readonly untilEpoch: number
}

export interface Head {
  readonly number: bigint
  readonly hash: Hex
  /** Unix seconds. */
  readonly timestamp: number
  /** Local unix milliseconds at which this head was first seen. */
  readonly seenAtMs: number
}

/** The registry in memory. No call here touches the network. */
export interface StakeView {
  head(): Head | undefined
  /** The tenure of a key that ever belonged to a stake. */
  key(address: Address): KeyTenure | undefined
  stake(stakeId: number): StakeRow | undefined
  /**
   * Whether the stake may speak now: active, confirmed deep enough, not jailed, not tombstoned.
   * A tombstone counts at once, anything that adds rights only after its confirmations.
   */
  maySpeak(stakeId: number): boolean
  /** All stakes that may speak. */
  speakers(): Iterable<StakeRow>
  /** The key of a stake in an epoch. */
  keyAt(stakeId: number, epoch: number): KeyTenure | undefined
  /** Calls `listener` after every change; returns the function that stops it. */
  onChange(listener: (stakeIds: readonly number[]) => void): () => void
}
