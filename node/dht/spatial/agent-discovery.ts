import { type Clock, EXIT, type Hex, type Logger, SuprnovaError, type Table, toHex } from '../../core/index.ts'
import { AUTHORITY } from '../../statements/index.ts'
import { DhtError } from '../errors.ts'
import { cellEntryOf } from '../records/put-reader.ts'
import { AgentFinder, type NearbyOptions } from './agent-finder.ts'
import { agentIdOf, checkAgentId } from './agent-id.ts'
import { type Cell, cellOf, nameOfCell, squaredDistance } from './cells.ts'
import { AGENTS_MAX, LEVELS_DOWN, PLACES_MAX, SPLIT_ENTRIES, SWEEP_AGENTS_MAX, TURNS_MAX } from './constants.ts'
import { Hints } from './hints.ts'
import { type AgentPlaces, nameOfPlace, type Place, PlacesTable } from './places.ts'
import { encodePresence, readPresence } from './presence.ts'
import type { Authority, SpatialAgent, SpatialHashIndex } from './spatial-index.ts'
import { type World, type WorldLike, worldOf } from './world.ts'

export interface AgentDiscoveryModules {
  readonly index: SpatialHashIndex
  readonly table: Table
  readonly clock: Clock
  /** The epoch now. */
  readonly epoch: () => number
  readonly epochSeconds: number
  /** Epochs a record lives at most. */
  readonly lifeEpochs: number
  /** Epochs an agent is shown unless it says otherwise. */
  readonly agentLifeEpochs: number
  readonly ownStakeId: () => number | undefined
  readonly logger: Logger
}

export interface Announcement {
  /** 32 bytes, or a name: then the agent is this stake's of that name. */
  readonly agentId: Uint8Array | string
  readonly position: readonly number[]
  readonly capabilities?: readonly string[]
  readonly data?: unknown
  readonly world?: WorldLike
  /** Whose agent it is; this stake's own by default. */
  readonly authority?: Authority
  /** Epochs for which it is shown: ten minutes of them by default, as long as a record may live at most. */
  readonly ttlEpochs?: number
}

/** What is known of an agent of this node. */
interface Agent extends AgentPlaces {
  readonly name: Hex
  places: readonly Place[]
  value: Uint8Array | undefined
  /** Where it was announced last in this process, and for how many epochs. */
  world: World | undefined
  lifeEpochs: number
  /** A note that a place was cleared, on its way to disk. */
  noting: Promise<void>
  turn: Promise<unknown>
  turns: number
}

/**
 * Agents that say where they are and find one another.
 *
 * What holds the index exact is kept here: every cell in which an agent may have an entry is noted on disk before the
 * entry is written; the new entry is written before the old one is cleared, and never ends before it; and once a call
 * resolved, all that could not be cleared lies within v_max x staleness of the newest entry, where readers look too.
 */
export class AgentDiscoveryProtocol {
  readonly #modules: AgentDiscoveryModules
  readonly #table: PlacesTable
  readonly #hints: Hints
  readonly #finder: AgentFinder
  readonly #agents = new Map<Hex, Agent>()
  /** Entries of this node by the cell they may be in. */
  readonly #crowds = new Map<string, number>()

  /** @throws DhtError `DHT_BAD_ROW` */
  constructor(modules: AgentDiscoveryModules) {
    this.#modules = modules
    this.#table = new PlacesTable(modules.table)
    this.#hints = new Hints(modules)
    this.#finder = new AgentFinder(modules)
    for (const [name, noted] of this.#table.all()) {
      const agent = this.#add(name, noted.agentId)
      agent.value = noted.value
      this.#move(agent, noted.places)
    }
  }

  /**
   * Says where an agent is. The new entry is written before the old one is cleared, so that it is never nowhere. Until
   * the call resolves readers may find it at either place; afterwards at the new one alone. When it rejects the agent is
   * at either; what is left behind is cleared by the next call, or by {@link AgentDiscoveryProtocol.sweep}.
   * @returns the agent's id
   * @throws DhtError `DHT_BAD_PRESENCE`, `DHT_BAD_POSITION`, `DHT_BAD_WORLD`, `DHT_BAD_AGENT`; `DHT_PLACE_NOT_LEFT`;
   * `DHT_LEASE_TOO_SHORT`; `DHT_TOO_MANY_AGENTS`; what `RecordClient.store` throws
   */
  async announcePresence(announcement: Announcement): Promise<Uint8Array> {
    const { agentLifeEpochs, clock, lifeEpochs } = this.#modules
    const { capabilities = [], data, position, ttlEpochs = agentLifeEpochs } = announcement
    const authority = announcement.authority ?? this.#ownAuthority()
    const agentId = this.idOf(announcement.agentId)
    const world = worldOf(announcement.world)
    const q = world.toFixed(position)
    const value = encodePresence({ capabilities, data, timestamp: clock.nowMs() })
    const life = Math.max(1, Math.min(Math.floor(ttlEpochs), lifeEpochs))
    const agent = this.#add(nameOf(agentId, authority), agentId)
    await this.#inTurn(agent, () => this.#announce(agent, { world, q, value, authority, life }))
    return agentId
  }

