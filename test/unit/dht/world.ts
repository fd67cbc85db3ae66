import {
  type Address,
  KIND,
  type MeteredKind,
  type Metrics,
  type Offence,
  type ProtocolParams,
  type RequestHandler,
  type Signer,
  type SlotEntry,
  SuprnovaError,
} from '../../../node/core/index.ts'
import { Dht, type DhtOptions, type DhtRecord, type MeshRecordJudge, type SignedPut } from '../../../node/dht/index.ts'
import { entryOf } from '../../../node/dht/records/put-reader.ts'
import { SeededRandom } from '../../../node/lab/simulation/seeded-random.ts'
import { noLogger } from '../../../node/lab/simulation/silence.ts'
import { SimulatedChain } from '../../../node/lab/simulation/simulated-chain.ts'
import { CALM_NETWORK, SimulatedNetwork } from '../../../node/lab/simulation/simulated-network.ts'
import { SimulatedView } from '../../../node/lab/simulation/simulated-view.ts'
import { Life, VirtualTime } from '../../../node/lab/simulation/virtual-time.ts'
import {
  Admission,
  chunkRoot,
  createSigner,
  decodePut,
  encodeLeafFrames,
  encodePut,
  epochAt,
  KEY_TYPE,
  type PutBody,
  positionOf,
  recordKeyOf,
  type SignedFrame,
  StatementSigner,
} from '../../../node/statements/index.ts'
import { openSimulatedTable, SimulatedDisk } from '../../../node/store/index.ts'
import { bytes32 } from '../../vectors/generators/cast.ts'
import { DOMAIN, PlainSlotIndex, say } from '../statements/world.ts'

/** An epoch of 10 s, a life of 60 epochs; as on a development chain. */
export const PARAMS: ProtocolParams = {
  epochSeconds: 10,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 600,
  responseSeconds: 30,
  responseBlocks: 10,
  evidenceWindowSeconds: 600,
  skewSeconds: 10,
  unbondingSeconds: 1500,
  rewardWindowSeconds: 30,
  jailSeconds: 60,
  correlationSeconds: 1200,
  drawDelayBlocks: 2,
}
export const LIFE_EPOCHS = 60
export const LAG_SECONDS = 5
/** The beginning of an epoch. */
const START_MS = 1_800_000_000_000
/** No operation takes longer, in simulated time. */
const LIMIT_MS = 120_000

/** Hands out positions in memory, each once, with the limit of the real guard. */
export class CountingGuard {
  readonly #next = new Map<string, number>()
  readonly #epoch: () => number
  readonly #limits: Record<MeteredKind, number>
  /** Why it refuses, while it does. */
  refusal: string | undefined

  constructor(params: ProtocolParams, epoch: () => number) {
    this.#epoch = epoch
    this.#limits = { 1: params.putLimit, 2: params.gossipLimit, 3: params.receiptLimit }
  }

  used(kind: MeteredKind, epoch = this.#epoch()): number {
    return this.#next.get(`${kind} ${epoch}`) ?? 0
  }

