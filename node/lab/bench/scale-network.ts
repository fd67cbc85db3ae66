import type { ProtocolParams } from '../../core/index.ts'
import { REPLICAS_DEFAULT, type ReplicaTable, ShareIndex, SortedReplicaTable } from '../../dht/index.ts'
import { epochAt } from '../../statements/index.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { CALM_NETWORK } from '../simulation/simulated-network.ts'
import type { SimulatedNode } from '../simulation/simulated-node.ts'
import { SimulatedWorld } from '../simulation/simulated-world.ts'
import { median } from './bench.ts'
import { memoryOf } from './records/memory.ts'

const PARAMS: ProtocolParams = {
  epochSeconds: 10,
  putLimit: 65_536,
  gossipLimit: 65_536,
  receiptLimit: 65_536,
  receiptLifeSeconds: 600,
  responseSeconds: 30,
  responseBlocks: 10,
  evidenceWindowSeconds: 600,
  skewSeconds: 10,
  unbondingSeconds: 1_500,
  rewardWindowSeconds: 30,
  jailSeconds: 60,
  correlationSeconds: 1_200,
  drawDelayBlocks: 2,
}
const EPOCH_MS = PARAMS.epochSeconds * 1_000
const LAG_SECONDS = 5
const VALUE_BYTES = 1_024
/** STORE, LIST and DIGEST: `node/dht/protocol/messages.ts`. Without clients all of them are repair. */
const REPAIR_OPERATIONS = { store: 1, list: 3, digest: 4 } as const
const READS = 200
/** Replica tables made to see what one takes. */
const TABLES_MEASURED = 200
const WITHIN_MS = 60_000

/** What became of one departure of stakes. */
export interface DepartureFacts {
  readonly left: number
  /** Records whose new replicas lacked them, as bytes of PUT frame and value: what must move, whoever does it. */
  readonly dueBytes: number
  /** Bytes of STORE requests and answers until all were where they belong. */
  readonly storeBytes: number
  /** Bytes of LISTs and DIGESTs in that time. */
  readonly askedBytes: number
  /** Epochs from the first without the stakes until every replica held every record. */
  readonly epochs: number
  /** Records that no replica held in the end. */
  readonly lost: number
}

export interface NetworkFacts {
  readonly nodes: number
  readonly records: number
  /** Simulated milliseconds of each store and read. */
  readonly storeMs: readonly number[]
  readonly readMs: readonly number[]
  /** Records held, by node. */
  readonly held: readonly number[]
  /** Bytes of LISTs and DIGESTs a node sends and gets in an epoch in which nothing changes. */
  readonly idleBytesPerNode: number
  readonly departures: readonly DepartureFacts[]
}

/**
 * A network of simulated nodes of real logic: stores and reads, and what repair moves when stakes leave in order.
 * @param shares which parts of the stakes leave, one after the other
 */
