import { randomFillSync } from 'node:crypto'
import { openSignaturePool, type SignaturePool } from '../../net/index.ts'
import {
  type Bench,
  type BenchAim,
  type BenchOptions,
  type BenchReport,
  median,
  quantileOf,
  thisMachine,
} from './bench.ts'
import { type GossipNetwork, type Heard, NODES, plainNetwork, suprnovaNetwork } from './gossip-networks.ts'

interface Variant {
  readonly name: string
  readonly open: (heard: Heard, signaturePool: SignaturePool) => Promise<GossipNetwork>
  /** Bodies given to one publish call. */
  readonly bodies: number
  /** Messages of a saturated round at full length: what takes this variant about two seconds. */
  readonly messages: number
}

const BATCH = 16
const UNSIGNED = 'unsigned, nothing checked'
const STRICT_SECP256K1 = 'StrictSign secp256k1'
const ONE_BODY = 'statements, one body'
const BATCHED = `statements, ${BATCH} bodies`

const VARIANTS: readonly Variant[] = [
  { name: UNSIGNED, open: (heard) => plainNetwork({ merging: true }, heard), bodies: 1, messages: 1_600 },
  {
    name: 'unsigned, writes not merged',
    open: (heard) => plainNetwork({ merging: false }, heard),
    bodies: 1,
    messages: 1_000,
  },
  {
    name: 'StrictSign Ed25519',
    open: (heard) => plainNetwork({ merging: true, signedBy: 'Ed25519' }, heard),
    bodies: 1,
    messages: 800,
  },
  {
    name: STRICT_SECP256K1,
    open: (heard) => plainNetwork({ merging: true, signedBy: 'secp256k1' }, heard),
    bodies: 1,
    messages: 100,
  },
  {
    name: ONE_BODY,
    open: (heard, signaturePool) => suprnovaNetwork({ form: 'one body', signaturePool }, heard),
    bodies: 1,
    messages: 1_200,
  },
  {
    name: 'statements, one body, checked on the main thread',
    open: (heard) => suprnovaNetwork({ form: 'one body' }, heard),
    bodies: 1,
    messages: 1_000,
  },
  {
    name: BATCHED,
    open: (heard, signaturePool) => suprnovaNetwork({ form: 'batch', signaturePool }, heard),
    bodies: BATCH,
    messages: 8_000,
  },
]

const SIZES_BYTES = [256, 1024] as const
/** Publish calls under way at once when saturated. */
const WINDOW = 80
/** Bodies a second when paced: few enough for every variant. */
const PACED_PER_SECOND = 20

interface Round {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicros: number
}

/** Tells the deliveries of one round from each other, and when each was sent. */
class Tally {
  readonly latencies: number[] = []
  #sentAt = new Map<number, number>()
  #changed = () => {}

  /** A payload of `size` bytes that carries a number of its own. */
  payload(size: number): Uint8Array {
    const payload = randomFillSync(Buffer.alloc(size))
    const id = this.#sentAt.size
    payload.writeUInt32BE(id)
    this.#sentAt.set(id, performance.now())
    return payload
  }

  readonly heard = (payload: Uint8Array): void => {
    const sentAt = this.#sentAt.get(new DataView(payload.buffer, payload.byteOffset).getUint32(0))
    if (sentAt === undefined) return
    this.latencies.push(performance.now() - sentAt)
    this.#changed()
  }

  /** Resolves once `count` deliveries were made. */
  reached(count: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = setTimeout(
        () => reject(new Error(`${what}: ${this.latencies.length} of ${count} delivered`)),
        60_000,
      )
      this.#changed = () => {
        if (this.latencies.length < count) return
        clearTimeout(failed)
        this.#changed = () => {}
        resolve()
      }
      this.#changed()
    })
  }

  clear(): void {
    this.latencies.length = 0
    this.#sentAt.clear()
  }
}

interface Running extends Variant {
  readonly network: GossipNetwork
  readonly tally: Tally
}

