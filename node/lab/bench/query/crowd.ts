import { randomBytes } from 'node:crypto'
import { EXIT, SuprnovaError, toHex } from '../../../core/index.ts'
import { type Consistency, type Dht, World, type WorldOptions } from '../../../dht/index.ts'
import { SeededRandom } from '../../simulation/seeded-random.ts'
import { NODES } from '../records/record-network.ts'
import { type BenchStake, connect, openRecordNode, type RecordNode } from '../records/record-node.ts'

/** Announcements under way at once while the world fills. */
const FILLING = 64
/** Times an announcement is made while replicas do not answer in time, as its error asks for. */
const TRIES = 5

/** Twenty nodes of the code that people run, in one process. */
export async function openNodes(): Promise<{ readonly nodes: readonly RecordNode[]; stop(): Promise<void> }> {
  const stakes: BenchStake[] = Array.from({ length: NODES }, () => ({
    privateKey: toHex(new Uint8Array(randomBytes(32))),
    isPlaced: true,
  }))
  const nodes: RecordNode[] = []
  for (const index of stakes.keys()) nodes.push(await openRecordNode(stakes, index))
  for (const [index, node] of nodes.entries()) {
    await connect(
      node,
      nodes.slice(index + 1).map(({ network }) => network.multiaddrs()[0] as string),
    )
  }
  return {
    nodes,
    async stop() {
      for (const node of [...nodes].reverse()) await node.stop()
    },
  }
}

interface Walker {
  readonly dht: Dht
  readonly name: string
  readonly id: string
  position: number[]
  /** Whether its last announcement was acknowledged: else it is here or where it was. */
  isSure: boolean
}

/** Whose agents move: those of each node in turn, or all of one node before those of the next, as a node that steps its agents has it. */
export type MoveOrder = 'node after node' | 'nodes in turn'

export interface CrowdOptions {
  readonly dimension: 2 | 3
  readonly agents: number
  /** Cells of the base level along one side of the part of the world that is filled. */
  readonly cells: number
}

const SIDE = 64
const RADIUS = 10
const SPEED = 1
const STALENESS = 10

/** Agents all over a world, each announced by one of the nodes. */
export class Crowd {
  readonly world: World
  readonly #walkers: Walker[]
  readonly #random: SeededRandom
  readonly #extent: number
  #next = 0
  crossings = 0

  constructor({ agents, cells, dimension }: CrowdOptions, dhts: readonly Dht[]) {
    const options: WorldOptions = {
      ...{ name: `bench ${dimension}-D`, dimension, baseLevel: 26 },
      ...{ radius: RADIUS, maxSpeed: SPEED, stalenessSeconds: STALENESS },
    }
    this.world = new World(options)
    this.#random = new SeededRandom(dimension)
    this.#extent = (cells * SIDE) / 2
    this.#walkers = Array.from({ length: agents }, (_, i) => ({
      ...{ dht: dhts[Math.floor((i * dhts.length) / agents)] as Dht, name: `agent ${i}`, position: this.place() },
      ...{ id: '', isSure: true },
    }))
  }

  /** A place in the filled part. */
  place(): number[] {
    return Array.from({ length: this.world.options.dimension }, () => this.#random.between(-this.#extent, this.#extent))
  }

  /** Announces all. */
  async fill(): Promise<void> {
    const waiting = [...this.#walkers.keys()]
    const announcer = async () => {
      for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
        const walker = this.#walkers[i] as Walker
        const id = await this.#untilAnnounced(walker)
        this.#walkers[i] = { ...walker, id: toHex(id) }
      }
    }
    await Promise.all(Array.from({ length: FILLING }, announcer))
  }

  /** The next agent in turn goes as far as it may before it must be written. */
  async move(order: MoveOrder): Promise<void> {
    const count = this.#walkers.length
    const turn = this.#next++ % count
    const perNode = count / NODES
    const index = order === 'node after node' ? turn : (turn % NODES) * perNode + Math.floor(turn / NODES)
    const walker = this.#walkers[index] as Walker
    const step = walker.position.map((x) => {
      const to = x + this.#random.between(-1, 1) * (SPEED * STALENESS) * 0.55
      return Math.max(-this.#extent, Math.min(this.#extent, to))
    })
    if (walker.position.some((x, axis) => Math.floor(x / SIDE) !== Math.floor((step[axis] as number) / SIDE))) {
      this.crossings++
    }
    walker.isSure = false
    await this.#announce(walker, step)
    walker.position = step
    walker.isSure = true
  }

  async query(dht: Dht, place: readonly number[], consistency: Consistency) {
    return dht.spatial.queryRange(place, RADIUS, { world: this.world, consistency })
  }

  /** Compares a query with brute force over all that was announced. @throws Error when they differ */
  async check(dht: Dht, place: readonly number[]): Promise<void> {
    const { agents } = await this.query(dht, place, 'quorum')
    const unsure = new Set(this.#walkers.filter(({ isSure }) => !isSure).map(({ id }) => id))
    const found = agents
      .map(({ agentId }) => toHex(agentId))
      .filter((id) => !unsure.has(id))
      .sort()
    const q = this.world.toFixed(place)
    const reach = this.world.radiusToFixed(RADIUS).reach ** 2n
    const near = this.#walkers.filter(({ isSure, position }) => {
      if (!isSure) return false
      const at = this.world.toFixed(position)
      return at.reduce((sum, x, axis) => sum + (x - (q[axis] as bigint)) ** 2n, 0n) <= reach
    })
    const wanted = near.map(({ id }) => id).sort()
    if (String(found) !== String(wanted)) throw new Error(`${found.length} agents found, ${wanted.length} are there`)
  }

  async #untilAnnounced(walker: Walker): Promise<Uint8Array> {
    for (let left = TRIES - 1; ; left--) {
      try {
        return await this.#announce(walker, walker.position)
      } catch (error) {
        const mayTryAgain = error instanceof SuprnovaError && error.exitCode === EXIT.tryAgain
        if (!mayTryAgain || left === 0) throw error
      }
    }
  }

  #announce({ dht, name }: Walker, position: readonly number[]): Promise<Uint8Array> {
    return dht.agents.announcePresence({ agentId: name, position, world: this.world })
  }
}
