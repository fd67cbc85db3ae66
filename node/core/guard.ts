import type { MeshKind, MeteredKind, Statement } from './protocol.ts'
import type { SlotEntry } from './slot-index.ts'

/** Why the guard refuses to let a statement be signed. */
export type GuardRefusal =
  | 'lost' // copied, restored or foreign guard: rotate the key or wait it out
  | 'waiting' // metered kinds wait after a loss until reference and clock are two full epochs on
  | 'skew' // this machine's clock differs from the reference by more than the skew
  | 'epoch' // the epoch lies past the reference's + 1 or before the clock's
  | 'limit' // the epoch's indices are used up
  | 'slot' // another content was signed for this mesh slot
  | 'pruned' // the slot lies below the scope's pruned mark
  | 'draining' // the own stake was slashed or is leaving
  | 'full' // the disk has no room for the mark that the signature rests on
  | 'closed'

/** A durable grant: the only way to a position, and so to a signature. */
export interface SigningGuard {
  /**
   * Hands out the next index of `kind` in the current epoch, once, after its block of indices is durable.
   * @returns the position epoch << 32 | index
   * @throws SuprnovaError `GUARD_REFUSED` with `values.reason` a {@link GuardRefusal}
   */
  reserve(kind: MeteredKind): Promise<bigint>
  /** Remembers the digest signed at a metered position (for "is this mine?"). In memory is enough. */
  remember(kind: MeteredKind, position: bigint, digest: Uint8Array): void
  /**
   * Makes (slot -> digest, body, signature) durable, then returns what may be sent: the same digest again
   * returns the stored signature, another digest is refused.
   */
  signMesh(
    statement: Statement & { readonly kind: MeshKind },
    digest: Uint8Array,
    body: Uint8Array,
    sign: () => Uint8Array,
  ): Promise<SlotEntry>
  /**
   * Told of every *valid* statement seen under the own key. When it is not one this guard gave out,
   * the guard counts as lost.
   * @returns whether it was mine
   */
  observeOwn(statement: Statement, digest: Uint8Array): boolean
  /** `undefined` when metered statements may be signed now. */
  refusal(): GuardRefusal | undefined
}
