import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agentIdOf } from '../../../node/dht/spatial/agent-id.ts'
import { cellOf } from '../../../node/dht/spatial/cells.ts'
import { FRACTION_BITS } from '../../../node/dht/spatial/constants.ts'
import type { Authority } from '../../../node/dht/spatial/spatial-index.ts'
import { World } from '../../../node/dht/spatial/world.ts'
import { SeededRandom } from '../../../node/lab/simulation/seeded-random.ts'
import { type Fate, LIFE_EPOCHS, MemoryCells, Writer } from './memory-cells.ts'

const IS_LONG = process.env.SUPRNOVA_LONG === '1'
const RUNS = IS_LONG ? 6_000 : 80
const SEED = 20_261_125
const TIMEOUT_MS = 180_000
const UNIT = 2 ** FRACTION_BITS
const AGENTS = 5
const WRITERS = 3
/** More than a cell takes before it splits. */
const CROWD = 80

// Lengths here are in the smallest unit of a world, 2^-20: cells are small, so that agents cross borders often.
const worlds = fc.record({
  dimension: fc.integer({ min: 1, max: 3 }),
  baseLevel: fc.integer({ min: 8, max: 11 }),
  slack: fc.integer({ min: 0, max: 40 }),
})
const steps = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -1, max: 1, noNaN: true })))
const points = fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -700, max: 700 })))
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('stored') },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 }).map((refusedAfter): Fate => ({ refusedAfter })) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 }).map((killedAfter): Fate => ({ killedAfter })) },
)
const fates = fc.array(fate, { maxLength: 5 })
const agent = fc.integer({ min: 0, max: AGENTS - 1 })
const ttl = fc.integer({ min: 1, max: LIFE_EPOCHS })
const commands = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('step' as const), agent, by: steps, ttl, fates }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('jump' as const), agent, to: points, ttl, fates }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('race' as const),
        agent,
        to: points,
        radius: fc.integer({ min: 0, max: 120 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), agent, fates }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), epochs: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('restart' as const), writer: fc.integer({ min: 0, max: WRITERS - 1 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('crowd' as const), agent, ttl, spread: fc.integer({ min: 0, max: 30 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('handOver' as const), agent, early: fc.boolean() }) },
  ),
  { minLength: 5, maxLength: 24 },
)

/** Where an agent may be; `undefined` for nowhere. */
interface Candidate {
  readonly q: readonly number[] | undefined
  readonly untilEpoch: number
}

/** An agent as brute force knows it. */
interface Modelled {
  readonly id: Uint8Array
  readonly authorityStake: number
  host: Writer
  lease: { readonly number: bigint; readonly untilEpoch: number } | undefined
  /** One: it is certain. */
  candidates: readonly Candidate[]
  /** The end of the longest entry that may stand anywhere: later ones end no earlier. */
  least: number
  /** Where it was before. */
  past: readonly (readonly number[])[]
}

const distanceSquared = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, axis) => sum + (x - (b[axis] as number)) ** 2, 0)

class Play {
  readonly world: World
  readonly cells: MemoryCells
  readonly writers: readonly Writer[]
  readonly agents: readonly Modelled[]
  readonly radius: number
  readonly crowder: Writer
  readonly #crowd = new Map<string, Candidate>()
  readonly #random: SeededRandom
  #crowds = 0

  constructor(of: { readonly dimension: number; readonly baseLevel: number; readonly slack: number }, seed: number) {
    const random = new SeededRandom(seed)
    this.#random = random.fork('play')
    this.radius = 2 ** (of.baseLevel - 1) - of.slack
    const { baseLevel, dimension, slack } = of
    const lengths = { radius: this.radius / UNIT, maxSpeed: slack / UNIT, stalenessSeconds: 1 }
    this.world = new World({ name: 'played', dimension, baseLevel, ...lengths })
    this.cells = new MemoryCells(random.fork('cells'))
    this.writers = Array.from({ length: WRITERS }, (_, i) => new Writer(i + 1, this.cells))
    this.crowder = new Writer(99, this.cells)
    this.agents = Array.from({ length: AGENTS }, (_, i) => {
      const host = this.writers[i % WRITERS] as Writer
      const id = agentIdOf(host.stakeId, `agent ${i}`)
      const candidates = [{ q: undefined, untilEpoch: 0 }]
      return { id, authorityStake: host.stakeId, host, lease: undefined, candidates, least: 0, past: [] }
    })
  }

  authorityOf({ authorityStake, host, lease }: Modelled): Authority {
    if (lease === undefined) return { stakeId: authorityStake }
    if (host.stakeId === authorityStake) return { stakeId: authorityStake, number: lease.number }
    return { stakeId: authorityStake, leaseFrame: new Uint8Array(), ...lease }
  }

  /** A point as the world has it. */
  fit(q: readonly number[]): number[] {
    return q.slice(0, this.world.options.dimension).map((x) => Math.max(-2_000, Math.min(2_000, Math.round(x))))
  }

