/**
 * One node of the real code in this process, for benchmarks. The first line of standard input holds its options (arguments
 * can be read by every user of a machine), each further one an order; each is answered with a line of JSON.
 */
import { createInterface } from 'node:readline'
import { measureLoad } from '../bench/records/load.ts'
import { memoryOf } from '../bench/records/memory.ts'
import type { NodeAnswer, NodeOrder, NodeProcessOptions } from '../bench/records/node-process.ts'
import { Profiling } from '../bench/records/profile.ts'
import type { RecordWay } from '../bench/records/record-network.ts'
import { connect, openRecordNode } from '../bench/records/record-node.ts'
import { wayOf } from '../bench/records/suprnova.ts'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const { index, stakes, ...options } = JSON.parse(String((await lines.next()).value)) as NodeProcessOptions
const startedAt = performance.now()
const node = await openRecordNode(stakes, index, options)
const openedMs = performance.now() - startedAt
const ways = new Map<string, RecordWay>()
let stored = 0
let profiling: Profiling | undefined

async function obey(order: NodeOrder): Promise<NodeAnswer> {
  switch (order.order) {
    case 'connect':
      await connect(node, order.addresses)
      return {}
    case 'load': {
      const { op, quorum, replicas, ...load } = order
      const inMemory = options.inMemory === true
      const name = `${replicas} ${quorum}`
      const way = ways.get(name) ?? wayOf(node.dht, node.dht, { replicas, quorum, inMemory })
      ways.set(name, way)
      if (op === 'retrieve') {
        return { load: await measureLoad(load, (at) => way.retrieve(at % stored).then(() => ({}))) }
      }
      const from = stored
      way.prepare(from + load.count)
      const result = await measureLoad(load, (at) => way.store(from + at))
      stored += result.done + result.failed
      return { load: result }
    }
    case 'profile':
      if (order.on) {
        profiling = await Profiling.start()
        return {}
      }
      return profiling === undefined ? {} : { profile: await profiling.stop() }
    case 'memory':
      return { memory: memoryOf(), indexed: node.metrics.read('suprnova_dht_repair_indexed_entries')[0]?.value ?? 0 }
    case 'cpu': {
      const { system, user } = process.cpuUsage()
      return { cpuMicros: user + system }
    }
  }
}

async function end(): Promise<void> {
  await node.stop()
  process.exit(0)
}

const answer = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())
answer({ address: node.network.multiaddrs()[0], openedMs, records: node.dht.stats().records })
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  answer(await obey(JSON.parse(line.value)))
}
// Standard input ended: whoever gave the orders is gone.
await end()
