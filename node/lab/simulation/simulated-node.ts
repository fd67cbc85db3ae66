import { ChallengeDesk, referenceTime } from '../../chain/index.ts'
import {
  type Address,
  type Domain,
  type Logger,
  type Offence,
  type ProtocolParams,
  type RequestHandler,
  type RequestTransport,
  type Signer,
  SuprnovaError,
} from '../../core/index.ts'
import { Dht } from '../../dht/index.ts'
import { Admission, createSigner, type DomainSeparator, StatementSigner } from '../../statements/index.ts'
import {
  type ConditionalTable,
  type MirrorRecord,
  type OpenGuard,
  type OpenSlotIndex,
  openGuard,
  openSimulatedTable,
  openSlotIndex,
  SimulatedDisk,
  storeWriteFailed,
} from '../../store/index.ts'
import { latentDisk } from './latent-disk.ts'
import type { SeededRandom } from './seeded-random.ts'
import { noLogger, noMetrics } from './silence.ts'
import type { SimulatedChain } from './simulated-chain.ts'
import type { SimulatedCourt } from './simulated-court.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import { SimulatedView } from './simulated-view.ts'
import type { StatementWitness } from './statement-witness.ts'
import { Life, type VirtualTime } from './virtual-time.ts'

export interface SimulatedNodeModules {
  readonly params: ProtocolParams
  readonly domain: Domain
  readonly separator: DomainSeparator
  /** By how much replica tables lag. */
  readonly lagSeconds: number
  /** The first block there is. */
  readonly deployBlock: number
  readonly time: VirtualTime
  readonly random: SeededRandom
  readonly network: SimulatedNetwork
  readonly chain: SimulatedChain
  readonly court: SimulatedCourt
  readonly witness: StatementWitness
  /** Clocks of the stakes this node is connected to, in unix seconds. */
  readonly peerSeconds: (node: SimulatedNode) => readonly number[]
  readonly onOffence: (offence: Offence, node: SimulatedNode) => void
  /** What no node throws on purpose. */
  readonly surprises: unknown[]
}

/** How a node deviates from the program; none for an honest one. */
export interface Lie {
  /** Stands between the network and the real answers. */
  readonly answers?: (honest: RequestHandler, node: SimulatedNode) => RequestHandler
  /** Stands between the node and the records it holds. */
  readonly records?: (table: ConditionalTable) => ConditionalTable
}

/** One run of the program, from start to its death. */
export interface Process {
  readonly life: Life
  readonly signer: Signer
  readonly view: SimulatedView
  readonly guard: OpenGuard
  readonly slotIndex: OpenSlotIndex
  readonly transport: RequestTransport
  readonly dht: Dht
}

const HEAD_MS = 1_000
const SKEW_OF_DRIFT = 1e6

/**
 * A machine with a node on it: the real DHT, admission, signing guard, slot index and challenge desk, put together as
 * `createNode` does, on a simulated disk, clock, network and chain. The machine outlives its processes.
 */
export class SimulatedNode {
  readonly stakeId: number
  readonly name: string
  readonly lie: Lie | undefined
  readonly #modules: SimulatedNodeModules
  readonly #random: SeededRandom
  readonly #mirrors = new Map<Address, MirrorRecord>()
  #signer: Signer
  #disk: SimulatedDisk
  #inode = 1
  #boot = 1
  #bootedAtMs: number
  #lives = 0
  #life: Life | undefined
  #process: Process | undefined
  #errorMs = 0
  #driftPpm = 0
  #driftSinceMs: number
  isFull = false
  flushMs = 1
  viewLagSeconds = 0
  /** How often a disk was lost for good. */
  disksLost = 0

  constructor(
    options: { readonly stakeId: number; readonly privateKey: Uint8Array; readonly lie?: Lie },
    modules: SimulatedNodeModules,
  ) {
    this.stakeId = options.stakeId
    this.name = `stake ${options.stakeId}`
    this.lie = options.lie
    this.#modules = modules
    this.#random = modules.random.fork(this.name)
    this.#signer = createSigner(options.privateKey)
    this.#disk = this.#newDisk()
    this.#bootedAtMs = modules.time.nowMs() - 60_000
    this.#driftSinceMs = modules.time.nowMs()
  }

  get isHonest(): boolean {
    return this.lie === undefined
  }

  get signer(): Signer {
    return this.#signer
  }

  /** `undefined` while nothing runs, or not yet. */
  get process(): Process | undefined {
    return this.#process
  }

  get isRunning(): boolean {
    return this.#process !== undefined
  }

  /** The newest process, opened or not, ended or not. */
  get life(): Life | undefined {
    return this.#life
  }

  /** Whether a process was started and has not ended, opened or not. */
  get isAlive(): boolean {
    return this.#life !== undefined && !this.#life.isOver
  }