export async function playNetwork(
  nodes: number,
  recordsPerNode: number,
  shares: readonly number[],
): Promise<NetworkFacts> {
  const world = new SimulatedWorld({
    ...{ seed: `scale ${nodes}`, params: PARAMS, lagSeconds: LAG_SECONDS, nodes, network: CALM_NETWORK },
  })
  const { time } = world
  const random = world.random.fork('scale')
  world.startAll()
  await time.advance(EPOCH_MS)

  // 1. Stores, a few at a time, and reads by others.
  const keys: Uint8Array[] = []
  const storeMs: number[] = []
  const readMs: number[] = []
  const owners = [...world.nodes.values()].flatMap((node) => Array<SimulatedNode>(recordsPerNode).fill(node))
  for (const [index, node] of random.shuffle(owners).entries()) {
    time.after((index * EPOCH_MS) / owners.length, `${node.name} stores`, () => {
      const startedMs = time.nowMs()
      void node.process?.dht.states
        .storeState(`record ${index}`, random.bytes(VALUE_BYTES))
        .then(({ recordKey, rest }) => {
          keys.push(recordKey)
          storeMs.push(time.nowMs() - startedMs)
          return rest
        })
    })
  }
  await time.advance(EPOCH_MS)
  await time.advanceUntil(() => keys.length === owners.length, WITHIN_MS)
  for (let read = 0; read < READS; read++) {
    const startedMs = time.nowMs()
    const recordKey = random.pick(keys) as Uint8Array
    const reader = random.pick([...world.nodes.values()]) as SimulatedNode
    const found = reader.process?.dht.client.read({ recordKey, entry: new Uint8Array(32) })
    if (found !== undefined) await time.complete(found, WITHIN_MS)
    readMs.push(time.nowMs() - startedMs)
  }

  // 2. An epoch in which nothing changes.
  await untilNextEpoch(world)
  await time.advance(EPOCH_MS)
  const before = askedBytes(world)
  await time.advance(EPOCH_MS)
  const idleBytesPerNode = (askedBytes(world) - before) / nodes
  const held = [...world.nodes.values()].map(({ process }) => process?.dht.stats().records ?? 0)

  // 3. Departures.
  const departures: DepartureFacts[] = []
  for (const share of shares) departures.push(await leave(world, random, Math.max(1, Math.round(share * nodes)), keys))
  return { nodes, records: keys.length, storeMs, readMs, held, idleBytesPerNode, departures }
}

/** Stakes unbond; their nodes run on until the first epoch without them is over, as nodes that drain do. */
async function leave(
  world: SimulatedWorld,
  random: SeededRandom,
  count: number,
  keys: readonly Uint8Array[],
): Promise<DepartureFacts> {
  const { chain, time } = world
  await untilNextEpoch(world)
  const there = [...world.nodes.values()].filter(({ isRunning }) => isRunning)
  const tableBefore = tableOf(world)
  const leaving = random.shuffle(there).slice(0, count)
  for (const { stakeId } of leaving) chain.unbond(stakeId)
  const gone = new Set(leaving.map(({ stakeId }) => stakeId))
  while (tableOf(world).size !== tableBefore.size - count) await time.advance(1_000)
  const tableAfter = tableOf(world)

  // A record of a stake that left is nobody's to keep.
  const kept = keys.filter((key) => ownersOf(world, key).some((owner) => !gone.has(owner)))
  let dueBytes = 0
  for (const key of kept) {
    const old = tableBefore.closest(key, REPLICAS_DEFAULT)
    const lacking = tableAfter.closest(key, REPLICAS_DEFAULT).filter((stakeId) => !old.includes(stakeId))
    dueBytes += lacking.length * bytesOf(world, key)
  }
  const start = { store: storeBytes(world), asked: askedBytes(world), atMs: time.nowMs() }
  const isWhole = () =>
    kept.every((key) => tableAfter.closest(key, REPLICAS_DEFAULT).every((id) => holds(world, id, key)))
  for (let epoch = 0; epoch < 6 && !isWhole(); epoch++) {
    await time.advance(EPOCH_MS / 2)
    if (epoch === 1) for (const node of leaving) node.kill()
  }
  for (const node of leaving) node.kill()
  const lost = kept.filter(
    (key) => !tableAfter.closest(key, REPLICAS_DEFAULT).some((id) => holds(world, id, key)),
  ).length
  return {
    ...{ left: count, dueBytes, lost },
    storeBytes: storeBytes(world) - start.store,
    askedBytes: askedBytes(world) - start.asked,
    epochs: (time.nowMs() - start.atMs) / EPOCH_MS,
  }
}

async function untilNextEpoch({ time }: SimulatedWorld): Promise<void> {
  await time.advance(EPOCH_MS - (time.nowMs() % EPOCH_MS) + 1)
}

/** The replica table of this epoch, as any node of the right time has it. */
function tableOf({ nodes, time }: SimulatedWorld): ReplicaTable {
  const epoch = epochAt(time.nowMs() / 1_000, PARAMS.epochSeconds)
  for (const { process } of nodes.values()) {
    const table = process?.dht.tables.table(epoch)
    if (table !== undefined) return table
  }
  throw new RangeError('scale: no node has a replica table')
}

