import type { Address, KeyTenure, RequestOptions, RequestTransport } from '../../core/index.ts'
import { REPLICA_TIMEOUT_MS } from '../constants.ts'
import { DhtError } from '../errors.ts'

export interface ReplicaPeersModules {
  readonly transport: RequestTransport
  readonly stakeView: { keyAt(stakeId: number, epoch: number): Pick<KeyTenure, 'address'> | undefined }
  /** The epoch now. */
  readonly epoch: () => number
  /** This node as a replica; `undefined` for one that only reads. */
  readonly own?: {
    readonly stakeId: () => number | undefined
    readonly handle: (request: Uint8Array) => Promise<Uint8Array>
  }
}

/** Asks replicas by stake id: others over the network, this node itself directly. */
export class ReplicaPeers {
  readonly #modules: ReplicaPeersModules

  constructor(modules: ReplicaPeersModules) {
    this.#modules = modules
  }

  /** The key a stake has now. */
  addressOf(stakeId: number): Address | undefined {
    return this.#modules.stakeView.keyAt(stakeId, this.#modules.epoch())?.address
  }

  isOwn(stakeId: number): boolean {
    return this.#modules.own?.stakeId() === stakeId
  }

  /**
   * @throws SuprnovaError as `RequestTransport.request`, or `DHT_UNKNOWN_STAKE` for a stake without a key in this epoch
   */
  async ask(stakeId: number, request: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    if (this.isOwn(stakeId) && this.#modules.own !== undefined) return this.#modules.own.handle(request)
    const address = this.addressOf(stakeId)
    if (address === undefined) {
      throw new DhtError('DHT_UNKNOWN_STAKE', `stake ${stakeId} has no key in this epoch`, { values: { stakeId } })
    }
    return this.#modules.transport.request(address, request, { timeoutMs: REPLICA_TIMEOUT_MS, ...options })
  }
}
