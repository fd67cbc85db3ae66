import { toHex } from '../../core/index.ts'
import { type Cell, cellOf, keyOfCell } from './cells.ts'
import { childBit, encodeHint, HINT_ID } from './hint.ts'
import { entryIn } from './sighting.ts'
import type { SpatialHashIndex } from './spatial-index.ts'

export interface HintsModules {
  readonly index: SpatialHashIndex
  readonly ownStakeId: () => number | undefined
  /** The epoch now. */
  readonly epoch: () => number
  /** Epochs a record lives at most. */
  readonly lifeEpochs: number
}

/** What of a world fixes its cells. */
export interface CellSpace {
  readonly id: Uint8Array
  readonly baseLevel: number
}

interface Hint {
  readonly space: CellSpace
  readonly cell: Cell
  /** The epoch until which each child has entries of this writer. */
  readonly wanted: number[]
  /** Until when readers are led to each child. */
  readonly written: number[]
  /** The end of the newest hint: none is written that ends before it. */
  expiryEpoch: number
  writing: Promise<void> | undefined
  isKnown: boolean
}

/**
 * The ways this writer shows to its entries below the base level. Each hint lives as long as what it leads to, and names
 * all that the one before it named.
 */
export class Hints {
  readonly #modules: HintsModules
  readonly #hints = new Map<string, Hint>()

  constructor(modules: HintsModules) {
    this.#modules = modules
  }

  get size(): number {
    return this.#hints.size
  }

  /**
   * Resolves when readers are led from the base cell to the cell of `level` that a point lies in, until an epoch.
   * @throws as `RecordClient.store`
   */
  async ensure(space: CellSpace, q: readonly bigint[], level: number, untilEpoch: number): Promise<void> {
    const steps: Promise<void>[] = []
    for (let above = space.baseLevel; above > level; above--) {
      const hint = this.#hintOf(space, cellOf(q, above))
      const bit = childBit(cellOf(q, above - 1))
      hint.wanted[bit] = Math.max(hint.wanted[bit] ?? 0, untilEpoch)
      steps.push(this.#until(hint, bit, untilEpoch))
    }
    await Promise.all(steps)
  }

  /** Forgets hints that lead to nothing any more. */
  sweep(): void {
    const now = this.#modules.epoch()
    for (const [name, hint] of this.#hints) {
      if (hint.writing === undefined && hint.expiryEpoch < now && hint.wanted.every((until) => until < now)) {
        this.#hints.delete(name)
      }
    }
  }

  async #until(hint: Hint, bit: number, untilEpoch: number): Promise<void> {
    while ((hint.written[bit] ?? 0) < untilEpoch) {
      // Those that come while one is being written share the next.
      if (hint.writing !== undefined) await hint.writing.catch(() => undefined)
      else {
        hint.writing = this.#write(hint).finally(() => {
          hint.writing = undefined
        })
        await hint.writing
      }
    }
  }

  async #write(hint: Hint): Promise<void> {
    const { epoch, index, ownStakeId } = this.#modules
    if (!hint.isKnown) await this.#learn(hint)
    const now = epoch()
    const bits = [...hint.wanted.keys()].filter((bit) => (hint.wanted[bit] ?? 0) >= now)
    const mask = bits.reduce((sum, bit) => sum | (1 << bit), 0)
    const expiryEpoch = Math.max(hint.expiryEpoch, ...bits.map((bit) => hint.wanted[bit] as number))
    // Set before the write: one that fails may be held by somebody all the same.
    hint.expiryEpoch = expiryEpoch
    await index.write({
      worldId: hint.space.id,
      agentId: HINT_ID,
      q: hint.cell.index.map((i) => i << BigInt(hint.cell.level)),
      level: hint.cell.level,
      value: encodeHint(mask),
      authority: { stakeId: ownStakeId() ?? 0 },
      expiryEpoch,
    })
    for (const bit of bits) hint.written[bit] = expiryEpoch
  }

  /** What this writer said there before this process began. When nobody can say: that it has entries everywhere. */
  async #learn(hint: Hint): Promise<void> {
    const { epoch, index, lifeEpochs, ownStakeId } = this.#modules
    const read = await index.readCell(hint.space, hint.cell)
    const { records } = read
    const quorum = read.quorum && read.complete
    const found = records.find((record) => {
      const entry = entryIn(record)
      return entry?.kind === 'hint' && entry.writerStakeId === ownStakeId()
    })
    const entry = found && entryIn(found)
    const mask = quorum ? (entry?.kind === 'hint' ? entry.mask : 0) : 0xff
    const until = quorum ? Number(found?.put.expiryEpoch ?? 0) : epoch() + lifeEpochs
    for (let bit = 0; bit < 8; bit++) {
      if ((mask >> bit) & 1) hint.wanted[bit] = Math.max(hint.wanted[bit] ?? 0, until)
    }
    hint.expiryEpoch = Math.max(hint.expiryEpoch, until)
    hint.isKnown = true
  }

  #hintOf(space: CellSpace, cell: Cell): Hint {
    const name = toHex(keyOfCell(space, cell))
    const known = this.#hints.get(name)
    if (known !== undefined) return known
    const hint: Hint = {
      ...{ space, cell, wanted: [], written: [], expiryEpoch: 0, writing: undefined },
      isKnown: false,
    }
    this.#hints.set(name, hint)
    return hint
  }
}
