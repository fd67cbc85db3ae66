import type { Address, Hex } from '../../core/index.ts'

/** What the registry's events mean to a node. Times are unix seconds, `publicKey` 33 bytes compressed. */
export type StakeEvent =
  | {
      readonly type: 'registered'
      readonly stakeId: number
      readonly operator: Address
      readonly nodeKey: Address
      readonly publicKey: Uint8Array
      readonly amountWei: bigint
      readonly fromEpoch: number
    }
  | { readonly type: 'activated'; readonly stakeId: number; readonly placement: Hex }
  /** Top-up, a draw set anew, or a settled correlated part. */
  | { readonly type: 'amountChanged'; readonly stakeId: number; readonly amountWei: bigint }
  | {
      readonly type: 'rotated'
      readonly stakeId: number
      readonly nodeKey: Address
      readonly publicKey: Uint8Array
      readonly fromEpoch: number
    }
  | {
      readonly type: 'unbondingStarted'
      readonly stakeId: number
      readonly amountWei: bigint
      readonly readyAt: number
    }
  | { readonly type: 'withdrawn'; readonly stakeId: number }
  | { readonly type: 'unjailed'; readonly stakeId: number }
  | {
      readonly type: 'slashed'
      readonly stakeId: number
      readonly amountWei: bigint
      /** 0: this fault did not jail. */
      readonly jailedUntil: number
      readonly tombstoned: boolean
    }

/** A block as the follower remembers it. */
export interface BlockRef {
  readonly number: number
  readonly hash: Hex
  /** Unix seconds. */
  readonly timestamp: number
}
