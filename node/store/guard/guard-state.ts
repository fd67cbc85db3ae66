import { KIND, type MeteredKind, type ProtocolParams } from '../../core/index.ts'

/** Where one metered kind stands in the newest epoch it was reserved in. `next <= end <= asked`. */
export interface MeteredMark {
  readonly epoch: number
  /** The next index to hand out. */
  readonly next: number
  /** Indices below are reserved durably. */
  readonly end: number
  /** The end that is being written; equal to `end` when nothing is. */
  readonly asked: number
}

/**
 * - `signing`: metered statements may be signed.
 * - `waiting`: they may be again once clock and reference are both two full epochs past `baseMs`, the larger of the
 *   two when the wait began. What this key's past may have said lies in epochs before the end of the wait.
 * - `lost`: somebody else holds this key now, so waiting alone would not help. Ends only by `declareLost`.
 */
export type GuardPhase =
  | { readonly name: 'signing' }
  | { readonly name: 'waiting'; readonly baseMs: number; readonly referenceSeen: boolean }
  | { readonly name: 'lost' }

/** All that decides whether a metered statement may be signed, and under which index. */
export interface GuardState {
  readonly phase: GuardPhase
  /** Statements of epochs before this one are not judged: they may be those of an earlier life of the key. */
  readonly beganEpoch: number
  readonly marks: Readonly<Record<MeteredKind, MeteredMark>>
  /** In meshes this key is silent for ever. */
  readonly meshSilent: boolean
  /** In meshes this key must first hear its own newest votes, scope by scope. */
  readonly meshUnheard: boolean
  /** Clock minus uptime when the newest block was reserved in this boot. */
  readonly clockOffsetMs: number | undefined
  readonly draining: boolean
}

/** The deployment's numbers that bind the guard. */
export type GuardRules = Pick<
  ProtocolParams,
  'epochSeconds' | 'skewSeconds' | 'putLimit' | 'gossipLimit' | 'receiptLimit'
>

/** One look at clock, reference and uptime, all in milliseconds. */
export interface ClockReading {
  readonly clockMs: number
  readonly referenceMs: number | undefined
  readonly uptimeMs: number
}

export const METERED_KINDS: readonly MeteredKind[] = [KIND.put, KIND.gossip, KIND.receipt]

const UNUSED: MeteredMark = { epoch: 0, next: 0, end: 0, asked: 0 }

/** Marks of a key that never signed. */
export const UNUSED_MARKS: Readonly<Record<MeteredKind, MeteredMark>> = { 1: UNUSED, 2: UNUSED, 3: UNUSED }

/** How many indices of `kind` one epoch has. */
export function limitOf(rules: GuardRules, kind: MeteredKind): number {
  return kind === KIND.put ? rules.putLimit : kind === KIND.gossip ? rules.gossipLimit : rules.receiptLimit
}

/** floor(unix time / epoch length). */
export function epochAt(rules: GuardRules, unixMs: number): number {
  return Math.floor(unixMs / (rules.epochSeconds * 1_000))
}