  at(agent: Modelled): readonly number[] {
    return agent.candidates[0]?.q ?? this.fit([0, 0, 0])
  }

  async announce(agent: Modelled, to: readonly number[], ttl: number, fates: readonly Fate[]): Promise<void> {
    const authority = this.authorityOf(agent)
    const longest =
      agent.host.stakeId === agent.authorityStake ? Number.POSITIVE_INFINITY : (agent.lease?.untilEpoch ?? 0)
    if (longest < this.cells.epoch) return
    const least = agent.least >= this.cells.epoch ? agent.least : 0
    const untilEpoch = Math.max(Math.min(this.cells.epoch + ttl, longest), least)
    const said = { q: to, untilEpoch }
    const outcome = await agent.host.say(
      (agents) =>
        agents.announcePresence({
          ...{ agentId: agent.id, authority, world: this.world, ttlEpochs: ttl },
          position: to.map((x) => x / UNIT),
        }),
      fates,
    )
    agent.least = untilEpoch
    const before = agent.candidates.flatMap(({ q }) => (q === undefined ? [] : [q]))
    agent.past = [...before, ...agent.past].slice(0, 4)
    agent.candidates = outcome === 'done' ? [said] : [said, ...agent.candidates]
  }

  async leave(agent: Modelled, fates: readonly Fate[]): Promise<boolean> {
    const authority = this.authorityOf(agent)
    const outcome = await agent.host.say((agents) => agents.leave(agent.id, authority), fates)
    const gone = { q: undefined, untilEpoch: 0 }
    agent.candidates = outcome === 'done' ? [gone] : [...agent.candidates, gone]
    if (outcome === 'done') agent.least = 0
    return outcome === 'done'
  }

