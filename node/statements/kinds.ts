import { KIND, type Kind, type MeshKind, type MeteredKind, type ProtocolParams } from '../core/index.ts'
import { isZero } from './zero.ts'

/** What the protocol fixes for a kind. */
export interface KindRule {
  readonly name: keyof typeof KIND
  /** Bodies under one signature, at most. */
  readonly maxBodies: number
  /** Levels of a Merkle path, at most: maxBodies = 2^maxPath. */
  readonly maxPath: number
  /** Metered: the position is epoch << 32 | index, the scope zero. Else: a mesh slot, the scope not zero. */
  readonly metered: boolean
}

const RULES: readonly (KindRule | undefined)[] = [
  undefined,
  { name: 'put', maxBodies: 64, maxPath: 6, metered: true },
  { name: 'gossip', maxBodies: 64, maxPath: 6, metered: true },
  { name: 'receipt', maxBodies: 256, maxPath: 8, metered: true },
  { name: 'effect', maxBodies: 1, maxPath: 0, metered: false },
  { name: 'proposal', maxBodies: 1, maxPath: 0, metered: false },
  { name: 'notarize', maxBodies: 1, maxPath: 0, metered: false },
  { name: 'finality', maxBodies: 1, maxPath: 0, metered: false },
]

/** Whether a byte is the number of a kind. */
export function isKind(byte: number): byte is Kind {
  return RULES[byte] !== undefined
}

export function kindRule(kind: Kind): KindRule {
  return RULES[kind] as KindRule
}

export function isMetered(kind: Kind): kind is MeteredKind {
  return kindRule(kind).metered
}

export function isMeshKind(kind: Kind): kind is MeshKind {
  return !kindRule(kind).metered
}

/** Whether `scope` (32 bytes) is void for `kind`: metered kinds have none, mesh kinds need one. */
export function isScopeVoid(kind: Kind, scope: Uint8Array): boolean {
  return isZero(scope) !== kindRule(kind).metered
}

/** How many indices of `kind` one key has in an epoch; an index at or above it is an overrun. */
export function limitOf(
  kind: MeteredKind,
  params: Pick<ProtocolParams, 'putLimit' | 'gossipLimit' | 'receiptLimit'>,
): number {
  switch (kind) {
    case KIND.put:
      return params.putLimit
    case KIND.gossip:
      return params.gossipLimit
    case KIND.receipt:
      return params.receiptLimit
  }
}
