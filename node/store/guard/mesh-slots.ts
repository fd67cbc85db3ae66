import {
  equalBytes,
  type GuardRefusal,
  type MeshKind,
  type SigningGuard,
  type SlotEntry,
  type Statement,
  toHex,
} from '../../core/index.ts'
import { MESH_KEPT_SLOTS, MESH_SCOPES_MAX } from '../constants.ts'
import { interchangeConflict } from '../errors.ts'
import type { GuardRows, ScopeMark, StoredSlot, Write } from './guard-rows.ts'
import type { InterchangeMesh } from './interchange.ts'

export interface MeshSlotsModules {
  readonly rows: GuardRows
  /** Resolves once durable. */
  write(writes: readonly Write[]): Promise<void>
  refuse(reason: GuardRefusal, values: Record<string, unknown>): Error
  /** Why nothing may leave in this scope now. */
  admits(scope: Uint8Array): GuardRefusal | undefined
  isDraining(): boolean
}

interface Pending {
  readonly digest: Uint8Array
  readonly written: Promise<SlotEntry>
}

type MeshStatement = Parameters<SigningGuard['signMesh']>[0]

/** What the key said in meshes: one digest a slot, durable before its signature leaves. */
export class MeshSlots {
  readonly #modules: MeshSlotsModules
  readonly #marks = new Map<string, ScopeMark>()
  readonly #pending = new Map<string, Pending>()
  readonly #heard = new Set<string>()

  constructor(modules: MeshSlotsModules) {
    this.#modules = modules
    for (const mark of modules.rows.readScopeMarks()) this.#marks.set(scopeKey(mark.kind, mark.scope), mark)
  }

  async sign(
    statement: MeshStatement,
    digest: Uint8Array,
    body: Uint8Array,
    sign: () => Uint8Array,
  ): Promise<SlotEntry> {
    const { kind, scope, position } = statement
    const values = { kind, scope: toHex(scope), slot: position }
    this.#throwIfRefused(scope, values)
    const pending = this.#pending.get(slotKey(kind, scope, position))
    if (pending) {
      if (!equalBytes(pending.digest, digest)) throw this.#modules.refuse('slot', values)
      return await pending.written
    }
    const mark = this.#marks.get(scopeKey(kind, scope))
    if (mark && position < mark.prunedBelow) throw this.#modules.refuse('pruned', values)
    const stored = this.#modules.rows.readSlot(kind, scope, position)
    if (stored && !equalBytes(stored.digest, digest)) throw this.#modules.refuse('slot', values)
    if (stored?.entry) return stored.entry
    if (this.#modules.isDraining()) throw this.#modules.refuse('draining', values)
    if (!mark && this.#marks.size >= MESH_SCOPES_MAX) throw this.#modules.refuse('limit', values)

    const entry = { digest, content: statement.content, signature: sign() }
    const written = this.#store(statement, { digest, entry, body }).then(() => {
      // The guard may have become lost while the disk was at work.
      this.#throwIfRefused(scope, values)
      return entry
    })
    this.#pending.set(slotKey(kind, scope, position), { digest, written })
    try {
      return await written
    } finally {
      this.#pending.delete(slotKey(kind, scope, position))
    }
  }

  /** Whether this guard signed it, or cannot know any more. */
  isMine({ kind, scope, position }: Statement, digest: Uint8Array): boolean {
    const meshKind = kind as MeshKind
    const mark = this.#marks.get(scopeKey(meshKind, scope))
    if (mark && position < mark.prunedBelow) return true
    const pending = this.#pending.get(slotKey(meshKind, scope, position))
    const known = pending?.digest ?? this.#modules.rows.readSlot(meshKind, scope, position)?.digest
    return known !== undefined && equalBytes(known, digest)
  }

  heard(scope: Uint8Array): void {
    this.#heard.add(toHex(scope))
  }

  hasHeard(scope: Uint8Array): boolean {
    return this.#heard.has(toHex(scope))
  }

  *export(): Iterable<InterchangeMesh> {
    for (const { kind, scope, prunedBelow } of this.#marks.values()) {
      const slots = [...this.#modules.rows.readSlots(kind, scope)].map(([slot, { digest }]) => ({ slot, digest }))
      yield { kind, scope, prunedBelow, slots }
    }
  }

  /**
   * The writes that merge imported scopes upward.
   * @throws SuprnovaError `INTERCHANGE_CONFLICT` when a slot has another digest here
   */
  merge(meshes: readonly InterchangeMesh[]): readonly Write[] {
    const writes: Write[] = []
    const marks: ScopeMark[] = []
    const inFile = new Map<string, Uint8Array>()
    for (const { kind, scope, prunedBelow, slots } of meshes) {
      const known = this.#marks.get(scopeKey(kind, scope)) ?? { kind, scope, prunedBelow: 0n, newest: 0n }
      const below = prunedBelow > known.prunedBelow ? prunedBelow : known.prunedBelow
      let newest = known.newest
      writes.push(...this.#modules.rows.dropSlots(kind, scope, known.prunedBelow, below))
      for (const { slot, digest } of slots) {
        const key = slotKey(kind, scope, slot)
        const here =
          inFile.get(key) ?? this.#pending.get(key)?.digest ?? this.#modules.rows.readSlot(kind, scope, slot)?.digest
        inFile.set(key, digest)
        if (here && !equalBytes(here, digest)) {
          throw interchangeConflict('a mesh slot', { kind, scope: toHex(scope), slot })
        }
        if (!here && slot >= below) {
          writes.push(this.#modules.rows.writeSlot(kind, scope, slot, { digest, entry: undefined, body: NO_BODY }))
        }
        if (slot > newest) newest = slot
      }
      marks.push({ kind, scope, prunedBelow: below, newest })
    }
    for (const mark of marks) {
      this.#marks.set(scopeKey(mark.kind, mark.scope), mark)
      writes.push(this.#modules.rows.writeScopeMark(mark))
    }
    return writes
  }

  async #store({ kind, scope, position }: MeshStatement, stored: StoredSlot): Promise<void> {
    const { rows } = this.#modules
    const known = this.#marks.get(scopeKey(kind, scope)) ?? { kind, scope, prunedBelow: 0n, newest: 0n }
    const newest = position > known.newest ? position : known.newest
    const kept = BigInt(MESH_KEPT_SLOTS)
    const prunedBelow = newest + 1n > known.prunedBelow + kept ? newest + 1n - kept : known.prunedBelow
    const mark = { kind, scope, prunedBelow, newest }
    this.#marks.set(scopeKey(kind, scope), mark)
    await this.#modules.write([
      ...(prunedBelow > known.prunedBelow ? rows.dropSlots(kind, scope, known.prunedBelow, prunedBelow) : []),
      rows.writeSlot(kind, scope, position, stored),
      rows.writeScopeMark(mark),
    ])
  }

  #throwIfRefused(scope: Uint8Array, values: Record<string, unknown>): void {
    const reason = this.#modules.admits(scope)
    if (reason) throw this.#modules.refuse(reason, values)
  }
}

const NO_BODY = new Uint8Array()

function scopeKey(kind: MeshKind, scope: Uint8Array): string {
  return `${kind}${toHex(scope)}`
}

function slotKey(kind: MeshKind, scope: Uint8Array, slot: bigint): string {
  return `${scopeKey(kind, scope)}${slot}`
}