  /**
   * Whether an agent at that position must be announced: it was not, or something of it is left behind; it crossed a
   * border; it went further than half of v_max x staleness, so that whoever asks twice in that time, and announces then,
   * is never further from its written position than the whole; or its entry is at half its life.
   */
  isDue(
    agentId: Uint8Array | string,
    position: readonly number[],
    authority: Authority = this.#ownAuthority(),
  ): boolean {
    const agent = this.#agents.get(nameOf(this.idOf(agentId), authority))
    const [newest, ...left] = agent?.places ?? []
    if (agent?.world === undefined || newest === undefined || !newest.isSure || left.length > 0) return true
    if (newest.expiryEpoch - this.#modules.epoch() <= agent.lifeEpochs / 2) return true
    const q = agent.world.toFixed(position)
    if (nameOfPlace({ ...newest, q }) !== nameOfPlace(newest)) return true
    return 4n * squaredDistance(q, newest.q) > agent.world.slack * agent.world.slack
  }

  /**
   * Says that an agent is gone.
   * @throws DhtError `DHT_PLACE_NOT_LEFT`: it is tried again by {@link AgentDiscoveryProtocol.sweep}
   */
  async leave(agentId: Uint8Array | string, authority: Authority = this.#ownAuthority()): Promise<void> {
    const agent = this.#agents.get(nameOf(this.idOf(agentId), authority))
    if (agent !== undefined) await this.#inTurn(agent, () => this.#leave(agent))
  }

  /** @throws DhtError as `SpatialHashIndex.agentsIn` */
  findNearby(position: readonly number[], radius: number, options: NearbyOptions = {}): Promise<SpatialAgent[]> {
    return this.#finder.findNearby(position, radius, options)
  }

  idOf(agentId: Uint8Array | string): Uint8Array {
    if (typeof agentId === 'string') return agentIdOf(this.#modules.ownStakeId() ?? 0, agentId)
    checkAgentId(agentId)
    return agentId
  }

  /** Agents known here, and how many of them have left something behind. */
  stats(): { readonly agents: number; readonly unsettled: number; readonly hints: number } {
    const unsettled = [...this.#agents.values()].filter(isUnsettled).length
    return { agents: this.#agents.size, unsettled, hints: this.#hints.size }
  }

  /** Clears what was left behind, by this process or one before it, and forgets what has ended. Never rejects. */
  async sweep(): Promise<void> {
    const now = this.#modules.epoch()
    this.#hints.sweep()
    const over = (agent: Agent) => agent.turns === 0 && agent.places.every(({ expiryEpoch }) => expiryEpoch < now)
    const due = [...this.#agents.values()].filter((agent) => over(agent) || isUnsettled(agent))
    for (const agent of due.slice(0, SWEEP_AGENTS_MAX)) {
      await this.#inTurn(agent, () => this.#settle(agent)).catch((error: unknown) => {
        if (!(error instanceof SuprnovaError)) throw error
        const { agentId, places } = agent
        this.#modules.logger.warn('what an agent left behind could not be cleared', {
          ...{ agent: toHex(agentId), places: places.length, code: error.code },
        })
      })
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all([...this.#agents.values()].map(({ noting, turn }) => Promise.allSettled([turn, noting])))
  }

  async #announce(
    agent: Agent,
    said: {
      readonly world: World
      readonly q: readonly bigint[]
      readonly value: Uint8Array
      readonly authority: Authority
      readonly life: number
    },
  ): Promise<void> {
    const { authority, life, q, value, world } = said
    const { epoch, index } = this.#modules
    // A row that still names what was cleared must be gone before more is written there: a restart would go by it.
    await agent.noting
    const now = epoch()
    this.#move(
      agent,
      agent.places.filter(({ expiryEpoch }) => expiryEpoch >= now),
    )
    const longest = 'untilEpoch' in authority ? authority.untilEpoch : Number.POSITIVE_INFINITY
    // What stands anywhere never outlives what is newer.
    const least = Math.max(0, ...agent.places.map(({ expiryEpoch }) => expiryEpoch))
    const expiryEpoch = Math.max(Math.min(now + life, longest), least)
    if (expiryEpoch > longest) throw leaseTooShort(agent, longest, least)
    const { baseLevel } = world.options
    const [before] = agent.places
    const isHere =
      before !== undefined && nameOfPlace(before) === nameOfPlace({ worldId: world.id, level: before.level, q })
    const known = (cell: Cell) => this.#crowds.get(`${toHex(world.id)}/${nameOfCell(cell)}`) ?? 0
    const lowest = baseLevel - LEVELS_DOWN
    let level = isHere ? before.level : await index.levelFor(world, q, known)
    // Many may ask at once: those that chose the cell meanwhile count.
    while (!isHere && level > lowest && known(cellOf(q, level)) >= SPLIT_ENTRIES) {
      level = await index.levelFor(world, q, known)
    }
    const place: Place = { worldId: world.id, baseLevel, level, q, expiryEpoch, authority, isSure: false }
    const others = agent.places.filter((other) => nameOfPlace(other) !== nameOfPlace(place))
    if (others.length >= PLACES_MAX) throw notLeft(agent, others.length)
    const isNoted = isHere && others.length === 0 && before.expiryEpoch >= expiryEpoch && agent.value !== undefined
    agent.world = world
    agent.lifeEpochs = life
    agent.value = value
    this.#move(agent, [place, ...others])
    if (!isNoted) await this.#table.write(agent.name, agent)
    await this.#writeNewest(agent)
    await this.#clear(agent)
  }

  async #writeNewest(agent: Agent): Promise<void> {
    const [newest, ...others] = agent.places
    if (newest === undefined || agent.value === undefined) return
    const { baseLevel, expiryEpoch, level, q, worldId } = newest
    await this.#hints.ensure({ id: worldId, baseLevel }, q, level, expiryEpoch)
    await this.#modules.index.write({ ...newest, agentId: agent.agentId, value: agent.value })
    this.#move(agent, [{ ...newest, isSure: true }, ...others])
  }

  /**
   * Clears all places but the newest: what stood there now says where the agent went, so that a reader who saw the new
   * cell before it came and the old one after it left still finds it.
   */
  async #clear(agent: Agent): Promise<void> {
    const [newest, ...others] = agent.places
    if (newest === undefined || others.length === 0) return
    const said = agent.value && readPresence(agent.value)
    const moved = said === undefined ? GONE : encodePresence({ ...said, at: newest.q })
    const { slack = 0n } = agent.world ?? {}
    const inReach = ({ isSure, q, worldId }: Place) =>
      isSure && toHex(worldId) === toHex(newest.worldId) && squaredDistance(q, newest.q) <= slack * slack
    await this.#empty(agent, others, {
      valueIn: ({ worldId }) => (toHex(worldId) === toHex(newest.worldId) ? moved : GONE),
      mayStay: inReach,
    })
  }

  async #leave(agent: Agent): Promise<void> {
    await agent.noting
    agent.value = undefined
    await this.#table.write(agent.name, agent)
    await this.#empty(agent, agent.places, { valueIn: () => GONE, mayStay: () => false })
    await agent.noting
  }

  async #settle(agent: Agent): Promise<void> {
    await agent.noting
    const now = this.#modules.epoch()
    this.#move(
      agent,
      agent.places.filter(({ expiryEpoch }) => expiryEpoch >= now),
    )
    if (agent.places.length === 0) {
      // Nobody waits for another turn of it.
      if (agent.turns === 1) this.#agents.delete(agent.name)
      return this.#table.forget(agent.name)
    }
    if (agent.value === undefined) return this.#leave(agent)
    if (agent.places.length === 1) return
    if (agent.places[0]?.isSure !== true) await this.#writeNewest(agent)
    await this.#clear(agent)
  }

  /** Writes over entries; those that could not be written stay noted. @throws DhtError `DHT_PLACE_NOT_LEFT` */
  async #empty(
    agent: Agent,
    places: readonly Place[],
    how: { readonly valueIn: (place: Place) => Uint8Array; readonly mayStay: (place: Place) => boolean },
  ): Promise<void> {
    const left: Place[] = []
    let failure: { readonly cause: unknown } | undefined
    await Promise.all(
      places.map(async (place) => {
        try {
          await this.#modules.index.write({ ...place, agentId: agent.agentId, value: how.valueIn(place) })
        } catch (cause) {
          // Superseded: whoever has the agent now wrote there.
          if (cause instanceof SuprnovaError && cause.code === 'DHT_SUPERSEDED') return
          if (place.expiryEpoch < this.#modules.epoch()) return
          left.push(place)
          if (!how.mayStay(place)) failure ??= { cause }
        }
      }),
    )
    const kept = agent.places.filter((place) => !places.includes(place) || left.includes(place))
    this.#move(agent, kept)
    agent.noting = kept.length === 0 ? this.#table.forget(agent.name) : this.#table.write(agent.name, agent)
    // Awaited by the next turn.
    agent.noting.catch(() => undefined)
    if (failure !== undefined) throw notLeft(agent, left.length, failure.cause)
  }

  #move(agent: Agent, places: readonly Place[]): void {
    for (const place of agent.places) this.#count(nameOfPlace(place), -1)
    for (const place of places) this.#count(nameOfPlace(place), 1)
    agent.places = places
  }

  #count(cell: string, by: number): void {
    const count = (this.#crowds.get(cell) ?? 0) + by
    if (count > 0) this.#crowds.set(cell, count)
    else this.#crowds.delete(cell)
  }

  #add(name: Hex, agentId: Uint8Array): Agent {
    const known = this.#agents.get(name)
    if (known !== undefined) return known
    if (this.#agents.size >= AGENTS_MAX) {
      throw new DhtError('DHT_TOO_MANY_AGENTS', `this node announces ${AGENTS_MAX} agents already`, {
        exitCode: EXIT.tryAgain,
        values: { limit: AGENTS_MAX },
        hint: 'let some leave, or wait until their entries end',
      })
    }
    const agent: Agent = {
      ...{ name, agentId, places: [], value: undefined, world: undefined, lifeEpochs: 0 },
      ...{ noting: Promise.resolve(), turn: Promise.resolve(), turns: 0 },
    }
    this.#agents.set(name, agent)
    return agent
  }

  /** What is said of one agent is said one after the other: the last word is the newest. */
  #inTurn(agent: Agent, say: () => Promise<void>): Promise<void> {
    if (agent.turns >= TURNS_MAX) {
      throw new DhtError('DHT_AGENT_BUSY', `${TURNS_MAX} words of one agent are waiting to be said`, {
        exitCode: EXIT.tryAgain,
        values: { agentId: toHex(agent.agentId), limit: TURNS_MAX },
        hint: 'await each call before the next of the same agent',
      })
    }
    agent.turns++
    const said = agent.turn.then(say).finally(() => {
      agent.turns--
    })
    agent.turn = said.catch(() => undefined)
    return said
  }

  #ownAuthority(): Authority {
    return { stakeId: this.#modules.ownStakeId() ?? 0 }
  }
}

