import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KIND, SuprnovaError, toHex } from '../../../node/core/index.ts'
import { agentIdOf } from '../../../node/dht/spatial/agent-id.ts'
import { FRACTION_BITS, SPLIT_ENTRIES } from '../../../node/dht/spatial/constants.ts'
import type { Authority } from '../../../node/dht/spatial/spatial-index.ts'
import { CHESS_WORLD, World as Space } from '../../../node/dht/spatial/world.ts'
import { SeededRandom } from '../../../node/lab/simulation/seeded-random.ts'
import { CALM_NETWORK, type NetworkModel } from '../../../node/lab/simulation/simulated-network.ts'
import { chunkRoot, encodeLease, KEY_TYPE, leaseNameHash } from '../../../node/statements/index.ts'
import { World, type WorldNode } from './world.ts'

// Whole nodes here: every entry is signed, admitted, promised and verified, and rows are on simulated disks. What goes
// on inside the index, spatial-property.test.ts looks at with many more inputs.

const IS_LONG = process.env.SUPRNOVA_LONG === '1'
const RUNS = IS_LONG ? 600 : 24
const SEED = 20_261_125
const TIMEOUT_MS = 180_000
const NODES = 8
const WRITERS = 3
const AGENTS = 5
/** Long, so that none ends within one operation. */
const EPOCH_SECONDS = 60
const LIFE_EPOCHS = 60
const TTL_MAX = 8
const UNIT = 2 ** FRACTION_BITS
const LOSSY: NetworkModel = { ...CALM_NETWORK, lossRate: 0.1, answerLossRate: 0.1, resetRate: 0.05, duplicateRate: 0.1 }

/** A space, and how it is walked in: points are whole multiples of `step`. */
interface Ground {
  readonly space: Space
  readonly step: number
  readonly from: number
  readonly to: number
}

// In all but chess a step is the smallest unit there is: cells are small, so that agents cross borders often.
const small = fc
  .record({
    dimension: fc.integer({ min: 1, max: 3 }),
    baseLevel: fc.integer({ min: 8, max: 10 }),
    slack: fc.integer({ min: 0, max: 40 }),
  })
  .map(({ baseLevel, dimension, slack }): Ground => {
    const lengths = { radius: (2 ** (baseLevel - 1) - slack) / UNIT, maxSpeed: slack / UNIT, stalenessSeconds: 1 }
    const space = new Space({ name: 'walked', dimension, baseLevel, ...lengths })
    return { space, step: 1 / UNIT, from: -700, to: 700 }
  })
const grounds = fc.oneof(
  { weight: 4, arbitrary: small },
  { weight: 1, arbitrary: fc.constant<Ground>({ space: CHESS_WORLD, step: 1, from: 0, to: 7 }) },
)
const unit = fc.double({ min: -1, max: 1, noNaN: true })
const points = fc.tuple(unit, unit, unit)
const agent = fc.nat(AGENTS - 1)
const ttl = fc.integer({ min: 1, max: TTL_MAX })
/** Who hears nobody meanwhile: some of the nodes, or those that hold the cell where the agent was, but its host. */
const away = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Away>([]) },
  { weight: 2, arbitrary: fc.uniqueArray(fc.nat(NODES - 1), { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant<Away>('where it was') },
)
const commands = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        ...{ do: fc.constant('move' as const), agent, to: points, isStep: fc.boolean(), ttl, away },
        isLossy: fc.boolean(),
      }),
    },
    {
      // What stands in the cell that it leaves cannot be cleared.
      weight: 4,
      arbitrary: fc.record({
        ...{ do: fc.constant('move' as const), agent, to: points, isStep: fc.boolean(), ttl },
        ...{ away: fc.constant<Away>('where it was'), isLossy: fc.constant(false) },
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('race' as const), agent, to: points }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('all' as const),
        to: fc.array(points, { minLength: AGENTS, maxLength: AGENTS }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), agent, away }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), epochs: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('kill' as const),
        agent,
        to: points,
        afterMs: fc.integer({ min: 0, max: 60 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crowd' as const), agent, ttl }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('handOver' as const), agent, early: fc.boolean() }) },
  ),
  { minLength: 6, maxLength: 16 },
)
type Away = readonly number[] | 'where it was'
type Command = typeof commands extends fc.Arbitrary<(infer C)[]> ? C : never

