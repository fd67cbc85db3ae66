import { type Clock, KIND, type Metrics, type ProtocolParams, type Timers } from '../../core/index.ts'
import { decodePut, encodePut, KEY_TYPE, type PutBody, type StatementSigner } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import type { SignedPut } from '../interface.ts'
import { isRefused, type PutReader } from '../records/put-reader.ts'
import { BatchSigner } from '../signing/batch-signer.ts'

export interface PutDeskModules {
  readonly statementSigner: Pick<StatementSigner, 'sign'>
  readonly reader: PutReader
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: Metrics
}

/** Signs PUTs, many under one signature when many are asked for. */
export class PutDesk {
  readonly #reader: PutReader
  readonly #signer: BatchSigner

  constructor(params: ProtocolParams, modules: PutDeskModules) {
    this.#reader = modules.reader
    const batchSizes = modules.metrics.histogram(
      'suprnova_dht_put_batch_puts',
      'PUTs under one signature',
      [1, 2, 4, 8, 16, 64],
    )
    this.#signer = new BatchSigner(KIND.put, params, { ...modules, batchSizes })
  }

  /**
   * Signs a PUT and hands it to `store`; until that has settled it counts as under way, and others wait for each other.
   * @throws EncodeError `UNENCODABLE_BODY`, DecodeError for a PUT that no node would accept: alone, its batch goes on
   * @throws SuprnovaError `GUARD_REFUSED`; `DHT_CANNOT_WRITE` when the own stake may not speak; what
   * `store` throws
   */
  async sign<T>(put: PutBody, store: (signed: SignedPut) => Promise<T>): Promise<T> {
    const body = encodePut(put)
    // A carried lease is read with more care than it is written.
    if (put.keyType === KEY_TYPE.cell) decodePut(body)
    return this.#signer.during(body, ({ frame }) => {
      // Read as any replica will: what this node cannot accept, nobody else will.
      const reading = this.#reader.read(frame)
      if (isRefused(reading)) throw cannotWrite(reading.refused, reading.detail)
      return store(reading)
    })
  }
}

function cannotWrite(reason: string, detail: string): DhtError {
  return new DhtError('DHT_CANNOT_WRITE', `no replica would take what this node signs: ${reason}, ${detail}`, {
    values: { reason, detail },
    hint: 'only an active stake can write records: see `suprnova stake status`',
  })
}