const GONE = new Uint8Array()

/** Its places are not what they should be: more than one, or one it should have left. */
function isUnsettled({ places, value }: Agent): boolean {
  return places.length > 1 || (places.length > 0 && value === undefined)
}

function nameOf(agentId: Uint8Array, { stakeId }: Authority): Hex {
  const entry = { level: 0, position: [], agentId, leaseNumber: 0n, leaseUntilEpoch: 0n }
  return toHex(cellEntryOf({ ...entry, authorityKind: AUTHORITY.writer, authorityStakeId: BigInt(stakeId) }))
}

function notLeft(agent: Agent, places: number, cause?: unknown): DhtError {
  const agentId = toHex(agent.agentId)
  return new DhtError('DHT_PLACE_NOT_LEFT', `an entry of agent ${agentId} could not be cleared in ${places} cells`, {
    exitCode: EXIT.tryAgain,
    ...(cause === undefined ? {} : { cause }),
    values: { agentId, places },
    hint: 'it may still be found there; announce it again, or let it leave',
  })
}

function leaseTooShort(agent: Agent, untilEpoch: number, least: number): DhtError {
  const agentId = toHex(agent.agentId)
  return new DhtError(
    'DHT_LEASE_TOO_SHORT',
    `an entry of agent ${agentId} lives until epoch ${least}, and its lease ends with ${untilEpoch}`,
    {
      values: { agentId, untilEpoch, least },
      hint: 'a lease ends no earlier than what was written under the one before it',
    },
  )
}