/** Where an agent may be; `undefined` for nowhere. Fixed point. */
interface Candidate {
  readonly q: readonly bigint[] | undefined
  readonly untilEpoch: number
}

/** An agent as brute force knows it. */
interface Modelled {
  readonly id: Uint8Array
  readonly authorityStake: number
  host: number
  lease: { readonly number: bigint; readonly untilEpoch: number; readonly leaseFrame: Uint8Array } | undefined
  /** One: it is certain. */
  candidates: readonly Candidate[]
  /** The end of the longest entry that may stand anywhere: later ones end no earlier. */
  least: number
  /** Where it was before. */
  past: readonly (readonly bigint[])[]
  /** Nobody knows what its host noted before it was killed: then it is announced for as long as ever. */
  isInDoubt: boolean
}

const NOWHERE: Candidate = { q: undefined, untilEpoch: 0 }
const squared = (a: readonly bigint[], b: readonly bigint[]) =>
  a.reduce((sum, x, axis) => sum + (x - (b[axis] as bigint)) ** 2n, 0n)

class Play {
  readonly ground: Ground
  readonly world: World
  readonly agents: readonly Modelled[]
  readonly #random: SeededRandom
  readonly #crowd = new Map<string, Candidate>()
  readonly reach: bigint
  crowds = 0
  found = 0

  private constructor(ground: Ground, world: World, seed: number) {
    this.ground = ground
    this.world = world
    this.#random = new SeededRandom(seed)
    this.reach = ground.space.radiusToFixed(ground.space.options.radius).reach
    this.agents = Array.from({ length: AGENTS }, (_, i) => {
      const host = 1 + (i % WRITERS)
      const id = agentIdOf(host, `agent ${i}`)
      const said = { candidates: [NOWHERE], least: 0, past: [], isInDoubt: false }
      return { id, authorityStake: host, host, lease: undefined, ...said }
    })
  }

  static async begin(ground: Ground, seed: number): Promise<Play> {
    const params = { epochSeconds: EPOCH_SECONDS, receiptLifeSeconds: LIFE_EPOCHS * EPOCH_SECONDS }
    const windows = {
      evidenceWindowSeconds: LIFE_EPOCHS * EPOCH_SECONDS,
      unbondingSeconds: 3 * LIFE_EPOCHS * EPOCH_SECONDS,
    }
    const world = await World.of(NODES, { params: { ...params, ...windows } })
    await world.open(0)
    return new Play(ground, world, seed)
  }

  async end(): Promise<void> {
    const { surprises } = this.world.network
    await Promise.all(this.world.nodes.map(({ dht }) => this.world.run(dht.stop())))
    // Nobody lied, so nobody has evidence of a lie.
    expect(this.world.nodes.flatMap(({ offences }) => offences)).toEqual([])
    expect(surprises).toEqual([])
  }

  /** The beginning of the next epoch, unless enough is left of this one. */
  async early(): Promise<void> {
    const { time } = this.world
    const epochMs = EPOCH_SECONDS * 1_000
    const leftMs = epochMs - (time.nowMs() % epochMs)
    if (leftMs < epochMs / 4) await time.advance(leftMs + 10)
  }

