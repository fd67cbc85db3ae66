import type {
  Address,
  ChunkHolder,
  ChunkQuestion,
  Clock,
  Domain,
  Logger,
  Metrics,
  ProtocolParams,
  Random,
  Requester,
  RequestTransport,
  StakeView,
  Table,
  Timers,
} from '../core/index.ts'
import { type Admission, epochAt, type StatementSigner } from '../statements/index.ts'
import { AddressBook } from './addresses/address-book.ts'
import { Floors } from './client/floors.ts'
import { PutDesk } from './client/put-desk.ts'
import { ReceiptBook } from './client/receipt-book.ts'
import { RecordClient } from './client/record-client.ts'
import { StateClient } from './client/states.ts'
import { CLIENT_SWEEP_MS } from './constants.ts'
import type { ChallengeView, MeshRecordJudge, ReplicaTables } from './interface.ts'
import { LaggingReplicaTables, type RegistryHistory } from './placement/replica-tables.ts'
import { OP } from './protocol/messages.ts'
import { ReplicaPeers } from './protocol/peers.ts'
import { LeaseCheck } from './records/lease-check.ts'
import { PutReader, speaksIn } from './records/put-reader.ts'
import { RecordBook } from './records/record-book.ts'
import { Repair } from './repair/repair.ts'
import { ReceiptDesk } from './replica/receipt-desk.ts'
import { Replica } from './replica/replica.ts'
import { showChunk } from './replica/show-chunk.ts'
import { AgentDiscoveryProtocol } from './spatial/agent-discovery.ts'
import { CellReader } from './spatial/cell-reader.ts'
import { CellShelf } from './spatial/cell-shelf.ts'
import { CellWriter } from './spatial/cell-writer.ts'
import { AGENT_LIFE_SECONDS, AGENTS_SWEEP_MS } from './spatial/constants.ts'
import { MeshDHTAdapter } from './spatial/mesh-adapter.ts'
import { SpatialHashIndex } from './spatial/spatial-index.ts'

export interface DhtOptions {
  readonly params: ProtocolParams
  readonly domain: Domain
  /** Seconds by which replica tables lag, see `TABLE_LAG_SECONDS`. */
  readonly lagSeconds: number
  /** The own node key. */
  readonly ownAddress: Address
  /** What one writer may hold here. */
  readonly quota?: { readonly bytes: number; readonly records: number } | undefined
  /** Bytes of records this node holds at most. */
  readonly maxBytes?: number | undefined
}

export interface DhtModules {
  readonly transport: RequestTransport
  readonly stakeView: StakeView & RegistryHistory
  readonly admission: Pick<Admission, 'admit'>
  /** `undefined` for a node that only reads. */
  readonly statementSigner: Pick<StatementSigner, 'sign'> | undefined
  /** What is held for others; what was seen; what was promised to this node; where its agents may have entries; which states it keeps alive. */
  readonly tables: {
    readonly records: Table
    readonly floors: Table
    readonly receipts: Table
    readonly places: Table
    readonly kept: Table
  }
  readonly challenges: ChallengeView
  /** Unix seconds of the newest final block; `undefined` while the chain is silent. */
  readonly finalSeconds: () => number | undefined
  /** Whether there is room for records beside what else the node must write; always by default. */
  readonly hasRoom?: () => boolean
  readonly meshes?: MeshRecordJudge
  readonly isEnlisted?: (meshId: Uint8Array, stakeId: number) => boolean
  /** Where this node can be dialled, to be told by record; without it nothing is told. */
  readonly ownAddresses?: () => readonly string[]
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly metrics: Metrics
  readonly logger: Logger
}

export interface DhtStats {
  /** Current versions held, and older ones whose receipts are out. */
  readonly records: number
  readonly older: number
  readonly bytes: number
  /** The last epoch for which this node promised something; 0 when it promised nothing. */
  readonly promisedUntilEpoch: number
  /** Whether the disk refused a write a moment ago. */
  readonly full: boolean
  /** Receipts that were given to this node. */
  readonly receipts: number
  /** Stakes in the replica table of this epoch; 0 while there is none. */
  readonly stakes: number
}

