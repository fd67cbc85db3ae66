import { type Metrics, toHex } from '../../core/index.ts'
import { KEY_TYPE } from '../../statements/index.ts'
import type { RecordMeta } from './rows.ts'

/** What one writer holds here, current and older versions together. */
export interface Usage {
  readonly records: number
  readonly bytes: number
}

export interface BookStats {
  readonly records: number
  readonly older: number
  readonly bytes: number
  readonly writers: number
  /** The last epoch for which something was promised; 0 when nothing was. */
  readonly promisedUntilEpoch: number
}

/** How much is held, by writer and by cell. In memory alone: the book counts its rows when it is opened. */
export class BookCounts {
  readonly #metrics: Metrics
  readonly #usage = new Map<number, { records: number; bytes: number }>()
  /** Current entries of one writer in one cell. */
  readonly #crowds = new Map<string, number>()
  #records = 0
  #older = 0
  #bytes = 0
  #promisedUntilEpoch = 0

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  /** Older versions held. */
  get older(): number {
    return this.#older
  }

  usage(stakeId: number): Usage {
    return this.#usage.get(stakeId) ?? { records: 0, bytes: 0 }
  }

  crowdOf(recordKey: Uint8Array, writerStakeId: number): number {
    return this.#crowds.get(crowdName(recordKey, writerStakeId)) ?? 0
  }

  stats(): BookStats {
    return {
      records: this.#records,
      older: this.#older,
      bytes: this.#bytes,
      writers: this.#usage.size,
      promisedUntilEpoch: this.#promisedUntilEpoch,
    }
  }

  /** Something is promised until this epoch. */
  promise(untilEpoch: number): void {
    this.#promisedUntilEpoch = Math.max(this.#promisedUntilEpoch, untilEpoch)
  }

  count(meta: RecordMeta, as: 'current' | 'older', by: 1 | -1): void {
    const { frame, keepUntilEpoch, size, writerStakeId } = meta
    const bytes = by * (size + frame.length)
    const usage = this.#usage.get(writerStakeId) ?? { records: 0, bytes: 0 }
    usage.records += by
    usage.bytes += bytes
    if (usage.records > 0) this.#usage.set(writerStakeId, usage)
    else this.#usage.delete(writerStakeId)
    if (as === 'older') this.#older += by
    else {
      this.#records += by
      this.#countCrowd(meta, by)
    }
    this.#bytes += bytes
    if (by > 0) this.promise(keepUntilEpoch)
  }

  /** Shows the counts to whoever watches the node. */
  measure(): void {
    const records = this.#metrics.gauge('suprnova_dht_records', 'Versions held, by whether they are current')
    records.set(this.#records, { version: 'current' })
    records.set(this.#older, { version: 'older' })
    this.#metrics.gauge('suprnova_dht_record_bytes', 'Bytes of values and PUT frames held').set(this.#bytes)
  }

  #countCrowd({ keyType, recordKey, writerStakeId }: RecordMeta, by: 1 | -1): void {
    if (keyType !== KEY_TYPE.cell) return
    const name = crowdName(recordKey, writerStakeId)
    const crowd = (this.#crowds.get(name) ?? 0) + by
    if (crowd > 0) this.#crowds.set(name, crowd)
    else this.#crowds.delete(name)
  }
}

function crowdName(recordKey: Uint8Array, writerStakeId: number): string {
  return `${toHex(recordKey)} ${writerStakeId}`
}