  /** How far the machine's clock is from the true time. */
  get clockErrorMs(): number {
    const { time } = this.#modules
    return this.#errorMs + ((time.nowMs() - this.#driftSinceMs) * this.#driftPpm) / SKEW_OF_DRIFT
  }

  /** Sets the clock, as NTP does in one step, and how fast it runs from now on. */
  setClock(errorMs: number, driftPpm = 0): void {
    this.#errorMs = errorMs
    this.#driftPpm = driftPpm
    this.#driftSinceMs = this.#modules.time.nowMs()
  }

  /**
   * Starts a process; it takes a moment to open.
   * @param options.fresh the key has signed nothing, anywhere
   */
  start(options: { readonly fresh?: boolean } = {}): void {
    if (this.isAlive) return
    const { time } = this.#modules
    const life = new Life(`${this.name} life ${++this.#lives}`, time, () => this.clockErrorMs)
    this.#life = life
    this.#open(life, options.fresh ?? false).then(
      (process) => {
        if (life.isOver) return
        this.#process = process
        this.#begin(process)
      },
      (error: unknown) => {
        // A disk that takes nothing ends the start; whoever runs the node starts it again.
        if (!(error instanceof SuprnovaError)) this.#modules.surprises.push(error)
        this.kill()
      },
    )
  }

  /** kill -9: what the kernel has stays. */
  kill(): void {
    this.#end()
    this.#disk.kill()
  }

  /** The machine goes down: the disk forgets what was not flushed, or tears it. */
  losePower(): void {
    this.#end()
    this.#disk.losePower()
    this.#reboot()
  }

  /** The process dies at its n-th disk operation from now. */
  crashAfter(operations: number, isPowerLoss: boolean): void {
    const life = this.#life
    this.#disk.crashAfter(operations, () => {
      if (life !== this.#life) return
      if (isPowerLoss) this.losePower()
      else this.kill()
    })
  }

  /** The disk is gone and an empty one is put in its place. */
  loseDisk(): void {
    this.#end()
    this.#disk.kill()
    this.#disk = this.#newDisk()
    this.#inode++
    this.disksLost++
  }

  /** What a backup made now would hold. */
  backUp(): ReadonlyMap<string, Uint8Array> {
    return this.#disk.snapshot()
  }

  /** An old state in place of the disk, with or without a reboot: what was written since is lost for good. */
  restore(backup: ReadonlyMap<string, Uint8Array>, { withReboot }: { readonly withReboot: boolean }): void {
    this.#end()
    this.#disk.restore(backup)
    if (withReboot) this.#reboot()
    this.disksLost++
  }

  /** Goes on with another key from the next start on. */
  useKey(privateKey: Uint8Array): void {
    this.#signer = createSigner(privateKey)
  }

  #end(): void {
    this.#life?.end()
    this.#process = undefined
  }

  #reboot(): void {
    this.#boot++
    this.#mirrors.clear()
    this.#bootedAtMs = this.#modules.time.nowMs()
  }

  #newDisk(): SimulatedDisk {
    const random = this.#random.fork(`disk ${this.#inode}`)
    return new SimulatedDisk((below) => random.below(below))
  }

  async #open(life: Life, fresh: boolean): Promise<Process> {
    const { chain, court, domain, lagSeconds, network, params, separator, witness } = this.#modules
    const random = this.#random.fork(life.name)
    const { clock, timers } = life
    const signer = this.#signer
    const { address, publicKey } = signer
    const logger = this.#logger()
    const common = { clock, timers, random, metrics: noMetrics, logger }
    const disk = latentDisk(
      this.#disk.open(),
      { flushMs: this.flushMs, jitterMs: this.flushMs },
      { life, random: random.fork('disk'), isFull: () => this.isFull },
    )
    const open = async (name: string) => asStore(await openSimulatedTable(disk, `/data/${name}`))

    // 1. The chain as this machine sees it, and the guard that measures the clock against it.
    const view = new SimulatedView(chain, life, { lagSeconds: this.viewLagSeconds })
    const peerSeconds = () => this.#modules.peerSeconds(this)
    const guard = await openGuard(
      { address, domain, rules: params, fresh },
      {
        table: await open('guard'),
        environment: {
          identity: {
            ...{ machineId: this.name, bootId: `boot ${this.#boot}` },
            ...{ inode: `${this.#inode}`, device: 'disk' },
          },
          mirror: this.#mirrorOf(address, life),
          clock,
          uptimeMs: () => this.#modules.time.nowMs() - this.#bootedAtMs,
          reference: () => referenceTime(view.head(), peerSeconds(), clock.nowMs(), params.skewSeconds),
          random,
        },
        metrics: noMetrics,
        logger,
      },
    )
    const slotIndex = openSlotIndex({}, { table: await open('slots'), metrics: noMetrics, logger })

    // 2. What judges frames, and what signs them. Everything signed is seen.
    const admission = new Admission(
      { domain: separator, params },
      {
        ...{ stakeView: view, slotIndex, clock, metrics: noMetrics },
        offences: { report: (offence) => this.#modules.onOffence(offence, this) },
        own: { address, publicKey, guard },
      },
    )
    const real = new StatementSigner({ guard, signer, domain: separator })
    const statementSigner: Pick<StatementSigner, 'sign'> = {
      sign: async (kind, bodies) => {
        const said = await real.sign(kind, bodies)
        witness.saw(said.signed, bodies, this)
        return said
      },
    }

    // 3. Challenges and records.
    const desk = new ChallengeDesk(
      {
        ...{ availability: court.address, separator, answers: 'all', account: accountOf(this.stakeId) },
        ...{ responseSeconds: params.responseSeconds, responseBlocks: params.responseBlocks },
        ...{ deployBlock: this.#modules.deployBlock, maxFeePerGasWei: 10n ** 12n },
      },
      { client: court.client(), ownStakeId: () => view.key(address)?.stakeId, metrics: noMetrics, logger },
    )
    const transport = network.join(address, { life, identify: (of) => speakerOf(view, of) })
    const records = await open('records')
    const dht = await Dht.open(
      { params, domain, lagSeconds, ownAddress: address },
      {
        ...{ transport: this.#lying(transport), stakeView: view, admission, statementSigner, challenges: desk },
        tables: {
          records: this.lie?.records?.(records) ?? records,
          floors: await open('floors'),
          receipts: await open('receipts'),
          places: await open('places'),
          kept: await open('kept'),
        },
        finalSeconds: () => view.headSeconds - FINALITY_SECONDS,
        ...common,
      },
    )
    desk.use(dht)
    this.#followHeads(life, view, { desk, guard })
    return { life, signer, view, guard, slotIndex, transport, dht }
  }

  #begin({ dht }: Process): void {
    dht.start()
  }

  #lying(transport: RequestTransport): RequestTransport {
    const lie = this.lie?.answers
    if (lie === undefined) return transport
    return { ...transport, serve: (handler) => transport.serve(lie(handler, this)) }
  }

  /** At every head: stops signing when the stake lost its voice, looks for challenges, answers what is due. */
  #followHeads(
    life: Life,
    view: SimulatedView,
    { desk, guard }: { readonly desk: ChallengeDesk; readonly guard: OpenGuard },
  ): void {
    const { court } = this.#modules
    const account = accountOf(this.stakeId)
    const onHead = async () => {
      guard.drain(isSilent(view, this.stakeId))
      await desk.look(view.head())
      for (const { data } of await desk.errands()) court.send(data, account)
    }
    const next = () =>
      life.after(HEAD_MS, 'sees a head', () => {
        onHead().catch((error: unknown) => this.#modules.surprises.push(error))
        next()
      })
    guard.drain(isSilent(view, this.stakeId))
    next()
  }

  #mirrorOf(address: Address, life: Life) {
    return {
      read: () => this.#mirrors.get(address),
      write: (record: MirrorRecord) => {
        if (!life.isOver) this.#mirrors.set(address, record)
      },
      close() {},
    }
  }

  /** Nothing is said, but what a node would log as an error of its own is kept. */
  #logger(): Logger {
    const { surprises } = this.#modules
    return {
      ...noLogger,
      error: (_message, fields) => {
        const error = fields?.error
        if (error instanceof Error && !(error instanceof SuprnovaError)) surprises.push(error)
      },
    }
  }
}

/** Blocks younger than this may be undone. */
export const FINALITY_SECONDS = 5

function accountOf(stakeId: number): Address {
  return `0x${stakeId.toString(16).padStart(40, 'a')}`
}

function speakerOf(view: SimulatedView, address: Address): number | undefined {
  const stakeId = view.key(address)?.stakeId
  return stakeId !== undefined && view.maySpeak(stakeId) ? stakeId : undefined
}

function isSilent(view: SimulatedView, stakeId: number): boolean {
  const row = view.stake(stakeId)
  if (row === undefined) return false
  return row.tombstoned || row.jailedUntil > 0 || row.status === 'unbonding' || row.status === 'withdrawn'
}

/** A failed write is told as the real store tells it. */
function asStore(table: ConditionalTable): ConditionalTable {
  const told = async <T>(write: Promise<T>): Promise<T> => {
    try {
      return await write
    } catch (error) {
      throw storeWriteFailed('/data', error)
    }
  }
  return {
    ...table,
    write: (writes) => told(table.write(writes)),
    writeIf: (expected, writes) => told(table.writeIf(expected, writes)),
  }
}