function held(world: SimulatedWorld, stakeId: number, recordKey: Uint8Array) {
  return world.nodes.get(stakeId)?.process?.dht.replica.book.current({ recordKey, entry: new Uint8Array(32) })
}

function holds(world: SimulatedWorld, stakeId: number, recordKey: Uint8Array): boolean {
  return held(world, stakeId, recordKey) !== undefined
}

function ownersOf(world: SimulatedWorld, recordKey: Uint8Array): readonly number[] {
  for (const stakeId of tableOf(world).closest(recordKey, 2 * REPLICAS_DEFAULT)) {
    const record = held(world, stakeId, recordKey)
    if (record !== undefined) return [record.writerStakeId]
  }
  return []
}

function bytesOf(world: SimulatedWorld, recordKey: Uint8Array): number {
  for (const stakeId of tableOf(world).closest(recordKey, 2 * REPLICAS_DEFAULT)) {
    const record = held(world, stakeId, recordKey)
    if (record !== undefined) return record.frame.length + record.size
  }
  return 0
}

const storeBytes = ({ network }: SimulatedWorld) => network.traffic(REPAIR_OPERATIONS.store).bytes
const askedBytes = ({ network }: SimulatedWorld) =>
  network.traffic(REPAIR_OPERATIONS.list).bytes + network.traffic(REPAIR_OPERATIONS.digest).bytes

/** How evenly keys fall on stakes. */
export interface BalanceFacts {
  readonly meanRecords: number
  /** Most records of one stake, over the mean. */
  readonly maxOverMean: number
  /** The same if every stake were as likely as every other: what chance alone does. */
  readonly evenMaxOverMean: number
  /** Bytes one replica table takes in memory. */
  readonly tableBytes: number
}

/** Drawn placements and keys, the real tables. */
export function measureBalance(nodes: number, keysPerStake: number): BalanceFacts {
  const random = new SeededRandom(`balance ${nodes}`)
  const placed = Array.from({ length: nodes }, (_, index) => ({ stakeId: index + 1, placement: random.bytes(32) }))
  const heapBefore = memory()
  const tables = Array.from({ length: TABLES_MEASURED }, (_, epoch) => new SortedReplicaTable(epoch, placed))
  const tableBytes = Math.max(0, memory() - heapBefore) / tables.length
  const [table] = tables as [SortedReplicaTable]
  const real = new Float64Array(nodes + 1)
  const even = new Float64Array(nodes + 1)
  const keys = keysPerStake * nodes
  for (let key = 0; key < keys; key++) {
    for (const stakeId of table.closest(random.bytes(32), REPLICAS_DEFAULT))
      real[stakeId] = (real[stakeId] as number) + 1
    const drawn = new Set<number>()
    while (drawn.size < REPLICAS_DEFAULT) drawn.add(1 + random.below(nodes))
    for (const stakeId of drawn) even[stakeId] = (even[stakeId] as number) + 1
  }
  const meanRecords = (keys * REPLICAS_DEFAULT) / nodes
  const maxOverMean = Math.max(...real) / meanRecords
  return { meanRecords, maxOverMean, evenMaxOverMean: Math.max(...even) / meanRecords, tableBytes }
}

/** Bytes an entry takes in the index of shared records, over 100,000 of them: the middle of five, after one to warm up. */
export function measureShareIndex(): number {
  indexBytes()
  return median(Array.from({ length: 5 }, indexBytes))
}

function indexBytes(): number {
  const entries = 100_000
  const random = new SeededRandom('index')
  const before = memory()
  const index = new ShareIndex(REPLICAS_DEFAULT, random.bytes(16))
  for (let at = 0; at < entries; at++) {
    const recordKey = random.bytes(32)
    const version = { rank: 0n, position: BigInt(at), leaf: 0 }
    index.set({ recordKey, entry: new Uint8Array(32), version, putEpoch: 1, expiryEpoch: 9 }, [1, 2, 3])
  }
  const bytes = (memory() - before) / entries
  return index.size === entries ? bytes : Number.NaN
}

function memory(): number {
  const { arrays, heap } = memoryOf()
  return heap + arrays
}
