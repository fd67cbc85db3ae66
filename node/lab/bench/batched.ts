import { Processes } from '../network/processes.ts'
import {
  type Bench,
  type BenchAim,
  type BenchOptions,
  type BenchProfile,
  type BenchReport,
  median,
  thisMachine,
} from './bench.ts'
import { profileOf } from './records/comparison.ts'
import type { LoadResult } from './records/load.ts'
import { benchStakes, NodeProcess } from './records/node-process.ts'

const REPLICAS = 3
const AIM_PER_SECOND = 5_000
const AIM_AT_ONCE = 64
/** 64 is the aim's; more show what the machine gives when the client waits for nobody. */
const AT_ONCE = [16, AIM_AT_ONCE, 256] as const
const PROFILED_SECONDS = 3

/** One load and what it cost, process by process. */
export interface BatchedRound extends LoadResult {
  /** Microseconds of CPU a record: of the client, and of one replica. */
  readonly clientMicros: number
  readonly replicaMicros: number
  /** CPU of all processes a second of the run: 1 is one core. */
  readonly allCores: number
}

interface Cluster {
  readonly durable: string
  readonly client: NodeProcess
  readonly replicas: readonly NodeProcess[]
}

/** Three replicas and a client, each in its own process and directory. The client's names are chosen so that it holds none. */
async function openCluster(inMemory: boolean, processes: Processes): Promise<Cluster> {
  const stakes = benchStakes(REPLICAS + 1)
  const nodes = await Promise.all(stakes.map((_, index) => NodeProcess.open({ stakes, index, inMemory }, processes)))
  for (const [index, node] of nodes.entries()) await node.connect(nodes.slice(index + 1))
  const [client, ...replicas] = nodes as [NodeProcess, ...NodeProcess[]]
  return { durable: inMemory ? 'in memory' : 'flushed', client, replicas }
}

async function measure({ client, replicas }: Cluster, concurrency: number, seconds: number): Promise<BatchedRound> {
  const cpu = () => Promise.all([client, ...replicas].map((node) => node.cpuMicros()))
  const before = await cpu()
  const count = Math.ceil(AIM_PER_SECOND * 2 * seconds)
  const load = await client.load({ op: 'store', replicas: REPLICAS, quorum: 2, concurrency, seconds, count })
  const took = (await cpu()).map((micros, index) => micros - (before[index] as number))
  const [ofClient = 0, ...ofReplicas] = took
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  return {
    ...load,
    clientMicros: ofClient / load.done,
    replicaMicros: sum(ofReplicas) / load.done / REPLICAS,
    allCores: sum(took) / 1e6 / load.seconds,
  }
}

async function profilesOf(cluster: Cluster, seconds: number): Promise<BenchProfile[]> {
  const [replica] = cluster.replicas as [NodeProcess, ...NodeProcess[]]
  const profiled = [cluster.client, replica]
  for (const node of profiled) await node.profile(true)
  await measure(cluster, AIM_AT_ONCE, seconds)
  const profiles: BenchProfile[] = []
  for (const [index, node] of profiled.entries()) {
    const profile = await node.profile(false)
    const who = index === 0 ? 'the client' : 'one replica'
    if (profile !== undefined) profiles.push(profileOf(`${who}, ${AIM_AT_ONCE} at once, ${cluster.durable}`, profile))
  }
  return profiles
}

/** The aim, by the rounds with records flushed and the aim's number in flight. */
export function batchedAim(rounds: readonly Pick<LoadResult, 'perSecond'>[]): BenchAim {
  const perSecond = median(rounds.map((round) => round.perSecond))
  return {
    aim: `${AIM_AT_ONCE} stores in flight, R=3: at least 5,000 records a second through 3 replica processes on 2 cores`,
    measured: `${Math.round(perSecond)} a second`,
    met: perSecond >= AIM_PER_SECOND,
  }
}

async function run({ quick, log }: BenchOptions): Promise<BenchReport> {
  const rounds = quick ? 1 : 3
  const seconds = quick ? 0.5 : 4
  const processes = new Processes()
  try {
    const clusters = [await openCluster(false, processes), await openCluster(true, processes)]
    log('two networks of 3 replicas and a client, each node in a process of its own')
    const cells = clusters.flatMap((cluster) =>
      AT_ONCE.map((concurrency) => ({ cluster, concurrency, rounds: [] as BatchedRound[] })),
    )
    // The first records pay for code that is not compiled yet.
    for (const cluster of clusters) await measure(cluster, AIM_AT_ONCE, seconds / 2)
    for (let round = 1; round <= rounds; round++) {
      for (const cell of cells) cell.rounds.push(await measure(cell.cluster, cell.concurrency, seconds))
      log(`round ${round} of ${rounds}`)
    }
    const [flushed] = clusters as [Cluster, ...Cluster[]]
    const profiles = await profilesOf(flushed, Math.min(PROFILED_SECONDS, seconds))
    const aimed = cells.find(({ cluster, concurrency }) => cluster === flushed && concurrency === AIM_AT_ONCE)
    return {
      name: bench.name,
      machine: thisMachine(),
      command: `suprnova bench batched${quick ? ' --quick' : ''}`,
      rows: cells.map(({ cluster, concurrency, rounds }) => rowOf(cluster.durable, concurrency, rounds)),
      aims: [batchedAim(aimed?.rounds ?? [])],
      profiles,
    }
  } finally {
    await processes.stop()
  }
}

function rowOf(durable: string, concurrency: number, rounds: readonly BatchedRound[]): Record<string, string | number> {
  const of = (key: keyof BatchedRound & (keyof LoadResult | 'clientMicros' | 'replicaMicros' | 'allCores')) =>
    median(rounds.map((round) => Number(round[key])))
  return {
    system: 'suprnova R=3 W=2',
    durable,
    'at once': concurrency,
    perSecond: Math.round(of('perSecond')),
    p50Ms: Number(of('p50Ms').toFixed(2)),
    p99Ms: Number(of('p99Ms').toFixed(2)),
    cores: Number(of('allCores').toFixed(2)),
    'client CPU us a record': Math.round(of('clientMicros')),
    'replica CPU us a record': Math.round(of('replicaMicros')),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
  }
}

export const bench: Bench = {
  name: 'batched',
  summary: 'Stores that share statements, through 3 replica processes',
  run,
}
