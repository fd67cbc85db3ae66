import { KIND, type MeteredKind } from '../../core/index.ts'
import { KEPT_EPOCHS, REMEMBERED_DIGESTS } from '../constants.ts'
import type { GuardRows } from './guard-rows.ts'
import type { MeteredMark } from './guard-state.ts'
import { RememberedDigests } from './remembered-digests.ts'

/** What is known of own metered statements: durable ends by epoch, and the newest digests. */
export class MeteredMemory {
  readonly #ends: Record<MeteredKind, Map<number, number>>
  readonly #remembered = new RememberedDigests(REMEMBERED_DIGESTS)

  constructor(rows: GuardRows) {
    this.#ends = {
      1: rows.readMeteredEnds(KIND.put),
      2: rows.readMeteredEnds(KIND.gossip),
      3: rows.readMeteredEnds(KIND.receipt),
    }
  }

  /** Where a restart begins: at the durable end of the newest epoch. */
  newestMarks(): Record<MeteredKind, MeteredMark> {
    return { 1: newestMark(this.#ends[1]), 2: newestMark(this.#ends[2]), 3: newestMark(this.#ends[3]) }
  }

  endOf(kind: MeteredKind, epoch: number): number {
    return this.#ends[kind].get(epoch) ?? 0
  }

  raiseEnd(kind: MeteredKind, epoch: number, end: number): void {
    const ends = this.#ends[kind]
    const isNew = !ends.has(epoch)
    ends.set(epoch, Math.max(this.endOf(kind, epoch), end))
    if (isNew) for (const known of ends.keys()) if (known <= epoch - KEPT_EPOCHS) ends.delete(known)
  }

  remember(kind: MeteredKind, position: bigint, digest: Uint8Array): void {
    this.#remembered.add(kind, position, digest)
  }

  /**
   * Whether the guard gave this out. Epochs before `beganEpoch`, and those too old to be remembered, are not judged.
   */
  isMine(
    kind: MeteredKind,
    position: bigint,
    digest: Uint8Array,
    since: { readonly beganEpoch: number; readonly newestEpoch: number },
  ): boolean {
    const epoch = Number(position >> 32n)
    const index = Number(position & 0xffffffffn)
    if (epoch < since.beganEpoch || epoch <= since.newestEpoch - KEPT_EPOCHS) return true
    return index < this.endOf(kind, epoch) && !this.#remembered.contradicts(kind, position, digest)
  }
}

function newestMark(ends: ReadonlyMap<number, number>): MeteredMark {
  let epoch = 0
  for (const known of ends.keys()) epoch = Math.max(epoch, known)
  const end = ends.get(epoch) ?? 0
  return { epoch, next: end, end, asked: end }
}
