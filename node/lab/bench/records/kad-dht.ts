import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { until } from '../../network/until.ts'
import { mustEqual, NODES, type RecordNetwork, sampleValue } from './record-network.ts'

const VALUE_BYTES = 1024
const STREAMS = 1024
const SETTLE_TIMEOUT_MS = 60_000

/** Its table is public in its class and missing from its interface. */
type Dht = KadDHT & { readonly routingTable: { readonly size: number } }
type Node = Libp2p<{ dht: Dht; identify: unknown; ping: unknown }>

/** `@libp2p/kad-dht` as its own documentation sets it up, with `k` closest peers holding a record, in memory. */
export async function kadDhtNetwork(k: number): Promise<RecordNetwork> {
  const start = async (): Promise<Node> =>
    (await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionManager: { inboundConnectionThreshold: 1000, maxIncomingPendingConnections: 1000 },
      connectionMonitor: { enabled: false },
      services: {
        identify: identify(),
        ping: ping({ maxInboundStreams: STREAMS, maxOutboundStreams: STREAMS }),
        dht: kadDHT({
          protocol: '/bench/kad/1.0.0',
          clientMode: false,
          peerInfoMapper: passthroughMapper,
          allowQueryWithZeroPeers: true,
          kBucketSize: k,
          maxInboundStreams: STREAMS,
          maxOutboundStreams: STREAMS,
          validators: { bench: async () => undefined },
          selectors: { bench: () => 0 },
        }),
      },
    })) as Node
  const nodes: Node[] = []
  for (let index = 0; index < NODES; index++) nodes.push(await start())
  // All know all, as they would after their tables filled: what is measured is storing, not meeting.
  for (const [index, node] of nodes.entries()) {
    for (const other of nodes.slice(index + 1)) await node.dial(other.getMultiaddrs())
  }
  await until('all tables are full', SETTLE_TIMEOUT_MS, () =>
    nodes.every(({ services }) => services.dht.routingTable.size >= Math.min(NODES - 1, k)),
  )
  const client = nodes[0] as Node
  const keyOf = (index: number) => new TextEncoder().encode(`/bench/record ${index}`)
  return {
    name: `kad-dht put k=${k}`,
    replicas: k,
    durable: false,
    valueBytes: VALUE_BYTES,
    async store(index) {
      let stored = 0
      for await (const event of client.services.dht.put(keyOf(index), sampleValue(index, VALUE_BYTES))) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') stored++
      }
      if (stored === 0) throw new Error(`record ${index} was stored by no peer`)
    },
    async retrieve(index) {
      for await (const event of client.services.dht.get(keyOf(index))) {
        if (event.name === 'VALUE') return mustEqual(event.value, index, VALUE_BYTES)
      }
      throw new Error(`record ${index} was not found`)
    },
    async stop() {
      for (const node of nodes) await node.stop()
    },
  }
}
