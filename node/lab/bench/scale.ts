import { type Bench, type BenchAim, median, quantileOf, thisMachine } from './bench.ts'
import {
  type BalanceFacts,
  measureBalance,
  measureShareIndex,
  type NetworkFacts,
  playNetwork,
} from './scale-network.ts'
import { KadNetwork, type WalkFacts } from './scale-walk.ts'

const SIZES = [50, 100, 200, 500, 1_000]
const QUICK_SIZES = [20, 50]
const WALKS = 60
const QUICK_WALKS = 10
const RECORDS_PER_NODE = 4
const KEYS_PER_STAKE = 200
const LEAVING_SHARES = [0.01, 0.1]

/**
 * What grows with the network, and how. Walks: kad-dht's own tables, queries and answers, with calls in place of sockets.
 * Records: nodes of real logic in the simulation. Balance: the real replica tables over drawn placements and keys.
 */
export const bench: Bench = {
  name: 'scale',
  summary: 'hops of discoverPeers, balance, repair traffic, table sizes, to 1,000 nodes of real logic',
  async run({ log, quick }) {
    const sizes = quick ? QUICK_SIZES : SIZES
    // Memory first: what the rest leaves behind would be counted with it.
    const indexBytes = measureShareIndex()
    const balances = sizes.map((nodes) => measureBalance(nodes, KEYS_PER_STAKE))
    const walks: WalkFacts[] = []
    const kad = new KadNetwork('scale')
    for (const nodes of sizes) {
      const joined = walks.at(-1)?.nodes ?? 0
      for (let at = joined; at < nodes; at++) await kad.join()
      const facts = await kad.walk(quick ? QUICK_WALKS : WALKS)
      walks.push(facts)
      log(`${nodes} nodes: ${mean(facts.hops).toFixed(2)} hops, ${mean(facts.asked).toFixed(0)} asked`)
    }
    await kad.stop()
    const networks: NetworkFacts[] = []
    for (const nodes of sizes) {
      const started = performance.now()
      networks.push(await playNetwork(nodes, RECORDS_PER_NODE, LEAVING_SHARES))
      log(`${nodes} nodes simulated in ${((performance.now() - started) / 1_000).toFixed(0)} s`)
    }
    const rows = sizes.map((nodes, at) => {
      const [walk, network] = [walks[at] as WalkFacts, networks[at] as NetworkFacts]
      return rowOf(nodes, { walk, network, balance: balances[at] as BalanceFacts, indexBytes })
    })
    return {
      name: 'scale',
      machine: thisMachine(),
      command: `suprnova bench scale${quick ? ' --quick' : ''}`,
      rows,
      aims: aimsOf(walks, networks),
    }
  },
}

interface RowFacts {
  readonly walk: WalkFacts
  readonly network: NetworkFacts
  readonly balance: BalanceFacts
  readonly indexBytes: number
}

function rowOf(nodes: number, { balance, indexBytes, network, walk }: RowFacts) {
  const departures = network.departures.flatMap((departure, at) => {
    const share = `${Math.round((LEAVING_SHARES[at] as number) * 100)} %`
    return [
      [`${share} leave: KiB that had to move`, (departure.dueBytes / 1_024).toFixed(0)],
      [`${share}: KiB sent, over that`, ratio(departure.storeBytes, departure.dueBytes)],
      [`${share}: KiB of questions`, (departure.askedBytes / 1_024).toFixed(0)],
      [`${share}: epochs`, departure.epochs.toFixed(1)],
    ] as const
  })
  return {
    nodes,
    'hops, mean': mean(walk.hops).toFixed(2),
    'hops, most': Math.max(...walk.hops),
    'peers asked, mean': mean(walk.asked).toFixed(0),
    'closest found': `${walk.exact} of ${walk.hops.length}`,
    'routing table, mean': mean(walk.tableSizes).toFixed(0),
    'records, most over mean': balance.maxOverMean.toFixed(2),
    'by chance alone': balance.evenMaxOverMean.toFixed(2),
    'replica table, KiB': (balance.tableBytes / 1_024).toFixed(0),
    'index, bytes an entry': indexBytes.toFixed(0),
    'store p50, simulated ms': median(network.storeMs).toFixed(1),
    'store p99': quantileOf(network.storeMs, 0.99).toFixed(1),
    'read p50': median(network.readMs).toFixed(1),
    'idle repair, bytes a node and epoch': network.idleBytesPerNode.toFixed(0),
    ...Object.fromEntries(departures),
  }
}

function aimsOf(walks: readonly WalkFacts[], networks: readonly NetworkFacts[]): BenchAim[] {
  const { correlation, slope } = fitOf(
    walks.map(({ nodes }) => Math.log2(nodes)),
    walks.map(({ hops }) => mean(hops)),
  )
  const departures = networks.flatMap(({ departures: all }) => all)
  const worst = Math.max(...departures.map(({ dueBytes, storeBytes }) => (dueBytes === 0 ? 0 : storeBytes / dueBytes)))
  const lost = departures.reduce((sum, one) => sum + one.lost, 0)
  const stores = networks.map(({ storeMs }) => median(storeMs))
  const growth = (stores.at(-1) as number) / (stores[0] as number)
  return [
    {
      aim: 'hops of discoverPeers grow as log2 N: correlation at least 0.9',
      measured: `${correlation.toFixed(3)}, ${slope.toFixed(2)} hops for twice the nodes`,
      met: correlation >= 0.9,
    },
    { aim: 'no record is lost when 1 % and then 10 % leave', measured: `${lost} lost`, met: lost === 0 },
    {
      aim: 'repair sends at most twice the bytes that had to move',
      measured: `${worst.toFixed(2)} times at worst`,
      met: worst <= 2,
    },
    {
      aim: 'a store takes as long in the largest network as in the smallest, within a quarter',
      measured: `${growth.toFixed(2)} times`,
      met: growth <= 1.25,
    },
  ]
}

/** Least squares of y over x, and Pearson's correlation. */
function fitOf(xs: readonly number[], ys: readonly number[]): { readonly slope: number; readonly correlation: number } {
  const [meanX, meanY] = [mean(xs), mean(ys)]
  let [xx, xy, yy] = [0, 0, 0]
  for (const [at, x] of xs.entries()) {
    const [dx, dy] = [x - meanX, (ys[at] as number) - meanY]
    xx += dx * dx
    xy += dx * dy
    yy += dy * dy
  }
  return { slope: xy / xx, correlation: xy / Math.sqrt(xx * yy) }
}

function ratio(part: number, whole: number): string {
  return whole === 0 ? 'nothing had to' : (part / whole).toFixed(2)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
