import { type Address, fromHex, type Hex, type StakeRow, toHex } from '../../../core/index.ts'
import { Dht } from '../../../dht/index.ts'
import { createNetwork, type Network } from '../../../net/index.ts'
import { Admission, createSigner, keccak256, StatementSigner } from '../../../statements/index.ts'
import { until } from '../../network/until.ts'
import { BENCH_DOMAIN, BENCH_PARAMS, type BenchNodeOptions, openBenchNode, registryOf } from '../gossip-registry.ts'

const CONNECTED_WITHIN_MS = 120_000

/** The registry of a benchmark: the stake of number i + 1 has key i. */
export interface BenchStake {
  readonly privateKey: Hex
  /** Without one it may write, and holds nothing. */
  readonly isPlaced: boolean
}

export interface RecordNode {
  readonly dht: Dht
  readonly network: Network
  readonly metrics: Awaited<ReturnType<typeof openBenchNode>>['modules']['metrics']
  stop(): Promise<void>
}

/**
 * One node of the code that people run: libp2p with noise, stake and meter checked, guard, values' roots recomputed,
 * records in LMDB flushed before their receipts leave, receipts verified, repair. Only the registry is a stand-in:
 * there is no chain to follow.
 */
export async function openRecordNode(
  stakes: readonly BenchStake[],
  index: number,
  options: BenchNodeOptions = {},
): Promise<RecordNode> {
  const signers = stakes.map(({ privateKey }) => createSigner(fromHex(privateKey)))
  const registry = registryOf(signers)
  const rows = [...registry.speakers()].map((row): StakeRow => {
    const isPlaced = stakes[row.stakeId - 1]?.isPlaced === true
    return isPlaced ? { ...row, placement: placementOf(row.stakeId) } : row
  })
  const stakeView = {
    ...registry,
    atTime: () => ({ stakes: () => rows }),
    head: () => ({ number: 1n, hash: toHex(new Uint8Array(32)), timestamp: Date.now() / 1000, seenAtMs: Date.now() }),
  }
  const signer = signers[index] as (typeof signers)[number]
  const privateKey = fromHex((stakes[index] as BenchStake).privateKey)
  const node = await openBenchNode(signer.address, options)
  const { clock, guard, logger, metrics, offences, random, slotIndex, timers } = node.modules
  const own = { address: signer.address as Address, publicKey: signer.publicKey, guard }
  const admission = new Admission(
    { domain: BENCH_DOMAIN, params: BENCH_PARAMS },
    { stakeView, slotIndex, clock, offences, metrics, own },
  )
  const statementSigner = new StatementSigner({ guard, signer, domain: BENCH_DOMAIN })
  const network = await createNetwork(
    {
      ...{ domain: BENCH_DOMAIN, params: BENCH_PARAMS, listen: ['/ip4/127.0.0.1/tcp/0'] },
      ...{ privateAddresses: true, peersTarget: 1 },
    },
    { privateKey, stakeView, admission, statementSigner, clock, timers, random, metrics, logger },
  )
  const transport = network.requests('dht')
  await network.start()
  const dht = await Dht.open(
    { params: BENCH_PARAMS, domain: BENCH_DOMAIN, lagSeconds: 0, ownAddress: signer.address },
    {
      ...{ transport, stakeView, admission, statementSigner, clock, timers, random, metrics, logger },
      tables: node.tables,
      challenges: { isOpen: () => false, readUntilSeconds: () => Number.POSITIVE_INFINITY },
      finalSeconds: () => Date.now() / 1000,
    },
  )
  dht.start()
  return {
    dht,
    network,
    metrics,
    async stop() {
      await dht.stop()
      await network.stop()
      await node.close()
    },
  }
}

/** Connects a node with all of `addresses`, however long a busy machine takes for it. */
export function connect({ network }: RecordNode, addresses: readonly string[]): Promise<true> {
  return until(`${addresses.length} nodes are connected`, CONNECTED_WITHIN_MS, async () => {
    const connected = new Set(network.peers().map(({ peerId }) => peerId))
    const missing = addresses.filter((address) => !connected.has(address.split('/').at(-1) as string))
    for (const address of missing) {
      try {
        await network.dial(address)
      } catch (error) {
        // A dial that a busy machine cut short is made again until the time is up.
        if (!(error instanceof Error) || error.name !== 'TimeoutError') throw error
      }
    }
    return missing.length === 0
  })
}

function placementOf(stakeId: number): Hex {
  return toHex(keccak256(new Uint8Array(Buffer.from(`placement ${stakeId}`))))
}