async function open(variant: Variant, signaturePool: SignaturePool): Promise<Running> {
  const tally = new Tally()
  const network = await variant.open(tally.heard, signaturePool)
  const deadline = performance.now() + 30_000
  while (network.meshLinks() < NODES * 4) {
    if (performance.now() > deadline) throw new Error(`${variant.name}: ${network.meshLinks()} mesh links`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { ...variant, network, tally }
}

async function run(running: Running, publishAll: () => Promise<number>): Promise<Round> {
  const { tally } = running
  tally.clear()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const deliveries = await publishAll()
  await tally.reached(deliveries, running.name)
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: deliveries / seconds,
    p50Ms: quantileOf(tally.latencies, 0.5),
    p99Ms: quantileOf(tally.latencies, 0.99),
    cpuMicros: (user + system) / deliveries,
  }
}

/** As fast as deliveries come back, with a bounded number of calls under way. */
function saturated(running: Running, sizeBytes: number, share: number): Promise<Round> {
  const { network, tally, bodies, name } = running
  const calls = Math.max(2 * NODES, Math.round((running.messages * share) / bodies))
  return run(running, async () => {
    for (let call = 0; call < calls; call++) {
      if (call >= WINDOW) await tally.reached((call - WINDOW + 1) * bodies * (NODES - 1), name)
      await network.publish(
        call % NODES,
        Array.from({ length: bodies }, () => tally.payload(sizeBytes)),
      )
    }
    return calls * bodies * (NODES - 1)
  })
}

/** At a rate that leaves the machine idle most of the time: latency without queues. */
function paced(running: Running, sizeBytes: number, seconds: number): Promise<Round> {
  const { network, tally, bodies } = running
  const calls = Math.max(2, Math.round((PACED_PER_SECOND * seconds) / bodies))
  return run(running, async () => {
    for (let call = 0; call < calls; call++) {
      const payloads = Array.from({ length: bodies }, () => tally.payload(sizeBytes))
      await network.publish(call % NODES, payloads)
      await new Promise((resolve) => setTimeout(resolve, (1000 * bodies) / PACED_PER_SECOND))
    }
    return calls * bodies * (NODES - 1)
  })
}

type Rounds = Map<string, Round[]>

function row(mode: string, sizeBytes: number, name: string, rounds: readonly Round[]): Record<string, string | number> {
  const of = (key: keyof Round) => median(rounds.map((round) => round[key]))
  return {
    mode,
    sizeBytes,
    variant: name,
    deliveriesPerSecond: Math.round(of('perSecond')),
    p50Ms: Number(of('p50Ms').toFixed(2)),
    p99Ms: Number(of('p99Ms').toFixed(2)),
    cpuMicrosPerDelivery: Math.round(of('cpuMicros')),
  }
}

/** The median over rounds of one variant's rate by another's, each pair measured side by side. */
function ratio(rounds: Rounds, name: string, by: string): number {
  const [upper, lower] = [rounds.get(name) ?? [], rounds.get(by) ?? []]
  return median(upper.map(({ perSecond }, i) => perSecond / (lower[i]?.perSecond ?? Number.NaN)))
}

function aims(sizeBytes: number, rounds: Rounds): BenchAim[] {
  const aim = (name: string, by: string, least: number, unit: (value: number) => string): BenchAim => {
    const measured = ratio(rounds, name, by)
    return {
      aim: `${sizeBytes} B saturated: ${name} at least ${unit(least)} of ${by}`,
      measured: unit(measured),
      met: measured >= least,
    }
  }
  const percent = (value: number) => `${Math.round(value * 100)} %`
  return [
    aim(ONE_BODY, UNSIGNED, 0.8, percent),
    aim(BATCHED, UNSIGNED, 0.95, percent),
    aim(ONE_BODY, STRICT_SECP256K1, 3, (value) => `${value.toFixed(1)} times`),
  ]
}

async function runGossip({ quick, log }: BenchOptions): Promise<BenchReport> {
  const count = quick ? 2 : 5
  const share = quick ? 0.1 : 1
  const rows: Record<string, string | number>[] = []
  const reached: BenchAim[] = []
  const variants: Running[] = []
  const signaturePool = openSignaturePool()
  try {
    for (const variant of VARIANTS) variants.push(await open(variant, signaturePool))
    log(`${variants.length} networks of ${NODES} nodes in one process, mesh degree 4, each node with four links`)
    for (const sizeBytes of SIZES_BYTES) {
      const rounds: Rounds = new Map(variants.map(({ name }) => [name, []]))
      for (const running of variants) await saturated(running, sizeBytes, share / 2)
      for (let round = 0; round < count; round++) {
        for (const running of variants) rounds.get(running.name)?.push(await saturated(running, sizeBytes, share))
        log(`${sizeBytes} B saturated, round ${round + 1} of ${count}`)
      }
      for (const { name } of variants) rows.push(row('saturated', sizeBytes, name, rounds.get(name) ?? []))
      reached.push(...aims(sizeBytes, rounds))
      for (const running of variants) {
        rows.push(row('paced', sizeBytes, running.name, [await paced(running, sizeBytes, quick ? 0.5 : 5)]))
      }
      log(`${sizeBytes} B paced`)
    }
  } finally {
    await Promise.all(variants.map(({ network }) => network.stop()))
    await signaturePool.close()
  }
  return { name: bench.name, machine: thisMachine(), command: 'suprnova bench gossip', rows, aims: reached }
}

export const bench: Bench = {
  name: 'gossip',
  summary: `Deliveries a second and latency of gossip among ${NODES} nodes, unsigned, signed by libp2p, and as statements`,
  run: runGossip,
}
