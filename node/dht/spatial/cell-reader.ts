import { equalBytes, type Logger, SuprnovaError, type Timers, toHex } from '../../core/index.ts'
import { QUORUM_DEFAULT, REPLICAS_DEFAULT } from '../constants.ts'
import type { DhtRecord, ReplicaTables } from '../interface.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { comparePuts } from '../records/version.ts'
import { CellChoice } from './cell-choice.ts'
import { CELL_HEDGE_MS, CELL_PAGES_MAX, CELLS_PER_REQUEST, VERIFIED_MAX } from './constants.ts'
import { type CellPage, decodeCellPages, encodeCells, unpackPut } from './messages.ts'
import type { Consistency, ReadCell } from './spatial-index.ts'

export interface CellReaderModules {
  readonly peers: ReplicaPeers
  readonly tables: ReplicaTables
  readonly reader: PutReader
  readonly timers: Timers
  readonly logger: Logger
}

/** Reads many cells at once, every entry verified. */
export class CellReader {
  readonly #modules: CellReaderModules
  /** Entries by all their bytes, those used last at the end. `undefined`: void, and will be so. */
  readonly #verified = new Map<string, DhtRecord | undefined>()
  #verifiedInEpoch = 0
  #turn = 0

  constructor(modules: CellReaderModules) {
    this.#modules = modules
  }

  /**
   * Reads cells of three replicas each: with `quorum` two of each answer, as entries are stored with two receipts.
   * @returns the cells in the order asked for, and the requests that were sent to other nodes
   */
  async readCells(
    recordKeys: readonly Uint8Array[],
    { consistency }: { readonly consistency: Consistency },
  ): Promise<{ readonly cells: readonly ReadCell[]; readonly asked: number }> {
    const { peers, reader, tables, timers } = this.#modules
    const epoch = reader.epoch()
    const sets = recordKeys.map((key) => tables.setsOf(key, epoch, REPLICAS_DEFAULT))
    const answersOf = (size: number) => (consistency === 'one' ? 1 : Math.max(1, size - QUORUM_DEFAULT + 1))
    const turn = this.#turn++
    // The own copy costs nothing; of others, a different one each time.
    const choice = new CellChoice(sets, answersOf, (stakeId) =>
      peers.isOwn(stakeId) ? 2 ** 31 : Math.imul(stakeId + turn, 0x9e3779b1) >>> 1,
    )
    const found = recordKeys.map(() => new Map<string, DhtRecord>())
    const complete = recordKeys.map(() => true)
    let asked = 0
    await new Promise<void>((resolve, reject) => {
      let waiting = 0
      let isOver = false
      const end = () => {
        isOver = true
        cancelHedge()
        resolve()
      }
      const look = () => {
        if (isOver) return
        if (choice.isDone) return end()
        send(choice.next())
        if (waiting === 0) end()
      }
      const ask = async (stakeId: number, cells: readonly number[]) => {
        let left = cells.map((index) => ({ index, after: undefined as Uint8Array | undefined }))
        for (let round = 1; left.length > 0; round++) {
          if (!peers.isOwn(stakeId)) asked++
          const pages = await this.#ask(
            stakeId,
            left.map(({ after, index }) => ({ recordKey: recordKeys[index]!, after })),
          )
          if (pages?.length !== left.length) {
            for (const { index } of left) choice.failed(stakeId, index)
            return
          }
          const more: typeof left = []
          for (const [at, { next, puts }] of pages.entries()) {
            const { index } = left[at]!
            this.#take(puts, recordKeys[index]!, found[index]!)
            if (next !== undefined && round < CELL_PAGES_MAX) {
              more.push({ index, after: next })
              continue
            }
            complete[index] &&= next === undefined
            choice.answered(stakeId, index)
          }
          left = more
        }
      }
      const send = (chosen: ReadonlyMap<number, readonly number[]>) => {
        for (const [stakeId, cells] of chosen) {
          for (let at = 0; at < cells.length; at += CELLS_PER_REQUEST) {
            waiting++
            ask(stakeId, cells.slice(at, at + CELLS_PER_REQUEST))
              .finally(() => waiting--)
              .then(look, reject)
          }
        }
      }
      const cancelHedge = timers.after(CELL_HEDGE_MS, () => {
        if (!isOver) send(choice.next(false))
      })
      look()
    })
    const cells = found.map((records, index) => ({
      records: [...records.values()],
      quorum: consistency === 'quorum' && choice.hasQuorum(index),
      complete: complete[index] === true,
    }))
    return { cells, asked }
  }

  async #ask(
    stakeId: number,
    cells: readonly { readonly recordKey: Uint8Array; readonly after: Uint8Array | undefined }[],
  ): Promise<readonly CellPage[] | undefined> {
    try {
      const answer = decodeCellPages(await this.#modules.peers.ask(stakeId, encodeCells({ cells })))
      return answer.status === 'found' ? answer.cells : undefined
    } catch (error) {
      if (!(error instanceof SuprnovaError)) throw error
      this.#modules.logger.debug('a replica gave no answer', { stakeId, code: error.code })
      return undefined
    }
  }

  /** Keeps the newest of each entry that is verified. */
  #take(puts: readonly Uint8Array[], recordKey: Uint8Array, newest: Map<string, DhtRecord>): void {
    for (const bytes of puts) {
      const record = this.#read(bytes)
      if (record === undefined || !equalBytes(record.recordKey, recordKey)) continue
      const name = nameOf(record)
      const known = newest.get(name)
      if (known === undefined || comparePuts(known, record) < 0) newest.set(name, record)
    }
  }

  /** Verifies an entry; one that came before in this epoch was verified then. */
  #read(bytes: Uint8Array): DhtRecord | undefined {
    const { reader } = this.#modules
    const epoch = reader.epoch()
    if (this.#verifiedInEpoch !== epoch) {
      // Lives and leases end, and stakes fall silent, with epochs: all is looked at again.
      this.#verified.clear()
      this.#verifiedInEpoch = epoch
    }
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    const known = this.#verified.get(name)
    if (known !== undefined || this.#verified.has(name)) {
      this.#verified.delete(name)
      this.#verified.set(name, known)
      return known
    }
    const { frame, value } = unpackPut(bytes)
    const signed = reader.read(frame)
    const record = isRefused(signed) ? signed : reader.withValue(signed, value.slice())
    const verified = isRefused(record) ? undefined : record
    // Other refusals end: a stake becomes known, a budget fills again.
    if (isRefused(record) && record.refused !== 'invalid') return undefined
    this.#verified.set(name, verified)
    if (this.#verified.size > VERIFIED_MAX) {
      for (const oldest of this.#verified.keys()) {
        this.#verified.delete(oldest)
        break
      }
    }
    return verified
  }
}

const names = new WeakMap<DhtRecord, string>()

/** The entry of a record as text, made once a record. */
function nameOf(record: DhtRecord): string {
  const known = names.get(record)
  if (known !== undefined) return known
  const name = toHex(record.entry)
  names.set(record, name)
  return name
}