  async crowd(around: readonly number[], ttl: number, spread: number): Promise<void> {
    const crowd = this.#crowds++ % 3
    await Promise.all(
      Array.from({ length: CROWD }, async (_, i) => {
        const agentId = agentIdOf(this.crowder.stakeId, `crowd ${crowd} ${i}`)
        const name = Buffer.from(agentId).toString('hex')
        const q = this.fit(around.map((x) => x + this.#random.between(-spread, spread)))
        const position = q.map((x) => x / UNIT)
        await this.crowder.agents.announcePresence({ agentId, position, world: this.world, ttlEpochs: ttl })
        const before = this.#crowd.get(name)?.untilEpoch ?? 0
        const least = before >= this.cells.epoch ? before : 0
        this.#crowd.set(name, { q, untilEpoch: Math.max(this.cells.epoch + ttl, least) })
      }),
    )
  }

  async query(center: readonly number[], radius: number): Promise<Map<string, readonly number[]>> {
    const { agents } = await this.writers[0]!.index.queryRange(
      center.map((x) => x / UNIT),
      radius / UNIT,
      { world: this.world },
    )
    const names = agents.map(({ agentId }) => Buffer.from(agentId).toString('hex'))
    expect(new Set(names).size).toBe(names.length)
    return new Map(agents.map(({ position }, i) => [names[i] as string, position.map((x) => x * UNIT)]))
  }

  /** Brute force over all that was acknowledged: each agent is where it is, or, while that is uncertain, where it may be. */
  check(
    found: ReadonlyMap<string, readonly number[]>,
    center: readonly number[],
    radius: number,
    also: readonly Candidate[] = [],
  ): void {
    for (const [name, { q, untilEpoch }] of this.#crowd) {
      const isThere = untilEpoch >= this.cells.epoch && q !== undefined && distanceSquared(q, center) <= radius * radius
      expect(String(found.get(name)), name).toBe(String(isThere ? q : undefined))
    }
    for (const agent of this.agents) {
      const at = found.get(Buffer.from(agent.id).toString('hex'))
      const isLive = ({ q, untilEpoch }: Candidate) => q !== undefined && untilEpoch >= this.cells.epoch
      const isInside = ({ q }: Candidate) => q !== undefined && distanceSquared(q, center) <= radius * radius
      const candidates = [...agent.candidates, ...also]
      const isRight =
        at === undefined
          ? candidates.some((candidate) => !isLive(candidate) || !isInside(candidate))
          : candidates.some(
              (candidate) => isLive(candidate) && isInside(candidate) && String(candidate.q) === String(at),
            )
      expect(isRight, JSON.stringify({ at, candidates, center, radius, epoch: this.cells.epoch })).toBe(true)
    }
  }

  async checkAround(agent: Modelled): Promise<void> {
    for (const q of [...agent.candidates.slice(0, 3).map(({ q }) => q), ...agent.past]) {
      if (q === undefined) continue
      // At the place itself, with the radius of the world, and with the agent on the very edge of the ball.
      const beside = [(q[0] as number) - this.radius, ...q.slice(1)]
      for (const [center, radius] of [
        [q, 0],
        [q, this.radius],
        [beside, this.radius],
        [beside, this.radius - 1],
      ] as const) {
        this.check(await this.query(center, radius), center, radius)
      }
    }
  }

  /** What is settled is in one cell. In a cell an entry that few replicas took may be seen or not, until the next. */
  async settle(agent: Modelled): Promise<void> {
    const seen = new Set<string>()
    const isLive = ({ q, untilEpoch }: Candidate) => q !== undefined && untilEpoch >= this.cells.epoch
    for (const { q } of agent.candidates.filter(isLive)) {
      const at = (await this.query(q as readonly number[], 0)).get(Buffer.from(agent.id).toString('hex'))
      if (at !== undefined) seen.add(this.cellOf(at))
    }
    const about = JSON.stringify(agent.candidates)
    expect(seen.size, about).toBeLessThanOrEqual(1)
    const cells = agent.candidates.map(({ q }) => q && this.cellOf(q))
    if (agent.candidates.every(isLive) && new Set(cells).size === cells.length) expect(seen.size, about).toBe(1)
  }

  cellOf(q: readonly number[]): string {
    return String(cellOf(q.map(BigInt), this.world.options.baseLevel).index)
  }
}

async function play(play: Play, given: readonly Command[]): Promise<void> {
  for (const command of given) {
    switch (command.do) {
      case 'step': {
        const agent = play.agents[command.agent] as Modelled
        const length = Math.sqrt(command.by.reduce((sum, x) => sum + x * x, 0)) || 1
        const slack = Number(play.world.slack)
        const to = play.fit(
          play.at(agent).map((x, axis) => x + Math.trunc(((command.by[axis] as number) / length) * slack)),
        )
        await play.announce(agent, to, command.ttl, command.fates)
        await play.checkAround(agent)
        break
      }
      case 'jump': {
        const agent = play.agents[command.agent] as Modelled
        await play.announce(agent, play.fit(command.to), command.ttl, command.fates)
        await play.checkAround(agent)
        break
      }
      case 'race': {
        // Readers and a move under way at once: each sees it before or after, and never nowhere.
        const agent = play.agents[command.agent] as Modelled
        const before = agent.candidates
        const to = play.fit(command.to)
        const center = play.at(agent)
        const queries = Array.from({ length: 3 }, () => play.query(center, command.radius))
        const far = play.query(to, command.radius)
        await play.announce(agent, to, LIFE_EPOCHS, [])
        for (const found of await Promise.all(queries)) {
          const after = agent.candidates
          agent.candidates = [...before, ...after]
          play.check(found, center, command.radius)
          play.check(await far, to, command.radius)
          agent.candidates = after
        }
        break
      }
      case 'leave': {
        const agent = play.agents[command.agent] as Modelled
        await play.leave(agent, command.fates)
        await play.checkAround(agent)
        break
      }
      case 'wait':
        play.cells.epoch += command.epochs
        break
      case 'restart':
        for (const writer of [play.writers[command.writer] ?? play.crowder]) writer.start()
        break
      case 'sweep':
        for (const writer of play.writers) await writer.say((agents) => agents.sweep())
        for (const agent of play.agents) {
          // An announcement that nobody noted before its process died was never made.
          await play.settle(agent)
          await play.checkAround(agent)
        }
        break
      case 'crowd': {
        const agent = play.agents[command.agent] as Modelled
        await play.crowd(play.at(agent), command.ttl, command.spread)
        await play.checkAround(agent)
        break
      }
      case 'handOver': {
        const agent = play.agents[command.agent] as Modelled
        // Early: the old host lets go first. Else the authority waits for the end of all that the old host may have said.
        if (command.early) {
          if (!(await play.leave(agent, []))) break
        } else {
          play.cells.epoch = Math.max(play.cells.epoch, agent.least + 1)
          agent.candidates = [{ q: undefined, untilEpoch: 0 }]
        }
        agent.host = play.writers[(play.writers.indexOf(agent.host) + 1) % WRITERS] as Writer
        const number = (agent.lease?.number ?? 0n) + 1n
        agent.lease = { number, untilEpoch: play.cells.epoch + LIFE_EPOCHS }
        agent.least = 0
        await play.announce(agent, play.at(agent), 4, [])
        await play.checkAround(agent)
        break
      }
    }
  }
  const center = play.fit([0, 0, 0])
  play.check(await play.query(center, play.radius), center, play.radius)
}
type Command = typeof commands extends fc.Arbitrary<(infer C)[]> ? C : never

describe('the spatial index against brute force', () => {
  it(
    'finds exactly the agents that are there, through moves, jumps, crashes, crowds, expiry and leases',
    async () => {
      await fc.assert(
        fc.asyncProperty(worlds, fc.nat(), commands, async (world, seed, given) => {
          await play(new Play(world, seed), given)
        }),
        { numRuns: RUNS, ...(IS_LONG ? {} : { seed: SEED }) },
      )
    },
    TIMEOUT_MS * (IS_LONG ? 60 : 1),
  )
})
