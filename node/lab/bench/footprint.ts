import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Processes } from '../network/processes.ts'
import { until } from '../network/until.ts'
import { type Bench, type BenchOptions, type BenchReport, thisMachine } from './bench.ts'
import { profileOf } from './records/comparison.ts'
import type { MemoryParts } from './records/memory.ts'
import { benchStakes, NodeProcess } from './records/node-process.ts'

const RECORDS = 100_000
const QUICK_RECORDS = 2_000
const AT_ONCE = 64
/** A phase of repair begins at most so long after the last: half an epoch of 60 s and a quarter of that. */
const INDEXED_WITHIN_MS = 90_000

interface Reading {
  readonly when: string
  readonly memory: MemoryParts
}

async function run({ quick, log }: BenchOptions): Promise<BenchReport> {
  const records = quick ? QUICK_RECORDS : RECORDS
  const processes = new Processes()
  const directory = await mkdtemp(join(tmpdir(), 'suprnova-bench-'))
  try {
    // The node and its directory stay; two stakes, so that the client's names can be those it does not hold.
    const stakes = benchStakes(2)
    const holder = { stakes, index: 1, directory }
    const readings: Reading[] = []
    const read = async (when: string, node: NodeProcess) => {
      const memory = await node.memory()
      readings.push({ when, memory })
      return memory
    }
    const client = await NodeProcess.open({ stakes, index: 0 }, processes)
    const first = await NodeProcess.open(holder, processes)
    await client.connect([first])
    await read('empty', first)
    const load = { replicas: 1, quorum: 1, concurrency: AT_ONCE, seconds: Number.MAX_SAFE_INTEGER }
    const stored = await client.load({ op: 'store', ...load, count: records })
    log(`${stored.done} records are stored, ${stored.failed} failed`)
    await read(`holding ${stored.done} records just stored`, first)
    await first.stop()
    const diskBytes = await sizeOf(directory)

    const startedAt = performance.now()
    const second = await NodeProcess.open(holder, processes)
    const upMs = performance.now() - startedAt
    await client.connect([second])
    await client.load({ op: 'retrieve', ...load, concurrency: 1, count: 1 })
    const servesMs = performance.now() - startedAt
    log(`started again after ${Math.round(upMs)} ms`)
    const before = await read('started again', second)
    // Profiled is a process that does nothing but read: what a start does is over before one can be told to profile.
    await second.profile(true)
    await until('repair has indexed what is held', INDEXED_WITHIN_MS, async () => {
      return (await second.memory()).indexed >= stored.done
    })
    const profile = await second.profile(false)
    const after = await read('repair has its index', second)
    const index = after.heap + after.arrays - before.heap - before.arrays
    return {
      name: bench.name,
      machine: thisMachine(),
      command: `suprnova bench footprint${quick ? ' --quick' : ''}`,
      rows: [
        ...readings.map(rowOf),
        { what: 'the index of repair (difference of heap and arrays)', MiB: mebibytes(index) },
        { what: 'disk', MiB: mebibytes(diskBytes) },
        { what: 'disk, bytes a record', bytes: Math.round(diskBytes / stored.done) },
        { what: 'start: store opened and counted, network up', milliseconds: Math.round(second.opened.openedMs) },
        { what: 'start: the same from the start of the process', milliseconds: Math.round(upMs) },
        { what: 'start: until a read by another node is answered', milliseconds: Math.round(servesMs) },
        { what: 'records found at the start', records: second.opened.records },
        { what: 'stored a second, R=1, 64 at once', perSecond: Math.round(stored.perSecond), failed: stored.failed },
      ],
      aims: [
        {
          aim: `${records} records of 1 KB on one node, all there after a restart`,
          measured: `${second.opened.records} of ${records}`,
          met: second.opened.records === records,
        },
      ],
      profiles: profile === undefined ? [] : [profileOf('the node while repair reads its index', profile)],
    }
  } finally {
    await processes.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

const mebibytes = (bytes: number) => Number((bytes / 2 ** 20).toFixed(1))

function rowOf({ memory, when }: Reading): Record<string, string | number> {
  const { arrays, heap, mapped, rss } = memory
  return {
    what: `memory, ${when}`,
    MiB: mebibytes(rss),
    'of it the map of LMDB': mebibytes(mapped),
    'JavaScript heap': mebibytes(heap),
    'arrays beside it': mebibytes(arrays),
  }
}

/** Bytes of all files below a folder. */
async function sizeOf(directory: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}

export const bench: Bench = {
  name: 'footprint',
  summary: 'Memory, disk and restart time of one node that holds 100,000 records',
  run,
}
