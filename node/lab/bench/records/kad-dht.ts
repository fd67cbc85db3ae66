import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { PeerId } from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { until } from '../../network/until.ts'
import { mustEqual, NODES, type RecordNetwork, sampleValue } from './record-network.ts'

const VALUE_BYTES = 1024
const STREAMS = 1024
const SETTLE_TIMEOUT_MS = 120_000

/** Its table is public in its class and missing from its interface. */
type Dht = KadDHT & { readonly routingTable: { readonly size: number; add(peer: PeerId): Promise<void> } }
type Node = Libp2p<{ dht: Dht; identify: unknown; ping: unknown }>

/** `@libp2p/kad-dht` as its own documentation sets it up, with `k` closest peers holding a record, in memory. */
export async function kadDhtNetwork(k: number): Promise<RecordNetwork> {
  const start = async (clientMode: boolean): Promise<Node> =>
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
          clientMode,
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
  for (let index = 0; index < NODES; index++) nodes.push(await start(false))
  // All know all, as they would after their tables filled: what is measured is storing, not meeting.
  for (const [index, node] of nodes.entries()) {
    for (const other of nodes.slice(index + 1)) await link(node, other)
  }
  const writer = nodes[0] as Node
  // One that holds nothing itself: the others would find most records on their own disk.
  const reader = await start(true)
  for (const node of nodes) await link(reader, node)
  nodes.push(reader)
  await until('all tables are full', SETTLE_TIMEOUT_MS, async () => {
    const lacking = nodes.filter(({ services }) => services.dht.routingTable.size < Math.min(NODES - 1, k))
    // On a busy machine some of the pings time out that it sends a peer before it takes it in.
    for (const node of lacking) {
      for (const other of nodes.slice(0, NODES)) {
        if (other !== node) await node.services.dht.routingTable.add(other.peerId).catch(() => undefined)
      }
    }
    return lacking.length === 0
  })
  const keyOf = (index: number) => new TextEncoder().encode(`/bench/record ${index}`)
  const replicas = Math.min(NODES - 1, k)
  return {
    ways: [
      {
        name: `kad-dht k=${k}`,
        replicas,
        quorum: replicas,
        answers: 'the first',
        durable: 'in memory',
        remembers: false,
        valueBytes: VALUE_BYTES,
        prepare() {},
        async store(index) {
          let stored = 0
          for await (const event of writer.services.dht.put(keyOf(index), sampleValue(index, VALUE_BYTES))) {
            if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') stored++
          }
          if (stored === 0) throw new Error(`record ${index} was stored by no peer`)
          return {}
        },
        async retrieve(index) {
          for await (const event of reader.services.dht.get(keyOf(index))) {
            if (event.name === 'VALUE') return mustEqual(event.value, index, VALUE_BYTES)
          }
          throw new Error(`record ${index} was not found`)
        },
      },
    ],
    async stop() {
      for (const node of nodes) await node.stop()
    },
  }
}

/** Connects two nodes, however often a busy machine cuts the dial short. */
function link(from: Node, to: Node): Promise<unknown> {
  return until('two nodes are connected', SETTLE_TIMEOUT_MS, async () => {
    if (from.getConnections(to.peerId).length > 0) return true
    return from.dial(to.getMultiaddrs()).then(
      () => true,
      () => false,
    )
  })
}
