/**
 * One network of twenty nodes in this process, for benchmarks of stores and reads. The first argument names it; each line
 * of standard input is an order, and is answered with a line of JSON.
 */
import { createInterface } from 'node:readline'
import { measureLoad } from '../bench/records/load.ts'
import type { LoadAnswer, LoadOrder } from '../bench/records/network-process.ts'
import { profiled } from '../bench/records/profile.ts'
import type { RecordWay } from '../bench/records/record-network.ts'
import { SYSTEMS } from '../bench/records/systems.ts'

const answer = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`)
const network = await SYSTEMS[process.argv[2] ?? '']?.()
if (network === undefined) throw new TypeError(`there is no system called ${process.argv[2]}`)

/** How many records of each way are stored, and how many of them were read. */
const stored = new Map<RecordWay, number>()
const read = new Map<RecordWay, number>()

async function obey({ op, way: name, isProfiled, ...load }: LoadOrder): Promise<LoadAnswer> {
  const way = network?.ways.find((way) => way.name === name)
  if (way === undefined) throw new TypeError(`there is no way called ${name}`)
  const counted = op === 'store' ? stored : read
  const from = counted.get(way) ?? 0
  const limit = op === 'store' ? load.count : Math.min(load.count, (stored.get(way) ?? 0) - from)
  if (op === 'store') way.prepare(from + limit)
  const operation = {
    store: (index: number) => way.store(from + index),
    retrieve: (index: number) => way.retrieve(from + index).then(() => ({})),
  }[op]
  const run = () => measureLoad({ ...load, count: limit }, operation)
  const { profile, result } = isProfiled ? await profiled(run) : { result: await run(), profile: undefined }
  counted.set(way, from + result.done + result.failed)
  return { result, profile }
}

let working: Promise<void> = Promise.resolve()
createInterface({ input: process.stdin })
  .on('line', (line) => {
    working = working.then(async () => answer(await obey(JSON.parse(line))))
  })
  .on('close', () => void end())
async function end(): Promise<void> {
  await network?.stop()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end())
answer(network.ways)
