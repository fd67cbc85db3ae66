import { toHex } from '../../core/index.ts'
import type { StoreResult } from '../client/record-client.ts'
import { QUORUM_DEFAULT, REPLICAS_DEFAULT } from '../constants.ts'
import { storeFailed } from '../errors.ts'
import type { ReplicaTables } from '../interface.ts'
import type { CellDraft } from './spatial-index.ts'

export interface CellWriterModules {
  /** `RecordClient`: done at two receipts, of whomever. */
  readonly client: {
    store(draft: CellDraft): Promise<Pick<StoreResult, 'receipts' | 'record' | 'rest'>>
  }
  readonly tables: ReplicaTables
  /** The epoch now. */
  readonly epoch: () => number
}

/** Stores entries so that no reader of two replicas misses them. */
export class CellWriter {
  readonly #modules: CellWriterModules

  constructor(modules: CellWriterModules) {
    this.#modules = modules
  }

  /**
   * Resolves when two of the cell's own replicas gave their receipts. A store is done with one of whoever stands in as
   * well, and readers do not ask those: such an entry may be seen by nobody once the replicas that were away are back.
   * @throws as `RecordClient.store`; `DHT_TOO_FEW_RECEIPTS` also when only stand-ins made up for replicas that are away
   */
  async store(draft: CellDraft): Promise<void> {
    const { client, epoch, tables } = this.#modules
    // An epoch that begins meanwhile has these replicas as those before it, and readers ask both.
    const begunIn = epoch()
    const { receipts, record, rest } = await client.store(draft)
    const { sets } = tables.setsOf(record.recordKey, begunIn, REPLICAS_DEFAULT)
    const shortOf = (held: StoreResult['receipts']) => {
      const stakeIds = new Set(held.map(({ stakeId }) => stakeId))
      return sets
        .map((set) => ({
          got: set.filter((stakeId) => stakeIds.has(stakeId)).length,
          needed: Math.min(QUORUM_DEFAULT, set.length),
        }))
        .find(({ got, needed }) => got < needed)
    }
    if (shortOf(receipts) === undefined) return
    const short = shortOf(await rest)
    if (short !== undefined) throw storeFailed({ recordKey: toHex(record.recordKey), ...short, failures: [] })
  }
}
