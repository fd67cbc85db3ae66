import type { Hex } from '../../core/index.ts'
import { usageOf } from '../network/usage.ts'
import type { FloodKind } from '../peers/flooder-process.ts'
import { FlooderProcess } from '../peers/flooder-process.ts'
import { FLOODS, judgeFloodStory } from '../verdicts/flood.ts'
import { nodeNames, strangerKey } from './play.ts'
import { RecordPlay, sample } from './record-play.ts'
import type { Scenario, Stage } from './scenario.ts'

const RECORDS = 20
const RECORD_BYTES = 1_000
const AIMED_AT_NOTHING_SECONDS = 3
const FLOOD_SECONDS = 4
/** More than anybody sends in that time here: the clock ends a flood, and this bounds it. */
const FLOOD_REQUESTS = 400_000
const MIB = 1024 * 1024

/** Everybody on stage, and what the story needs of them. */
class Flood {
  readonly #play: RecordPlay
  readonly #publisher: string
  readonly #victim: string
  readonly #reader: string

  constructor(play: RecordPlay, [publisher = '', victim = '', reader = '']: readonly string[]) {
    this.#play = play
    this.#publisher = publisher
    this.#victim = victim
    this.#reader = reader
  }

  async open(name: string, privateKey: Hex, drops: boolean): Promise<FlooderProcess> {
    const { network } = this.#play
    const process = new FlooderProcess(name, { ...network.barePeer(name, privateKey), drops }, network.processes)
    await process.ready()
    return process
  }

  /** Stores records and reads them back, one after the other. @returns the median milliseconds of a store and a read */
  async storeAndRead(phase: string): Promise<number> {
    const tookMs: number[] = []
    for (let i = 0; i < RECORDS; i++) {
      const key = `${phase} ${i}`
      const startedAt = performance.now()
      await this.#play.store(this.#publisher, key, sample(key, RECORD_BYTES), phase, { all: false })
      await this.#play.read(this.#reader, this.#publisher, key, phase)
      tookMs.push(performance.now() - startedAt)
    }
    return tookMs.sort((a, b) => a - b)[RECORDS / 2] as number
  }

  /** The same flood first at one that drops it, then at the honest node while others store and read. */
  async flood(who: string, kind: FloodKind, flooder: FlooderProcess, sink: FlooderProcess): Promise<void> {
    const phase = `${who} ${kind}`
    const as = this.#play.member(this.#reader).node.address
    const order = { as, kind, requests: FLOOD_REQUESTS }
    const { pid } = this.#play.running(this.#victim)

    const atNothing = usageOf(sink.running.pid)
    const to = this.#play.member('sink').node.address
    const nothing = await flooder.flood({ ...order, to, seconds: AIMED_AT_NOTHING_SECONDS })
    const droppedMs = usageOf(sink.running.pid).cpuMs - atNothing.cpuMs

    const before = usageOf(pid)
    const node = this.#play.member(this.#victim).node.address
    const [flooded, storeAndReadMs] = await Promise.all([
      flooder
        .flood({ ...order, to: node, seconds: FLOOD_SECONDS })
        .then((result) => ({ ...result, after: usageOf(pid) })),
      this.storeAndRead(phase),
    ])
    const { after } = flooded
    const spentMs = after.cpuMs - before.cpuMs
    this.#measure(phase, {
      'sent at nothing': nothing.sent,
      'us to drop one': (droppedMs * 1_000) / nothing.sent,
      sent: flooded.sent,
      answered: flooded.answered,
      refused: flooded.refused,
      lost: flooded.lost,
      'us of the node for one': (spentMs * 1_000) / flooded.sent,
      'us of the flooder for one': (flooded.cpuMs * 1_000) / flooded.sent,
      'cores of the node': spentMs / flooded.tookMs,
      'MiB grown': (after.residentBytes - before.residentBytes) / MIB,
      'ms to store and read': storeAndReadMs,
    })
    this.#play.stage.log(`${phase}: ${flooded.sent} requests, ${flooded.answered} answered`)
  }

  measureQuiet(storeAndReadMs: number): void {
    this.#measure('quiet', { 'ms to store and read': storeAndReadMs })
  }

  #measure(phase: string, values: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(values)) {
      this.#play.stage.write({ type: 'measured', name, value, phase })
    }
  }
}

async function story(play: RecordPlay, { nodes }: Stage): Promise<void> {
  const names = nodeNames(nodes)
  const stage = new Flood(play, names)
  for (const name of names) play.introduce(name, 'honest')
  play.introduce('flooder', 'outsider')
  play.introduce('sink', 'outsider')
  await play.startAll(names, 'begin')
  await play.placed(names[0] as string)
  const [sink, staked, stranger] = await Promise.all([
    stage.open('sink', play.member('sink').node.privateKey, true),
    stage.open('flooder', play.member('flooder').node.privateKey, false),
    stage.open('stranger', strangerKey(), false),
  ])
  stage.measureQuiet(await stage.storeAndRead('quiet'))
  for (const { kind, who } of FLOODS) await stage.flood(who, kind, who === 'staked' ? staked : stranger, sink)
  await play.readAll([names.at(-1) as string], 'after')
}

export const scenario: Scenario = {
  name: 'flood',
  summary:
    'who asks as fast as it can costs an honest node little more than dropping it would, and keeps nobody from storing and reading',
  nodes: { usual: 4, least: 4 },
  play: (stage) =>
    RecordPlay.run(stage, { members: [...nodeNames(stage.nodes), 'flooder', 'sink'] }, (play) => story(play, stage)),
  judge: judgeFloodStory,
}
