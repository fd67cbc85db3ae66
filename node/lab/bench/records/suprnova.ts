import { randomBytes } from 'node:crypto'
import { toHex } from '../../../core/index.ts'
import { type Dht, REPLICAS_DEFAULT } from '../../../dht/index.ts'
import { mustEqual, NODES, type RecordNetwork, type RecordWay, sampleValue } from './record-network.ts'
import { type BenchStake, connect, openRecordNode, type RecordNode } from './record-node.ts'

const VALUE_BYTES = 1024

/** R and W of the ways that are measured. 19 of 20 nodes are what `hyperdht` writes to. */
const QUORUMS = [
  { replicas: REPLICAS_DEFAULT, quorum: 2 },
  { replicas: REPLICAS_DEFAULT, quorum: REPLICAS_DEFAULT },
  { replicas: NODES - 1, quorum: 10 },
  { replicas: NODES - 1, quorum: NODES - 1 },
] as const

/**
 * Twenty nodes of the real code and a reader beside them that holds nothing. The writer is one of the twenty; names are
 * chosen so that it is no replica of them, for no peer stores at itself either.
 */
export async function suprnovaNetwork(options: { readonly inMemory: boolean }): Promise<RecordNetwork> {
  const stakes: BenchStake[] = Array.from({ length: NODES + 1 }, (_, index) => ({
    privateKey: toHex(new Uint8Array(randomBytes(32))),
    isPlaced: index < NODES,
  }))
  const nodes: RecordNode[] = []
  for (const index of stakes.keys()) nodes.push(await openRecordNode(stakes, index, options))
  for (const [index, node] of nodes.entries()) {
    await connect(
      node,
      nodes.slice(index + 1).map(({ network }) => network.multiaddrs()[0] as string),
    )
  }
  const writer = nodes[0]?.dht as Dht
  const reader = nodes[NODES]?.dht as Dht
  return {
    ways: QUORUMS.map((quorums) => wayOf(writer, reader, { ...options, ...quorums })),
    async stop() {
      for (const node of nodes.reverse()) await node.stop()
    },
  }
}

/** Stores at `writer` with W of R receipts, and reads with R - W + 1 verified answers at `reader`. */
export function wayOf(
  writer: Dht,
  reader: Dht,
  options: { readonly replicas: number; readonly quorum: number; readonly inMemory: boolean },
): RecordWay {
  const { replicas, quorum, inMemory } = options
  const owner = writer.ownStakeId as number
  const names: string[] = []
  let tried = 0
  return {
    name: `suprnova R=${replicas} W=${quorum}${inMemory ? ', not flushed' : ''}`,
    replicas,
    quorum,
    answers: String(replicas - quorum + 1),
    durable: inMemory ? 'in memory' : 'flushed',
    remembers: true,
    valueBytes: VALUE_BYTES,
    prepare(count) {
      while (names.length < count) {
        const name = `R=${replicas} W=${quorum} record ${tried++}`
        const { members } = writer.tables.setsOf(writer.states.keyOf(name), writer.reader.epoch(), replicas)
        if (!members.includes(owner)) names.push(name)
      }
    },
    async store(index) {
      const value = sampleValue(index, VALUE_BYTES)
      const { rest } = await writer.states.storeState(names[index] as string, value, { replicas, quorum })
      return { rest }
    },
    async retrieve(index) {
      const { record } = await reader.states.retrieveState(names[index] as string, { replicas, quorum, owner })
      mustEqual(record?.value, index, VALUE_BYTES)
    },
  }
}
