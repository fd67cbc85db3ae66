import { randomBytes } from 'node:crypto'
import { type Address, type StakeRow, toHex } from '../../../core/index.ts'
import { Dht } from '../../../dht/index.ts'
import { createNetwork, type Network } from '../../../net/index.ts'
import { Admission, createSigner, keccak256, StatementSigner } from '../../../statements/index.ts'
import { until } from '../../network/until.ts'
import { BENCH_DOMAIN, BENCH_PARAMS, openBenchNode, registryOf } from '../gossip-registry.ts'
import { mustEqual, NODES, type RecordNetwork, sampleValue } from './record-network.ts'

const VALUE_BYTES = 1024
const CONNECTED_WITHIN_MS = 60_000

export interface SuprnovaNetworkOptions {
  /** R, and after how many receipts a store is done. */
  readonly replicas: number
  readonly quorum: number
  readonly nodes?: number
  /** Records in memory, to show what flushing costs; the real node never runs so. */
  readonly inMemory?: boolean
  readonly valueBytes?: number
}

export interface SuprnovaNetwork extends RecordNetwork {
  readonly dhts: readonly Dht[]
}

/**
 * The code that nodes run: libp2p with noise, stake and meter checked, guard, values' roots recomputed, records in LMDB
 * flushed before their receipts leave, receipts verified. Only the registry is a stand-in: there is no chain to follow.
 */
export async function suprnovaRecords(options: SuprnovaNetworkOptions): Promise<SuprnovaNetwork> {
  const count = options.nodes ?? NODES
  const valueBytes = options.valueBytes ?? VALUE_BYTES
  const keys = Array.from({ length: count }, () => randomBytes(32))
  const signers = keys.map((key) => createSigner(key))
  const registry = registryOf(signers)
  const rows = [...registry.speakers()].map((row): StakeRow => ({ ...row, placement: placementOf(row.stakeId) }))
  const stakeView = {
    ...registry,
    atTime: () => ({ stakes: () => rows }),
    head: () => ({ number: 1n, hash: toHex(new Uint8Array(32)), timestamp: Date.now() / 1000, seenAtMs: Date.now() }),
  }
  const closers: (() => Promise<void>)[] = []
  const networks: Network[] = []
  const dhts: Dht[] = []
  for (const [index, privateKey] of keys.entries()) {
    const signer = signers[index]!
    const node = await openBenchNode(signer.address, options.inMemory === true)
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
        ...{ privateAddresses: true, peersTarget: count },
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
    networks.push(network)
    dhts.push(dht)
    closers.push(async () => {
      await dht.stop()
      await network.stop()
      await node.close()
    })
  }
  for (const [index, network] of networks.entries()) {
    for (const other of networks.slice(index + 1)) await network.dial(other.multiaddrs()[0] as string)
  }
  await until('all are connected', CONNECTED_WITHIN_MS, () =>
    networks.every((network) => network.peers().length >= count - 1),
  )
  const client = dhts[0] as Dht
  const quorums = { replicas: options.replicas, quorum: options.quorum }
  return {
    name: `suprnova R=${options.replicas} W=${options.quorum}${options.inMemory === true ? ', not flushed' : ''}`,
    replicas: options.replicas,
    durable: options.inMemory !== true,
    valueBytes,
    dhts,
    async store(index) {
      await client.states.storeState(`record ${index}`, sampleValue(index, valueBytes), quorums)
    },
    async retrieve(index) {
      const { record } = await client.states.retrieveState(`record ${index}`, quorums)
      mustEqual(record?.value, index, valueBytes)
    },
    async stop() {
      for (const close of closers.reverse()) await close()
    },
  }
}

function placementOf(stakeId: number) {
  return toHex(keccak256(new Uint8Array(Buffer.from(`placement ${stakeId}`))))
}