/** One node of the DHT: replica, client and repair, with everything they touch passed in. */
export class Dht implements ChunkHolder {
  readonly tables: ReplicaTables
  readonly reader: PutReader
  readonly replica: Replica
  readonly client: RecordClient
  readonly states: StateClient
  readonly receipts: ReceiptBook
  readonly repair: Repair
  readonly spatial: SpatialHashIndex
  readonly agents: AgentDiscoveryProtocol
  readonly meshes: MeshDHTAdapter
  /** Where the nodes of stakes can be dialled. */
  readonly addresses: AddressBook
  readonly #modules: DhtModules
  readonly #floors: Floors
  readonly #book: RecordBook
  readonly #ownStakeId: () => number | undefined
  readonly #peers: ReplicaPeers
  readonly #shelf: CellShelf
  #stopServing: (() => void) | undefined
  #cancelSweep: (() => void) | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #cancelAgents: (() => void) | undefined
  #sweepingAgents: Promise<void> = Promise.resolve()
  #running = false

  private constructor(options: DhtOptions, modules: DhtModules, book: RecordBook) {
    const { domain, lagSeconds, maxBytes, ownAddress, params, quota } = options
    const { admission, clock, logger, metrics, random, stakeView, statementSigner, timers } = modules
    const { epochSeconds, evidenceWindowSeconds } = params
    this.#modules = modules
    this.#book = book
    const own = () => stakeView.key(ownAddress)?.stakeId
    this.#ownStakeId = own
    this.tables = new LaggingReplicaTables({ epochSeconds, lagSeconds }, stakeView)
    const pastEpochs = Math.floor(evidenceWindowSeconds / epochSeconds)
    const enlisted = modules.isEnlisted === undefined ? {} : { isEnlisted: modules.isEnlisted }
    const leases = new LeaseCheck({ admission, pastEpochs, ...enlisted })
    this.reader = new PutReader(params, {
      ...{ admission, clock, leases, meshes: modules.meshes },
      speaks: speaksIn(stakeView),
    })
    const signing = { clock, timers, metrics }
    const maySpeak = () => {
      const stakeId = own()
      return statementSigner !== undefined && stakeId !== undefined && stakeView.maySpeak(stakeId)
    }
    const refusing = { sign: () => Promise.reject(new TypeError('a node without a signer holds nothing')) }
    this.replica = new Replica(
      { params, ...(quota === undefined ? {} : { quota }), ...(maxBytes === undefined ? {} : { maxBytes }) },
      {
        ...{ book, reader: this.reader, tables: this.tables, clock, timers, metrics, logger },
        receipts: new ReceiptDesk(params, { ...signing, statementSigner: statementSigner ?? refusing }),
        finalSeconds: modules.finalSeconds,
        hasRoom: modules.hasRoom,
        ownStakeId: () => (statementSigner === undefined ? undefined : own()),
        mayPromise: maySpeak,
      },
    )
    const epoch = () => epochAt(clock.nowMs() / 1000, epochSeconds)
    const peers = new ReplicaPeers({
      ...{ transport: modules.transport, stakeView, epoch },
      own: {
        stakeId: () => (statementSigner === undefined ? undefined : own()),
        handle: (request) => this.#handle(request, { address: ownAddress, stakeId: own() }),
      },
    })
    this.#peers = peers
    const lifeEpochs = Math.floor(params.receiptLifeSeconds / epochSeconds)
    this.#floors = new Floors({
      ...{ table: modules.tables.floors, logger },
      // A clock ahead may sign in the next epoch.
      untilEpoch: () => this.reader.epoch() + 1 + lifeEpochs,
    })
    this.receipts = new ReceiptBook({ domain }, { table: modules.tables.receipts, logger })
    this.client = new RecordClient(params, {
      ...{ peers, tables: this.tables, reader: this.reader, admission, metrics, logger },
      putDesk: statementSigner && new PutDesk(params, { ...signing, statementSigner, reader: this.reader }),
      floors: this.#floors,
      receipts: this.receipts,
    })
    this.addresses = new AddressBook({
      ...{ client: this.client, peers, tables: this.tables, reader: this.reader, timers, logger },
      ownAddresses: modules.ownAddresses,
      isConnected: (address) => modules.transport.isConnected(address),
      mayWrite: maySpeak,
    })
    this.states = new StateClient(params, {
      ...{ client: this.client, reader: this.reader, receipts: this.receipts, ownStakeId: own },
      keeping: { kept: modules.tables.kept, timers, metrics, logger },
    })
    const cells = new CellReader({ peers, tables: this.tables, reader: this.reader, timers, logger })
    const writer = new CellWriter({ client: this.client, tables: this.tables, epoch })
    this.#shelf = new CellShelf({ book, epoch, metrics })
    this.spatial = new SpatialHashIndex({
      store: (draft) => writer.store(draft),
      readCells: (recordKeys, how) => cells.readCells(recordKeys, how),
    })
    this.agents = new AgentDiscoveryProtocol({
      ...{ index: this.spatial, table: modules.tables.places, clock, epoch, epochSeconds, ownStakeId: own, logger },
      ...{ lifeEpochs, agentLifeEpochs: Math.min(lifeEpochs, Math.ceil(AGENT_LIFE_SECONDS / epochSeconds)) },
    })
    this.meshes = new MeshDHTAdapter({ states: this.states, index: this.spatial })
    this.repair = new Repair(
      { params },
      {
        ...{ records: book, replica: this.replica, receipts: this.client, tables: this.tables, peers },
        ...{ reader: this.reader, clock, timers, random, metrics, logger },
        own: () => (statementSigner === undefined ? undefined : own()),
      },
    )
  }

  /** Reads what is held from the table, and makes the node; nothing is served before {@link Dht.start}. */
  static async open(options: DhtOptions, modules: DhtModules): Promise<Dht> {
    const { challenges, logger, metrics, tables } = modules
    const book = await RecordBook.open(options.params, { table: tables.records, challenges, metrics, logger })
    return new Dht(options, modules, book)
  }

  start(): void {
    this.#running = true
    this.#stopServing = this.#modules.transport.serve((request, from) => this.#handle(request, from))
    this.replica.start()
    this.repair.start()
    this.addresses.start()
    this.states.keeper?.start()
    this.#scheduleSweep()
    this.#scheduleAgents()
  }

  async stop(): Promise<void> {
    this.#running = false
    this.#stopServing?.()
    this.#cancelSweep?.()
    this.#cancelAgents?.()
    this.#shelf.stop()
    await this.addresses.stop()
    await this.states.keeper?.stop()
    await this.repair.stop()
    await this.replica.stop()
    await this.#sweepingAgents
    await this.agents.idle()
    await this.client.idle()
    await this.#sweeping
    await this.#floors.idle()
    await this.receipts.idle()
  }

  /** The own stake, when this node's key has one. */
  get ownStakeId(): number | undefined {
    return this.#ownStakeId()
  }

  /** The key of a stake in this epoch. */
  addressOf(stakeId: number): Address | undefined {
    return this.#peers.addressOf(stakeId)
  }

  stats(): DhtStats {
    const { bytes, older, promisedUntilEpoch, records } = this.#book.stats()
    const stakes = this.tables.table(this.reader.epoch())?.size ?? 0
    const { isFull: full } = this.replica
    return { records, older, bytes, promisedUntilEpoch, full, receipts: this.receipts.size, stakes }
  }

  find(question: ChunkQuestion) {
    return this.replica.find(question)
  }

  async search(question: ChunkQuestion) {
    const value = await this.repair.fetchForChallenge(question)
    return value && showChunk(value, question)
  }

  laterPut(question: ChunkQuestion): Promise<Uint8Array | undefined> {
    return this.replica.laterPut(question)
  }

  async #handle(request: Uint8Array, from: Requester): Promise<Uint8Array> {
    if (request[0] === OP.cells) return this.#shelf.handle(request)
    const isRepair = request[0] === OP.list || request[0] === OP.digest
    if (!isRepair) return this.replica.handle(request, from)
    // A stake that lost its voice is a reader to the network, and still has records to hand over.
    const stakeId = from.stakeId ?? this.#modules.stakeView.key(from.address)?.stakeId
    return this.repair.handle(request, { ...from, stakeId })
  }

  #scheduleSweep(): void {
    this.#cancelSweep = this.#modules.timers.after(CLIENT_SWEEP_MS, () => {
      const epoch = this.reader.epoch()
      this.#sweeping = Promise.all([this.#floors.sweep(epoch), this.receipts.sweep(epoch)])
        .then(
          () => undefined,
          (error: unknown) => this.#modules.logger.warn('what is over could not be forgotten', { error }),
        )
        .then(() => {
          if (this.#running) this.#scheduleSweep()
        })
    })
  }

  /** What agents left behind, in this process or one before it, is cleared soon after it can be. */
  #scheduleAgents(): void {
    this.#cancelAgents = this.#modules.timers.after(AGENTS_SWEEP_MS, () => {
      this.#sweepingAgents = this.agents.sweep().then(
        () => {
          if (this.#running) this.#scheduleAgents()
        },
        (error: unknown) => this.#modules.logger.error('the places of agents cannot be swept', { error }),
      )
    })
  }
}
