import { equalBytes, type Logger, SuprnovaError, type Timers, toHex } from '../../core/index.ts'
import { QUORUM_DEFAULT, REPLICAS_DEFAULT } from '../constants.ts'
import type { DhtRecord, ReplicaTables } from '../interface.ts'
import type { ReplicaPeers } from '../protocol/peers.ts'
import type { PutReader } from '../records/put-reader.ts'
import { comparePuts } from '../records/version.ts'
import { CellChoice } from './cell-choice.ts'
import { CELL_HEDGE_STEP_MS, CELL_HEDGE_STEPS, CELL_PAGES_MAX, CELLS_PER_REQUEST } from './constants.ts'
import { type CellPage, decodeCellPages, encodeCells } from './messages.ts'
import type { Consistency, ReadCell } from './spatial-index.ts'
import { VerifiedEntries } from './verified-entries.ts'

export interface CellReaderModules {
  readonly peers: ReplicaPeers
  readonly tables: ReplicaTables
  readonly reader: PutReader
  readonly timers: Timers
  readonly logger: Logger
}

/** A cell that is read page by page. */
interface Question {
  /** Its place among the cells asked for. */
  readonly index: number
  readonly after: Uint8Array | undefined
}

/** Reads many cells at once, every entry verified. */
export class CellReader {
  readonly #modules: CellReaderModules
  readonly #verified: VerifiedEntries
  #turn = 0

  constructor(modules: CellReaderModules) {
    this.#modules = modules
    this.#verified = new VerifiedEntries(modules.reader)
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
    /** Replicas that had more of a cell than a reader takes. */
    const cuts = recordKeys.map(() => 0)
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
        let left: readonly Question[] = cells.map((index) => ({ index, after: undefined }))
        for (let round = 1; left.length > 0; round++) {
          if (!peers.isOwn(stakeId)) asked++
          const pages = await this.#ask(
            stakeId,
            left.map(({ after, index }) => ({ recordKey: recordKeys[index]!, after })),
          )
          // What comes after the others gave enough is not looked at: what is returned is what was there in time.
          if (isOver) return
          if (pages?.length !== left.length) {
            for (const { index } of left) choice.failed(stakeId, index)
            return
          }
          const more: Question[] = []
          for (const [at, { next, puts }] of pages.entries()) {
            const { after, index } = left[at]!
            this.#take(puts, recordKeys[index]!, found[index]!)
            if (next === undefined) choice.answered(stakeId, index)
            else if (leadsInCircles(next, after, at)) choice.failed(stakeId, index)
            else if (round < CELL_PAGES_MAX) more.push({ index, after: next.slice() })
            // One that has no end may be lying, and others are asked in its place; two of three are believed.
            else if (++cuts[index]! === 1) choice.failed(stakeId, index)
            else choice.answered(stakeId, index)
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
      // In steps: while this process itself stands still no step passes, and nobody is asked for what waits to be read.
      const hedgeAfter = (steps: number): (() => void) =>
        timers.after(CELL_HEDGE_STEP_MS, () => {
          if (isOver) return
          if (steps === 1) send(choice.next(false))
          else cancelHedge = hedgeAfter(steps - 1)
        })
      let cancelHedge = hedgeAfter(CELL_HEDGE_STEPS)
      look()
    })
    const cells = found.map((records, index) => ({
      records: [...records.values()],
      quorum: consistency === 'quorum' && choice.hasQuorum(index),
      complete: cuts[index] === 0 || (cuts[index] === 1 && choice.hasQuorum(index)),
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
      const record = this.#verified.read(bytes)
      if (record === undefined || !equalBytes(record.recordKey, recordKey)) continue
      const name = nameOf(record)
      const known = newest.get(name)
      if (known === undefined || comparePuts(known, record) < 0) newest.set(name, record)
    }
  }
}

/** Whether a page does not get on. Only the first cell of a request must: the others may have to wait for it. */
function leadsInCircles(next: Uint8Array, after: Uint8Array | undefined, at: number): boolean {
  if (after === undefined) return false
  const order = Buffer.compare(next, after)
  return at === 0 ? order <= 0 : order < 0
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
