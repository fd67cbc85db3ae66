import type {
  Clock,
  Domain,
  Logger,
  Metrics,
  ProtocolParams,
  RequestTransport,
  StakeView,
  Table,
  Timers,
} from '../core/index.ts'
import { type Admission, epochAt } from '../statements/index.ts'
import { Floors } from './client/floors.ts'
import { ReceiptBook } from './client/receipt-book.ts'
import { RecordClient } from './client/record-client.ts'
import { StateClient } from './client/states.ts'
import { DhtError } from './errors.ts'
import type { ReplicaTables } from './interface.ts'
import { LaggingReplicaTables, type RegistryHistory } from './placement/replica-tables.ts'
import { OP } from './protocol/messages.ts'
import { ReplicaPeers } from './protocol/peers.ts'
import { LeaseCheck } from './records/lease-check.ts'
import { PutReader, speaksIn } from './records/put-reader.ts'
import { AgentFinder } from './spatial/agent-finder.ts'
import { CellReader } from './spatial/cell-reader.ts'
import { SpatialHashIndex } from './spatial/spatial-index.ts'

export interface LightDhtOptions {
  readonly params: ProtocolParams
  readonly domain: Domain
  /** Seconds by which replica tables lag, as nodes have it. */
  readonly lagSeconds: number
}

export interface LightDhtModules {
  readonly transport: RequestTransport
  readonly stakeView: StakeView & Pick<RegistryHistory, 'atTime'>
  readonly admission: Pick<Admission, 'admit'>
  /** What was seen, and what was promised; as long as this reader lives, or longer. */
  readonly tables: { readonly floors: Table; readonly receipts: Table }
  readonly clock: Clock
  readonly timers: Timers
  readonly metrics: Metrics
  readonly logger: Logger
}

/**
 * A reader of the DHT without stake, key or disk: the parts of a node that read and verify, and none that hold, sign or
 * repair. It sends no STORE, so what it finds stale is left for others to mend.
 */
export class LightDht {
  readonly tables: ReplicaTables & { reset(): void }
  readonly reader: PutReader
  readonly client: RecordClient
  readonly states: StateClient
  readonly spatial: SpatialHashIndex
  readonly agents: AgentFinder
  readonly receipts: ReceiptBook
  readonly peers: ReplicaPeers
  readonly #floors: Floors

  constructor({ domain, lagSeconds, params }: LightDhtOptions, modules: LightDhtModules) {
    const { admission, clock, logger, metrics, stakeView, timers } = modules
    const { epochSeconds, evidenceWindowSeconds } = params
    const epoch = () => epochAt(clock.nowMs() / 1000, epochSeconds)
    // What is known of the registry is all that will be known until it is read anew: each table counts as final.
    const history = { atTime: (seconds: number) => stakeView.atTime(seconds), head: () => ENDLESS }
    this.tables = new LaggingReplicaTables({ epochSeconds, lagSeconds }, history)
    const pastEpochs = Math.floor(evidenceWindowSeconds / epochSeconds)
    const leases = new LeaseCheck({ admission, pastEpochs })
    this.reader = new PutReader(params, { admission, speaks: speaksIn(stakeView), clock, leases })
    this.peers = new ReplicaPeers({ transport: readOnly(modules.transport), stakeView, epoch })
    const lifeEpochs = Math.floor(params.receiptLifeSeconds / epochSeconds)
    const untilEpoch = () => epoch() + 1 + lifeEpochs
    this.#floors = new Floors({ table: modules.tables.floors, untilEpoch, logger })
    this.receipts = new ReceiptBook({ domain }, { table: modules.tables.receipts, logger })
    this.client = new RecordClient(params, {
      ...{ peers: this.peers, tables: this.tables, reader: this.reader, admission, metrics, logger },
      floors: this.#floors,
      receipts: this.receipts,
    })
    const ownStakeId = () => undefined
    this.states = new StateClient(params, {
      ...{ client: this.client, reader: this.reader, receipts: this.receipts, ownStakeId },
    })
    const cells = new CellReader({ peers: this.peers, tables: this.tables, reader: this.reader, timers, logger })
    this.spatial = new SpatialHashIndex({
      store: () => Promise.reject(readerStores()),
      readCells: (recordKeys, how) => cells.readCells(recordKeys, how),
    })
    this.agents = new AgentFinder({ index: this.spatial, clock, epochSeconds })
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.client.idle()
    await this.#floors.idle()
    await this.receipts.idle()
  }
}

const ENDLESS = { timestamp: Number.POSITIVE_INFINITY }

/** Asks, and stores nothing: not even the newest version where a stale one was shown. */
function readOnly(transport: RequestTransport): RequestTransport {
  return {
    request: (to, request, options) =>
      request[0] === OP.store ? Promise.reject(readerStores()) : transport.request(to, request, options),
    serve: (handler) => transport.serve(handler),
    isConnected: (to) => transport.isConnected(to),
  }
}

function readerStores(): DhtError {
  return new DhtError('DHT_READ_ONLY', 'a reader without stake stores nothing', { hint: 'run a node with a stake' })
}
