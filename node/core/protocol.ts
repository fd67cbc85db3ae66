import type { Address, Hex } from './bytes.ts'

/** Kinds of statement; the numbers are part of the signed message. */
export const KIND = {
  put: 1,
  gossip: 2,
  receipt: 3,
  effect: 4,
  proposal: 5,
  notarize: 6,
  finality: 7,
} as const

export type Kind = (typeof KIND)[keyof typeof KIND]
/** Kinds whose position is epoch << 32 | index and whose index is metered. */
export type MeteredKind = 1 | 2 | 3
/** Kinds whose position is a mesh slot. */
export type MeshKind = 4 | 5 | 6 | 7

/** Fault types as the court numbers them. */
export const FAULT = { equivocation: 1, overrun: 2, unavailability: 3, transition: 4 } as const
export type FaultType = (typeof FAULT)[keyof typeof FAULT]

/** What every signature is bound to, beside its content. */
export interface Domain {
  readonly chainId: bigint
  /** The `StakeRegistry`. */
  readonly verifyingContract: Address
  /** Unique for each deployment, even on reused development chains. */
  readonly salt: Hex
}

/** The immutable numbers of a deployment, read once from `StakeRegistry.params()`. Times are in seconds. */
export interface ProtocolParams {
  readonly epochSeconds: number
  readonly putLimit: number
  readonly gossipLimit: number
  readonly receiptLimit: number
  readonly receiptLifeSeconds: number
  readonly responseSeconds: number
  readonly responseBlocks: number
  readonly evidenceWindowSeconds: number
  readonly skewSeconds: number
  readonly unbondingSeconds: number
  readonly rewardWindowSeconds: number
  readonly jailSeconds: number
  readonly correlationSeconds: number
  readonly drawDelayBlocks: number
}

/** The only message a running node key signs. */
export interface Statement {
  readonly kind: Kind
  /** 32 bytes; zero for metered kinds. */
  readonly scope: Uint8Array
  /** u64: epoch << 32 | index for metered kinds, the mesh slot for others. */
  readonly position: bigint
  /** 32 bytes: Merkle root over the bodies. */
  readonly content: Uint8Array
}

/** A statement with the key that said it. Verified only where the type's holder says so. */
export interface SignedStatement {
  readonly signer: Address
  readonly statement: Statement
  /** 64 bytes: r, low s. */
  readonly signature: Uint8Array
}
