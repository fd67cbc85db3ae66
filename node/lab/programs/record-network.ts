/**
 * One network of twenty nodes in this process, for benchmarks of stores and reads. The first argument names it; each line
 * of standard input is an order, and is answered with a line of JSON.
 */
import { createInterface } from 'node:readline'
import { measureLoad } from '../bench/records/load.ts'
import type { LoadAnswer, LoadOrder } from '../bench/records/network-process.ts'
import { profiled } from '../bench/records/profile.ts'
import type { Done, RecordWay } from '../bench/records/record-network.ts'
import { Stock } from '../bench/records/stock.ts'
import { SYSTEMS } from '../bench/records/systems.ts'

const answer = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`)
const network = await SYSTEMS[process.argv[2] ?? '']?.()
if (network === undefined) throw new TypeError(`there is no system called ${process.argv[2]}`)

const stocks = new Map<RecordWay, Stock>()

async function obey({ op, way: name, isProfiled, ...load }: LoadOrder): Promise<LoadAnswer> {
  const way = network?.ways.find((way) => way.name === name)
  if (way === undefined) throw new TypeError(`there is no way called ${name}`)
  const stock = stocks.get(way) ?? new Stock(way)
  stocks.set(way, stock)
  const operation = op === 'store' ? storing(way, stock.stored, load.count) : reading(way, stock.toRead(load.count))
  const run = () => measureLoad(load, operation)
  const { profile, result } = isProfiled ? await profiled(run) : { result: await run(), profile: undefined }
  stock[op === 'store' ? 'store' : 'read'](result.done + result.failed)
  return { result, profile }
}

function storing(way: RecordWay, from: number, count: number): (at: number) => Promise<Done> {
  way.prepare(from + count)
  return (at) => way.store(from + at)
}

function reading(way: RecordWay, indexOf: (at: number) => number): (at: number) => Promise<Done> {
  return async (at) => {
    await way.retrieve(indexOf(at))
    return {}
  }
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