  /** A point of the space, of one whose coordinates are from -1 to 1. */
  point(at: readonly number[]): bigint[] {
    const { from, space, step, to } = this.ground
    const { baseLevel, dimension } = space.options
    const whole = at.map((x) => Math.round((from + to) / 2 + (x * (to - from)) / 2)).slice(0, dimension)
    return space.toFixed(whole.map((x) => x * step)).map((x) => {
      // Often at a border: that is where agents change cells.
      const border = ((x >> BigInt(baseLevel)) << BigInt(baseLevel)) + BigInt(this.#random.below(9) - 4)
      return step === 1 || this.#random.chance(0.5) ? x : border
    })
  }

  at(agent: Modelled): readonly bigint[] {
    return agent.candidates[0]?.q ?? this.point([0, 0, 0])
  }

  /** No further than agents go between two words. */
  stepFrom(q: readonly bigint[], by: readonly number[]): bigint[] {
    const length = Math.sqrt(by.reduce((sum, x) => sum + x * x, 0)) || 1
    const { slack } = this.ground.space
    return q.map((x, axis) => x + BigInt(Math.trunc(((by[axis] as number) / length) * Number(slack))))
  }

  authorityOf({ authorityStake, host, lease }: Modelled): Authority {
    if (lease === undefined) return { stakeId: authorityStake }
    if (host === authorityStake) return { stakeId: authorityStake, number: lease.number }
    return { stakeId: authorityStake, ...lease }
  }

  /** Begins to say where an agent is; what may be true meanwhile is known at once. @returns what to do when it is settled */
  announce(agent: Modelled, q: readonly bigint[], ttlEpochs: number): () => Promise<boolean> {
    const longest = agent.host === agent.authorityStake ? Number.POSITIVE_INFINITY : (agent.lease?.untilEpoch ?? 0)
    const { epoch } = this.world
    if (longest < epoch) return async () => false
    const least = agent.least >= epoch ? agent.least : 0
    const life = agent.isInDoubt ? TTL_MAX : ttlEpochs
    const said = { q, untilEpoch: Math.max(Math.min(epoch + life, longest), least) }
    const before = agent.candidates.flatMap((one) => (one.q === undefined ? [] : [one.q]))
    agent.past = [...before, ...agent.past].slice(0, 4)
    agent.candidates = [said, ...agent.candidates]
    agent.least = said.untilEpoch
    const position = this.ground.space.fromFixed(q)
    const { agents } = this.world.of(agent.host).dht
    const saying = outcomeOf(
      agents.announcePresence({
        ...{ agentId: agent.id, position, ttlEpochs: life, world: this.ground.space },
        authority: this.authorityOf(agent),
      }),
    )
    return async () => {
      const isDone = await this.world.run(saying)
      if (isDone) agent.candidates = [said]
      agent.isInDoubt &&= !isDone
      return isDone
    }
  }

  async leave(agent: Modelled): Promise<boolean> {
    const { agents } = this.world.of(agent.host).dht
    const isDone = await this.world.run(outcomeOf(agents.leave(agent.id, this.authorityOf(agent))))
    agent.candidates = isDone ? [NOWHERE] : [...agent.candidates, NOWHERE]
    if (isDone) agent.least = 0
    return isDone
  }

  /** More agents than a cell takes before it splits, all around one place, while others look. */
  async crowd(around: readonly bigint[], ttlEpochs: number): Promise<void> {
    const { agents } = this.world.of(1 + WRITERS).dht
    const crowd = this.crowds++ % 2
    const { space, step } = this.ground
    const saying = Array.from({ length: SPLIT_ENTRIES + 12 }, async (_, i) => {
      const agentId = agentIdOf(1 + WRITERS, `crowd ${crowd} ${i}`)
      const name = toHex(agentId)
      const aside = () => BigInt(this.#random.below(5) - 2) * BigInt(step * UNIT)
      const q = around.map((x) => x + aside())
      const before = this.#crowd.get(name)?.untilEpoch ?? 0
      const { epoch } = this.world
      const least = before >= epoch ? before : 0
      await agents.announcePresence({ agentId, position: space.fromFixed(q), world: space, ttlEpochs })
      this.#crowd.set(name, { q, untilEpoch: Math.max(epoch + ttlEpochs, least) })
    })
    const looks = Array.from({ length: 4 }, () => this.query(around))
    for (const found of await this.world.run(Promise.all(looks))) this.#checkAgents(found, around, this.reach)
    await this.world.run(Promise.all(saying))
  }

  /** By any node that is there, or by a reader that has no stake. */
  async query(center: readonly bigint[], radius = this.reach): Promise<Map<string, readonly bigint[]>> {
    const { space } = this.ground
    const { dht } = this.#random.pick(this.world.nodes) as WorldNode
    const result = await dht.spatial.queryRange(space.fromFixed(center), Number(radius) / UNIT, { world: space })
    expect(result).toMatchObject({ quorum: true, complete: true })
    const found = new Map(result.agents.map(({ agentId, position }) => [toHex(agentId), space.toFixed(position)]))
    expect(found.size).toBe(result.agents.length)
    this.found += found.size
    return found
  }

  /** Brute force over all that was acknowledged: each is where it is, or, while that is uncertain, where it may be. */
  check(found: ReadonlyMap<string, readonly bigint[]>, center: readonly bigint[], radius: bigint): void {
    for (const [name, { q, untilEpoch }] of this.#crowd) {
      const isThere = untilEpoch >= this.world.epoch && q !== undefined && squared(q, center) <= radius ** 2n
      expect(String(found.get(name)), name).toBe(String(isThere ? q : undefined))
    }
    this.#checkAgents(found, center, radius)
    const known = new Set([...this.#crowd.keys(), ...this.agents.map(({ id }) => toHex(id))])
    expect([...found.keys()].filter((name) => !known.has(name))).toEqual([])
  }

  #checkAgents(found: ReadonlyMap<string, readonly bigint[]>, center: readonly bigint[], radius: bigint): void {
    for (const { candidates, id } of this.agents) {
      const at = found.get(toHex(id))
      const isShown = ({ q, untilEpoch }: Candidate) =>
        q !== undefined && untilEpoch >= this.world.epoch && squared(q, center) <= radius ** 2n
      const isRight = candidates.some((one) =>
        at === undefined ? !isShown(one) : isShown(one) && String(one.q) === String(at),
      )
      const about = { agent: toHex(id), at: at?.map(String), center: center.map(String), radius: String(radius) }
      const may = candidates.map(({ q, untilEpoch }) => `${q} until ${untilEpoch}`)
      expect(isRight, JSON.stringify({ ...about, epoch: this.world.epoch, may })).toBe(true)
    }
  }

  async checkAround(agent: Modelled): Promise<void> {
    await this.early()
    const step = BigInt(this.ground.step * UNIT)
    for (const q of [...agent.candidates.slice(0, 3).map((one) => one.q), ...agent.past]) {
      if (q === undefined) continue
      // At the place itself, with the radius of the world, and with the agent on the very edge of the ball.
      const beside = [(q[0] as bigint) - this.reach, ...q.slice(1)]
      for (const [center, radius] of [
        [q, 0n],
        [q, this.reach],
        [beside, this.reach],
        [beside, this.reach - step],
      ] as const) {
        this.check(await this.world.run(this.query(center, radius)), center, radius)
      }
    }
  }

  /** Parts the network and spoils it while `work` goes on. */
  async among(
    troubles: { readonly away: Away; readonly isLossy?: boolean },
    agent: Modelled,
    work: () => Promise<unknown>,
  ) {
    const { network, nodes } = this.world
    const isAway = (node: WorldNode, i: number) =>
      troubles.away === 'where it was' ? this.#holds(node, agent) : troubles.away.includes(i)
    const here = nodes.filter((node, i) => node.stakeId === agent.host || !isAway(node, i))
    network.partition([here.map(({ signer }) => signer.address)])
    if (troubles.isLossy === true) network.model = LOSSY
    await work()
    network.heal()
    network.model = CALM_NETWORK
  }

  #holds({ stakeId }: WorldNode, agent: Modelled): boolean {
    const { space } = this.ground
    const { dht } = this.world.of(1)
    const recordKey = dht.spatial.hashPosition(space.fromFixed(this.at(agent)), space)
    return dht.tables.setsOf(recordKey, this.world.epoch, 3).members.includes(stakeId)
  }

  /** A lease as its authority signs it. */
  async leaseFor(agent: Modelled, host: number, number: bigint): Promise<NonNullable<Modelled['lease']>> {
    const { epoch, world } = { epoch: this.world.epoch, world: this.world }
    const untilEpoch = epoch + LIFE_EPOCHS - 1
    const value = encodeLease({
      ...{ agentId: agent.id, hostStakeId: BigInt(host), number, untilEpoch: BigInt(untilEpoch) },
    })
    const position = await world.of(agent.authorityStake).guard.reserve(KIND.put)
    const index = Number(position & 0xffff_ffffn)
    const body = {
      ...{ keyType: KEY_TYPE.owner, keyPreimage: leaseNameHash(agent.id), valueRoot: chunkRoot(value) },
      ...{ size: value.length, expiryEpoch: BigInt(untilEpoch) },
    }
    const [record] = world.puts(agent.authorityStake, [{ value, body: body as never }], { epoch, index })
    if (record === undefined) throw new RangeError('one body makes one record')
    return { number, untilEpoch, leaseFrame: record.frame }
  }
}

/** Whether it was acknowledged. What no caller is told of is a fault. */
function outcomeOf(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    (error: unknown) => {
      if (error instanceof SuprnovaError) return false
      throw error
    },
  )
}

async function run(play: Play, command: Command): Promise<void> {
  await play.early()
  const { agents, world } = play
  switch (command.do) {
    case 'move': {
      const one = agents[command.agent] as Modelled
      const to = command.isStep ? play.stepFrom(play.at(one), command.to) : play.point(command.to)
      await play.among(command, one, () => play.announce(one, to, command.ttl)())
      return play.checkAround(one)
    }
    case 'race': {
      // Readers and a move under way at once: each sees it before or after, and never nowhere.
      const one = agents[command.agent] as Modelled
      const center = play.at(one)
      const to = play.point(command.to)
      const before = [0, 1].map(() => play.query(center))
      const end = play.announce(one, to, TTL_MAX)
      const looks = [...before, play.query(center), play.query(to)]
      const seen = await world.run(Promise.all(looks))
      for (const [i, found] of seen.entries()) play.check(found, i < 3 ? center : to, play.reach)
      await end()
      return play.checkAround(one)
    }
    case 'all': {
      const ends = agents.map((one, i) => play.announce(one, play.point(command.to[i] as number[]), TTL_MAX))
      for (const end of ends) await end()
      for (const one of agents) await play.checkAround(one)
      return
    }
    case 'leave': {
      const one = agents[command.agent] as Modelled
      await play.among(command, one, () => play.leave(one))
      return play.checkAround(one)
    }
    case 'wait':
      await world.epochs(command.epochs)
      for (const one of agents) await play.checkAround(one)
      return
    case 'kill': {
      // kill -9 in the middle of a move, and again on the disk that it had.
      const one = agents[command.agent] as Modelled
      one.isInDoubt = true
      void play.announce(one, play.point(command.to), TTL_MAX)
      await world.time.advance(command.afterMs)
      world.kill(one.host)
      await world.open(one.host)
      return play.checkAround(one)
    }
    case 'crowd': {
      const one = agents[command.agent] as Modelled
      await play.crowd(play.at(one), command.ttl)
      return play.checkAround(one)
    }
    case 'handOver': {
      const one = agents[command.agent] as Modelled
      // Early: the old host lets go first. Else the authority waits for the end of all that the old host may have said.
      if (command.early) {
        if (!(await play.leave(one))) return
      } else {
        await world.epochs(Math.max(0, one.least + 1 - world.epoch))
        one.candidates = [NOWHERE]
      }
      const host = 1 + (one.host % WRITERS)
      one.lease = await play.leaseFor(one, host, (one.lease?.number ?? 0n) + 1n)
      one.host = host
      one.least = 0
      await play.early()
      expect(await play.announce(one, play.at(one), 4)()).toBe(true)
      return play.checkAround(one)
    }
  }
}

describe('the spatial index of whole nodes against brute force', () => {
  it(
    'finds exactly the agents that are there, through moves, losses, kills, crowds, expiry and leases',
    async () => {
      let found = 0
      await fc.assert(
        fc.asyncProperty(grounds, fc.nat(), commands, async (ground, seed, given) => {
          const play = await Play.begin(ground, seed)
          for (const command of given) await run(play, command)
          const center = play.point([0, 0, 0])
          await play.early()
          play.check(await play.world.run(play.query(center)), center, play.reach)
          await play.end()
          found += play.found
        }),
        { numRuns: RUNS, ...(IS_LONG ? {} : { seed: SEED }) },
      )
      // Whoever finds nobody is right about nothing.
      expect(found).toBeGreaterThan(RUNS * 20)
    },
    TIMEOUT_MS * (IS_LONG ? 60 : 1),
  )
})