  async reserve(kind: MeteredKind): Promise<bigint> {
    const epoch = this.#epoch()
    const index = this.used(kind, epoch)
    const reason = this.refusal ?? (index >= this.#limits[kind] ? 'limit' : undefined)
    if (reason !== undefined) {
      throw new SuprnovaError('GUARD_REFUSED', `refused to sign (${reason})`, { values: { reason } })
    }
    this.#next.set(`${kind} ${epoch}`, index + 1)
    return positionOf(epoch, index)
  }

  remember(): void {}

  signMesh(): Promise<SlotEntry> {
    throw new Error('no mesh here')
  }
}

/** Counts by name and labels. */
export class CountedMetrics implements Metrics {
  readonly values = new Map<string, number>()
  #add(name: string, labels: Record<string, string> = {}, by = 1): void {
    const key = [name, ...Object.values(labels)].join(' ')
    this.values.set(key, (this.values.get(key) ?? 0) + by)
  }
  counter = (name: string) => ({
    inc: (labels?: Record<string, string>, by?: number) => this.#add(name, labels, by),
  })
  gauge = (name: string) => ({
    set: (value: number, labels: Record<string, string> = {}) =>
      void this.values.set([name, ...Object.values(labels)].join(' '), value),
  })
  histogram = (name: string) => ({ observe: (value: number) => this.#add(`${name} ${value}`) })
  of = (...key: string[]) => this.values.get(key.join(' ')) ?? 0
}

export interface WorldOptions {
  readonly params?: Partial<ProtocolParams>
  readonly meshes?: MeshRecordJudge
  readonly quota?: DhtOptions['quota']
  readonly maxBytes?: number
  readonly hasRoom?: () => boolean
}

/** One node of the world. */
export interface WorldNode {
  readonly stakeId: number
  readonly signer: Signer
  readonly dht: Dht
  readonly guard: CountingGuard
  readonly metrics: CountedMetrics
  readonly offences: Offence[]
  readonly life: Life
  readonly disk: SimulatedDisk
  /** Asks this node as another does. */
  ask(
    request: Uint8Array,
    from?: { readonly address?: Address; readonly stakeId: number | undefined },
  ): Promise<Uint8Array>
}

/** Nodes of the DHT over one simulated chain, network and clock. Nothing waits for real time. */
export class World {
  readonly params: ProtocolParams
  readonly time = new VirtualTime(START_MS)
  readonly random = new SeededRandom('world')
  readonly chain: SimulatedChain
  readonly network: SimulatedNetwork
  readonly nodes: WorldNode[] = []
  readonly #options: WorldOptions
  /** Milliseconds by which the clock of a stake is ahead. */
  readonly skewMs = new Map<number, number>()
  /** Whom a challenge keeps: `digest leaf`. */
  readonly openChallenges = new Set<string>()

  private constructor(options: WorldOptions) {
    this.#options = options
    this.params = { ...PARAMS, ...options.params }
    this.chain = new SimulatedChain(this.params, this.time)
    this.network = new SimulatedNetwork(CALM_NETWORK, { time: this.time, random: this.random.fork('network') })
  }

  /** A world of `count` staked nodes, all started. */
  static async of(count: number, options: WorldOptions = {}): Promise<World> {
    const world = new World(options)
    const signers = Array.from({ length: count }, (_, i) => signerOf(i + 1))
    world.chain.genesis(signers.map((key, i) => ({ key, placement: bytes32(`placement ${i + 1}`) })))
    for (let stakeId = 1; stakeId <= count; stakeId++) await world.open(stakeId)
    return world
  }

  /** Starts the node of a stake; on the disk it had, when it ran before. Stake 0 is a reader without one. */
  async open(stakeId: number, disk?: SimulatedDisk): Promise<WorldNode> {
    const { params } = this
    const signer = signerOf(stakeId)
    const life = new Life(`node ${stakeId}`, this.time, () => this.skewMs.get(stakeId) ?? 0)
    const view = new SimulatedView(this.chain, life, { lagSeconds: 0 })
    const metrics = new CountedMetrics()
    const offences: Offence[] = []
    const epoch = () => epochAt(life.clock.nowMs() / 1000, params.epochSeconds)
    const before = this.nodes.find((node) => node.stakeId === stakeId)
    // What it said is said: a guard in memory must not forget it with its process.
    const guard = before?.guard ?? new CountingGuard(params, epoch)
    const admission = new Admission(
      { domain: DOMAIN, params },
      {
        ...{ stakeView: view, slotIndex: new PlainSlotIndex(), clock: life.clock, metrics },
        offences: { report: (offence) => offences.push(offence) },
      },
    )
    const identify = (of: Address) => view.key(of)?.stakeId
    const network = this.network.join(signer.address, { life, identify })
    let handler: RequestHandler | undefined
    const transport = {
      ...network,
      serve: (handle: RequestHandler) => {
        handler = handle
        return network.serve(handle)
      },
    }
    const own = disk ?? before?.disk ?? new SimulatedDisk((below) => this.random.below(below))
    const table = (name: string) => openSimulatedTable(own.open(), `/${stakeId}/${name}`)
    const dht = await this.run(
      Dht.open(
        {
          ...{ params, domain: DOMAIN, lagSeconds: LAG_SECONDS, ownAddress: signer.address },
          ...{ quota: this.#options.quota, maxBytes: this.#options.maxBytes },
        },
        {
          ...{ transport, stakeView: view, admission, metrics, logger: noLogger },
          ...{ clock: life.clock, timers: life.timers, random: this.random.fork(`node ${stakeId}`) },
          statementSigner: stakeId === 0 ? undefined : new StatementSigner({ guard, signer, domain: DOMAIN }),
          tables: {
            records: await table('records'),
            floors: await table('floors'),
            receipts: await table('receipts'),
            places: await table('places'),
            kept: await table('kept'),
          },
          challenges: {
            isOpen: (digest, leaf) => this.openChallenges.has(`${Buffer.from(digest).toString('hex')} ${leaf}`),
            readUntilSeconds: () => this.chain.timestamp,
          },
          finalSeconds: () => this.chain.timestamp,
          ...(this.#options.hasRoom === undefined ? {} : { hasRoom: this.#options.hasRoom }),
          ...(this.#options.meshes === undefined ? {} : { meshes: this.#options.meshes }),
        },
      ),
    )
    dht.start()
    const ask: WorldNode['ask'] = (request, from) =>
      this.run(
        Promise.resolve(
          (handler as RequestHandler)(request, { address: signerOf(99).address, stakeId: undefined, ...from }),
        ),
      )
    const node: WorldNode = { stakeId, signer, dht, guard, metrics, offences, life, disk: own, ask }
    if (before === undefined) this.nodes.push(node)
    else this.nodes[this.nodes.indexOf(before)] = node
    return node
  }

  /** kill -9, and nobody in its place. */
  kill(stakeId: number): void {
    this.of(stakeId).life.end()
  }

  of(stakeId: number): WorldNode {
    const node = this.nodes.find((one) => one.stakeId === stakeId)
    if (node === undefined) throw new RangeError(`no node of stake ${stakeId}`)
    return node
  }

  get epoch(): number {
    return epochAt(this.time.nowMs() / 1000, this.params.epochSeconds)
  }

  /** Runs the world until `work` is settled. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.time.complete(work, LIMIT_MS)
  }

  async epochs(count: number): Promise<void> {
    await this.time.advance(count * this.params.epochSeconds * 1_000)
  }

  /** A PUT of `stakeId`, signed without its guard, as a liar or an earlier life may. */
  put(stakeId: number, said: PutSaid): DhtRecord {
    return this.puts(stakeId, [said], said)[0] as DhtRecord
  }

  /** Several under one signature. */
  puts(stakeId: number, bodies: readonly PutSaid[], at: { readonly epoch?: number; readonly index?: number } = {}) {
    const { epoch = this.epoch, index = 0 } = at
    const values = bodies.map(({ value = text('value') }) => value)
    const put = (said: PutSaid, value: Uint8Array): PutBody => ({
      keyType: KEY_TYPE.owner,
      keyPreimage: bytes32('name'),
      valueRoot: chunkRoot(value),
      size: value.length,
      expiryEpoch: BigInt(epoch + LIFE_EPOCHS),
      ...(said.body as object),
    })
    const packed = bodies.map((said, i) => encodePut(put(said, values[i] as Uint8Array)))
    const { digest, frame, signed } = say(signerOf(stakeId), { kind: KIND.put, epoch, index, bodies: packed })
    return readAll({ signed, bodies: packed, frame, digest }, values, stakeId)
  }
}

export interface PutSaid {
  readonly value?: Uint8Array
  readonly body?: Partial<PutBody>
  readonly epoch?: number
  readonly index?: number
}

function readAll(
  {
    bodies,
    digest,
    signed,
  }: Pick<SignedFrame, 'signed' | 'digest' | 'frame'> & { readonly bodies: readonly Uint8Array[] },
  values: readonly Uint8Array[],
  stakeId: number,
): DhtRecord[] {
  const frames = encodeLeafFrames(signed, bodies)
  return bodies.map((body, leaf) => {
    const put = decodePut(body)
    const rank = put.keyType === KEY_TYPE.cell ? put.cell.leaseNumber : 0n
    const signedPut: SignedPut = {
      ...{ put, putDigest: digest, signer: signed.signer, writerStakeId: stakeId },
      frame: frames[leaf] as Uint8Array,
      recordKey: recordKeyOf(put, stakeId),
      entry: entryOf(put, stakeId),
      version: { rank, position: signed.statement.position, leaf },
    }
    return { ...signedPut, value: values[leaf] as Uint8Array }
  })
}

export function signerOf(stakeId: number): Signer {
  return createSigner(bytes32(`node key of stake ${stakeId}`))
}

export const text = (words: string) => new Uint8Array(Buffer.from(words, 'utf8'))
export const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('utf8')

/** Bytes that no two seeds share and nothing compresses. */
export const bytesOf = (seed: string, length: number) => new SeededRandom(seed).bytes(length)

/** All of a value that comes in parts. */
export async function gather(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const part of parts) chunks.push(part)
  return new Uint8Array(Buffer.concat(chunks))
}
