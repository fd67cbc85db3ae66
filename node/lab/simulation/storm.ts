import { equalBytes, type ProtocolParams, SuprnovaError } from '../../core/index.ts'
import { chunkRoot, epochAt, epochOf, keccak256 } from '../../statements/index.ts'
import { drawLie, equivocate, send, type TwoFaces, twoFaced } from './lies.ts'
import { type Acknowledged, RecordOracle } from './record-oracle.ts'
import type { SeededRandom } from './seeded-random.ts'
import { CALM_NETWORK, type NetworkModel } from './simulated-network.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { SimulatedWorld } from './simulated-world.ts'
import type { WitnessedReceipt } from './statement-witness.ts'

/** Short enough that promises end within a run, and limits that a run can meet. */
export const STORM_PARAMS: ProtocolParams = {
  epochSeconds: 10,
  putLimit: 256,
  gossipLimit: 256,
  receiptLimit: 512,
  receiptLifeSeconds: 300,
  responseSeconds: 20,
  responseBlocks: 10,
  evidenceWindowSeconds: 300,
  skewSeconds: 10,
  unbondingSeconds: 700,
  rewardWindowSeconds: 30,
  jailSeconds: 30,
  correlationSeconds: 300,
  drawDelayBlocks: 2,
}
/** More than a reorganisation and a clock that is ahead by the skew together. */
const TABLE_LAG_SECONDS = 15
const REORG_MOST_SECONDS = 4
const EPOCH_MS = STORM_PARAMS.epochSeconds * 1_000
const CHAOS_MS = 5 * EPOCH_MS
/** Tables lag by two epochs, a guard waits for two, repair goes over everything within one. */
const CALM_MS = 5 * EPOCH_MS
/** A read or a store is over by then, whatever happens. */
const OPERATION_MS = 30_000
/** A machine that is down for longer is no longer run by somebody who means to answer challenges. */
const DOWN_MOST_MS = 8_000
const NAMES = 3
const VALUE_SIZES = [0, 40, 1_024, 1_025, 3_000]

export interface StormOptions {
  readonly seed: string
  readonly nodes?: number
  readonly rounds?: number
}

/** What a run came to. `problems` is empty, or the code under test breaks a promise. */
export interface StormReport {
  readonly seed: string
  readonly fingerprint: string
  readonly problems: readonly string[]
  readonly counts: {
    readonly events: number
    readonly statements: number
    readonly stores: number
    readonly failedStores: number
    readonly reads: number
    readonly challenges: number
    readonly answered: number
    readonly faults: number
    readonly disksLost: number
    readonly convicted: number
  }
}

/**
 * Plays one seed: rounds of faults of all sorts, each followed by a calm in which repair has its chance, after which every
 * acknowledged record must be there. Reads, challenges and statements are judged all the time.
 */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  return new Storm(options).run()
}

class Storm {
  readonly #options: StormOptions
  readonly #random: SeededRandom
  readonly #world: SimulatedWorld
  readonly #oracle: RecordOracle
  readonly #backups = new Map<number, ReadonlyMap<string, Uint8Array>>()
  /** Chain time at which a node's disk was lost for good. */
  readonly #lostAt = new Map<number, number>()
  readonly #rotating = new Set<number>()
  /** Processes whose end was seen. */
  readonly #noticed = new Set<object>()
  #mayLoseDisk = false
  #faults = 0
  #failedStores = 0
  #receiptsSeen = 0
  #calmLetters = 0

  constructor(options: StormOptions) {
    this.#options = options
    const random = options.seed
    this.#world = new SimulatedWorld({
      seed: random,
      params: STORM_PARAMS,
      lagSeconds: TABLE_LAG_SECONDS,
      nodes: options.nodes ?? 9,
      lieOf: (index, world) => {
        const draw = world.random.fork(`lie ${index}`)
        const { separator, witness } = world
        const names = Array.from({ length: NAMES }, (_, number) => nameHash(number))
        const means = { addresses: () => world.addresses(), names }
        if (index === 0) return draw.chance(0.6) ? drawLie({ separator, witness, random: draw }, means) : undefined
        if (index === 1) return draw.chance(0.5) ? twoFaced : undefined
        return undefined
      },
    })
    this.#random = this.#world.random.fork('storm')
    const { witness } = this.#world
    this.#oracle = new RecordOracle(STORM_PARAMS, { witness, nodeOf: (stakeId) => this.#world.nodes.get(stakeId) })
  }

  async run(): Promise<StormReport> {
    const { seed, rounds = 2 } = this.#options
    const { court, network, surprises, time, witness } = this.#world
    this.#world.startAll()
    this.#pump('challenges what is nearly over', 1_000, () => this.#challengeNew())
    this.#pump('looks after nodes', 1_000, () => this.#lookAfter())
    this.#pump('looks after keys', 3_000, () => this.#restartRotated())
    await time.advance(EPOCH_MS)
    for (let round = 0; round < rounds; round++) {
      this.#mayLoseDisk = true
      const untilMs = time.nowMs() + CHAOS_MS
      this.#pump('stores', 900, () => this.#store(), untilMs)
      this.#pump('reads', 900, () => this.#read(), untilMs)
      this.#pump('challenges', 6_000, () => this.#challenge(this.#random.pick(witness.receipts)), untilMs)
      this.#pump('fails', 2_500, () => this.#fail(), untilMs)
      await time.advance(CHAOS_MS)
      this.#calmDown()
      this.#pump('reads', 3_000, () => this.#read(), time.nowMs() + CALM_MS - OPERATION_MS)
      await time.advance(CALM_MS)
      // A liar may have been convicted meanwhile: whoever takes its place gets the same time.
      while (this.#hasNewMembers()) await time.advance(EPOCH_MS)
      await this.#verify(round)
    }
    // What is still open is answered or lost.
    await time.advance((STORM_PARAMS.responseSeconds + 5) * 1_000)
    const lost = court.concluded.filter(({ receipt }) => !this.#isExcused(receipt))
    const problems = [
      ...this.#oracle.problems,
      ...witness.problems,
      ...lost.map(({ receipt, chunkIndex }) => `stake ${receipt.stakeId} lost a challenge of chunk ${chunkIndex}`),
      ...[...surprises, ...network.surprises].map((error) => `surprise: ${describe(error)}`),
    ]
    return {
      seed,
      fingerprint: time.fingerprint(),
      problems,
      counts: {
        events: time.ran,
        statements: witness.statements,
        stores: this.#oracle.stores,
        failedStores: this.#failedStores,
        reads: this.#oracle.reads,
        challenges: court.size,
        answered: court.answered,
        faults: this.#faults,
        disksLost: [...this.#world.nodes.values()].reduce((sum, { disksLost }) => sum + disksLost, 0),
        convicted: this.#world.convicted.size,
      },
    }
  }

  /** Does `action` again and again, `meanMs` apart on average. */
  #pump(label: string, meanMs: number, action: () => void, untilMs = Number.POSITIVE_INFINITY): void {
    const { time } = this.#world
    const next = () => {
      const inMs = this.#random.exponential(meanMs)
      if (time.nowMs() + inMs > untilMs) return
      time.after(inMs, label, () => {
        action()
        next()
      })
    }
    next()
  }

  // What clients do.

  #store(): void {
    const node = this.#running()
    const { process } = node ?? {}
    if (node === undefined || process === undefined) return
    const { dht } = process
    const random = this.#random
    const name = `name ${random.below(NAMES)}`
    const value = random.bytes(random.pick(VALUE_SIZES) as number)
    const epoch = dht.reader.epoch()
    const expiryEpoch = epoch + (random.chance(0.5) ? 2 + random.below(8) : dht.client.lifeEpochs)
    const draw = random.below(10)
    const { replicas, quorum } =
      draw === 0 ? { replicas: 5, quorum: 3 } : draw === 1 ? { replicas: 3, quorum: 3 } : { replicas: 3, quorum: 2 }
    dht.states.storeState(name, value, { expiryEpoch, replicas, quorum }).then(
      ({ leaf, position, receipts, recordKey, rest }) => {
        if (process.life.isOver || !node.isHonest) return
        const givers = new Set(receipts.map(({ stakeId }) => stakeId))
        const version = { rank: 0n, position, leaf }
        const stored = { recordKey, name, owner: node.stakeId, version, expiryEpoch, quorum, givers }
        this.#oracle.stored(node, stored, this.#world.time.nowMs())
        const acknowledged = this.#oracle.newest(recordKey)
        void rest.then((all) => {
          if (acknowledged?.version !== version) return
          for (const { stakeId } of all) this.#oracle.promised(acknowledged, stakeId)
        })
      },
      (error: unknown) => {
        this.#failedStores++
        this.#expected(error)
      },
    )
  }

  #read(): void {
    const node = this.#running()
    const owner = this.#random.pick([...this.#world.nodes.keys()])
    if (node === undefined || owner === undefined) return
    void this.#readAs(node, owner, `name ${this.#random.below(NAMES)}`).catch((error: unknown) => this.#expected(error))
  }

  /** @returns the position found; `undefined` for nothing */
  async #readAs(node: SimulatedNode, owner: number, name: string): Promise<bigint | undefined> {
    const { process } = node
    if (process === undefined) return undefined
    const asked = { clientMs: process.life.clock.nowMs(), spoke: process.view.maySpeak(owner) }
    const { record, recordKey } = await process.dht.states.retrieveState(name, { owner })
    if (record === undefined || process.life.isOver) return undefined
    if (node.isHonest) this.#oracle.read(node, recordKey, record, asked, this.#world.time.nowMs())
    return record.version.position
  }

  #expected(error: unknown): void {
    if (!(error instanceof SuprnovaError)) this.#world.surprises.push(error)
  }

  // What the court is asked.

  #challenge(receipt: WitnessedReceipt | undefined): void {
    if (receipt === undefined) return
    const chunks = Math.ceil(receipt.body.size / 1_024)
    if (chunks > 0) this.#world.court.open(receipt, this.#random.below(chunks))
  }

  /** Some of the new promises are challenged in their last second. */
  #challengeNew(): void {
    const { time, witness } = this.#world
    for (; this.#receiptsSeen < witness.receipts.length; this.#receiptsSeen++) {
      const receipt = witness.receipts[this.#receiptsSeen] as WitnessedReceipt
      if (!this.#random.chance(0.12)) continue
      // The block in which it opens is the one after the running second.
      const endMs = (Number(receipt.body.untilEpoch) + 1) * EPOCH_MS - 1_001 - this.#random.between(0, 1_500)
      time.after(endMs - time.nowMs(), 'the last second of a promise', () => this.#challenge(receipt))
    }
  }

  #challengeOf(stakeId: number, count: number): void {
    const { receipts } = this.#world.witness
    const own = receipts.filter((receipt) => receipt.stakeId === stakeId)
    for (let i = 0; i < count; i++) this.#challenge(this.#random.pick(own))
  }

  /** All copies of a disk gone while receipts are out may cost a replica. */
  #isExcused({ atSeconds, stakeId }: WitnessedReceipt): boolean {
    return (this.#lostAt.get(stakeId) ?? -1) >= atSeconds
  }

  // What fails.

  #fail(): void {
    this.#faults++
    const random = this.#random
    const faults: readonly (readonly [number, () => void])[] = [
      [5, () => this.#restart((node) => node.kill())],
      [4, () => this.#restart((node) => node.losePower())],
      [3, () => this.#crash()],
      [2, () => this.#loseDisk()],
      [3, () => this.#stepClock()],
      [2, () => this.#running()?.setClock(random.between(-900, 900), random.between(-3_000, 3_000))],
      [2, () => this.#slowDisk()],
      [1, () => this.#fillDisk()],
      [3, () => this.#partition()],
      [3, () => this.#roughen()],
      [2, () => this.#busy()],
      [2, () => this.#loseRpc()],
      [1, () => this.#lagBehind()],
      [2, () => this.#changeMembers()],
      [3, () => this.#rotate()],
      [2, () => this.#jail()],
      [2, () => this.#world.chain.reorg(1 + random.below(REORG_MOST_SECONDS))],
      [5, () => this.#equivocate()],
      [2, () => this.#backUp()],
    ]
    let draw = random.below(faults.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, fault] of faults) {
      if (draw < weight) {
        fault()
        return
      }
      draw -= weight
    }
  }

  #restart(end: (node: SimulatedNode) => void): void {
    const node = this.#running()
    if (node === undefined) return
    this.#end(node, end)
    this.#startSoon(node)
  }

  #end(node: SimulatedNode, end: (node: SimulatedNode) => void): void {
    end(node)
    this.#oracle.died(node.stakeId, this.#world.time.nowMs())
    if (this.#random.chance(0.5)) this.#challengeOf(node.stakeId, 2)
  }

  #startSoon(node: SimulatedNode): void {
    const inMs = this.#random.between(200, DOWN_MOST_MS)
    this.#world.time.after(inMs, `${node.name} is started again`, () => node.start())
  }

  /** The process dies in the middle of what it writes. */
  #crash(): void {
    this.#running()?.crashAfter(1 + this.#random.below(40), this.#random.chance(0.5))
  }

  /** Whoever runs a node starts it again when it died by itself. */
  #lookAfter(): void {
    for (const node of this.#world.nodes.values()) {
      if (node.isAlive || this.#noticed.has(node.life ?? node)) continue
      this.#noticed.add(node.life ?? node)
      this.#oracle.died(node.stakeId, this.#world.time.nowMs())
      this.#startSoon(node)
    }
  }

  /** Once a round: fewer than W replicas of a record are lost between repairs. */
  #loseDisk(): void {
    // Those who promised something are lost more often than others.
    const givers = this.#oracle.giversOf((stores) => this.#random.pick(stores))
    const giver = this.#world.nodes.get(this.#random.pick(givers) ?? 0)
    const node = giver?.isRunning === true && this.#random.chance(0.7) ? giver : this.#running()
    if (node === undefined || !this.#mayLoseDisk || !node.isHonest) return
    this.#mayLoseDisk = false
    const backup = this.#backups.get(node.stakeId)
    this.#end(node, () => {
      if (backup !== undefined && this.#random.chance(0.5)) {
        node.restore(backup, { withReboot: this.#random.chance(0.5) })
      } else node.loseDisk()
    })
    this.#oracle.lost(node.stakeId)
    this.#lostAt.set(node.stakeId, this.#world.chain.timestamp)
    this.#startSoon(node)
  }

  #backUp(): void {
    const node = this.#running()
    if (node !== undefined) this.#backups.set(node.stakeId, node.backUp())
  }

  /** A step back or forward, a little or far past the skew, and back again some time later. */
  #stepClock(): void {
    const node = this.#running()
    const far = this.#random.chance(0.5) ? 60_000 : 9_000
    node?.setClock(this.#random.between(-far, far))
    this.#later(10_000, () => node?.setClock(0))
  }

  #slowDisk(): void {
    const node = this.#running()
    if (node === undefined) return
    node.flushMs = this.#random.between(10, 100)
    this.#later(10_000, () => {
      node.flushMs = 1
    })
  }

  /** The guard of a node whose disk took nothing signs no more until it is started again. */
  #fillDisk(): void {
    const node = this.#running()
    if (node === undefined) return
    node.isFull = true
    this.#later(8_000, () => {
      node.isFull = false
      this.#end(node, (one) => one.kill())
      node.start()
    })
  }

  #partition(): void {
    const { network } = this.#world
    const mixed = this.#random.shuffle(this.#world.addresses())
    const cut = 1 + this.#random.below(mixed.length - 1)
    network.partition([mixed.slice(0, cut), mixed.slice(cut)])
    this.#later(8_000, () => network.heal())
  }

  #roughen(): void {
    const { network } = this.#world
    const rate = () => (this.#random.chance(0.6) ? this.#random.between(0, 0.25) : 0)
    const model: NetworkModel = {
      ...{ latencyMs: this.#random.between(1, 40), jitterMs: this.#random.between(1, 200) },
      ...{ lossRate: rate(), answerLossRate: rate(), resetRate: rate(), duplicateRate: rate() },
    }
    network.model = model
    this.#later(12_000, () => {
      network.model = CALM_NETWORK
    })
  }

  #busy(): void {
    const { network } = this.#world
    const node = this.#running()
    if (node === undefined) return
    network.setBusy(node.signer.address, true)
    this.#later(6_000, () => network.setBusy(node.signer.address, false))
  }

  #loseRpc(): void {
    const { process } = this.#running() ?? {}
    process?.view.setStuck(true)
    this.#later(DOWN_MOST_MS, () => process?.view.setStuck(false))
  }

  /** From the next start on the node sees blocks late. */
  #lagBehind(): void {
    const node = this.#running()
    if (node !== undefined) node.viewLagSeconds = this.#random.below(4)
  }

  #changeMembers(): void {
    const active = this.#active()
    const { chain } = this.#world
    if (active.length < 7 || (active.length < 11 && this.#random.chance(0.4))) {
      this.#world.register()
      return
    }
    // One, or all who hold a record: they run on, and hand over what only they have.
    const givers = this.#oracle.giversOf((stores) => this.#random.pick(stores))
    const together = active.filter(({ stakeId }) => givers.includes(stakeId)).slice(0, active.length - 5)
    const leaving = this.#random.chance(0.6) ? together : [this.#random.pick(active) as SimulatedNode]
    for (const { stakeId } of leaving) if (!this.#rotating.has(stakeId)) chain.unbond(stakeId)
  }

  #rotate(): void {
    const node = this.#random.pick(this.#active())
    if (node === undefined || this.#rotating.has(node.stakeId)) return
    this.#rotating.add(node.stakeId)
    this.#rotations.push({ node, ...this.#world.rotate(node) })
  }

  readonly #rotations: { node: SimulatedNode; key: Uint8Array; address: `0x${string}` }[] = []

  /** Whoever runs a node starts it with the new key once that is in force. */
  #restartRotated(): void {
    const { chain } = this.#world
    const epoch = epochAt(chain.timestamp, STORM_PARAMS.epochSeconds)
    for (const rotation of [...this.#rotations]) {
      const { address, key, node } = rotation
      if ((chain.newestKey(address)?.fromEpoch ?? Number.POSITIVE_INFINITY) > epoch) continue
      this.#rotations.splice(this.#rotations.indexOf(rotation), 1)
      this.#rotating.delete(node.stakeId)
      this.#end(node, (one) => one.kill())
      node.useKey(key)
      node.start({ fresh: true })
    }
  }

  /** Only a liar is ever jailed. */
  #jail(): void {
    const { chain, nodes } = this.#world
    const liar = this.#random.pick([...nodes.values()].filter(({ isHonest }) => !isHonest))
    const row = liar && chain.newestStake(liar.stakeId)
    if (liar === undefined || row === undefined || row.tombstoned) return
    if (row.jailedUntil > 0) chain.unjail(liar.stakeId)
    else chain.jail(liar.stakeId)
  }

  #equivocate(): void {
    const { nodes, random, separator, witness } = this.#world
    const liar = [...nodes.values()].find(({ lie }) => lie === twoFaced)
    if (liar === undefined) return
    const options = {
      nameHash: nameHash(this.#random.below(NAMES)),
      expiryEpoch: this.#epoch() + 2 + this.#random.below(10),
    }
    void equivocate(liar, options, { witness, separator, random: random.fork(`two ${this.#faults}`) }).then((faces) => {
      if (faces === undefined) return
      if (this.#random.chance(0.4)) {
        for (const to of this.#world.addresses()) send(liar, to, this.#random.pick(faces.requests) as Uint8Array)
      } else this.#deceiveOne(liar, faces)
    })
    // Whatever becomes of its writer, a promise stands.
    this.#later(10_000, () => {
      const held = witness.receipts.filter(({ body }) => witness.promised(body)?.writerStakeId === liar.stakeId)
      for (let i = 0; i < 6; i++) this.#challenge(this.#random.pick(held))
    })
  }

  /** Shows one replica the one, and after a restart, when it knows no slots of late, the other. */
  #deceiveOne(liar: SimulatedNode, { recordKey, requests }: TwoFaces): void {
    const { time } = this.#world
    const members = liar.process?.dht.tables.table(this.#epoch())?.closest(recordKey, 3) ?? []
    const replica = this.#world.nodes.get(this.#random.pick(members) ?? 0)
    if (replica === undefined || replica === liar) return
    send(liar, replica.signer.address, requests[0])
    time.after(2_000, 'the deceived ends', () => {
      if (replica.isAlive) this.#end(replica, (node) => node.kill())
      replica.start()
    })
    time.after(4_000, 'the deceived is shown the other', () => send(liar, replica.signer.address, requests[1]))
  }

  /** What ends by itself, unless the calm ended it before. */
  #later(withinMs: number, run: () => void): void {
    const letter = this.#calmLetters
    this.#world.time.after(this.#random.between(1_000, withinMs), 'a fault is over', () => {
      if (letter === this.#calmLetters) run()
    })
  }

  /** Every machine is up, every clock right, every disk has room, and messages arrive. */
  #calmDown(): void {
    this.#calmLetters++
    const { network, nodes } = this.#world
    network.model = CALM_NETWORK
    network.heal()
    for (const node of nodes.values()) {
      network.setBusy(node.signer.address, false)
      node.setClock(0)
      node.crashAfter(Number.POSITIVE_INFINITY, false)
      node.flushMs = 1
      node.process?.view.setStuck(false)
      const wasFull = node.isFull
      node.isFull = false
      if (wasFull || node.process?.guard.refusal() === 'closed') this.#end(node, (one) => one.kill())
      node.start()
    }
  }

  /** Every acknowledged record that fewer than W replicas lost since the last repair is there, at all its replicas. */
  async #verify(round: number): Promise<void> {
    const { time } = this.#world
    const epoch = this.#epoch()
    // A newer version hides the acknowledged one, acknowledged or not, and may be over before it.
    const { chain, witness } = this.#world
    const isAlive = ({ owner, recordKey, version }: Acknowledged) =>
      witness.endOf(recordKey, version.position) > epoch + 3 && chain.hasKeyAt(owner, epochOf(version.position))
    const due = [...this.#oracle.acknowledged()].filter(
      (store) => isAlive(store) && store.lost.size < store.quorum && this.#speaks(store.owner),
    )
    const readers = this.#random.shuffle(this.#active()).slice(0, 2)
    const checks = due.flatMap((store) => readers.map((reader) => this.#mustRead(store, reader, round)))
    await time.complete(Promise.all(checks), OPERATION_MS)
    for (const store of due) this.#mustBeAtAllReplicas(store, round)
    for (const node of this.#world.nodes.values()) if (node.isHonest) this.#mustHoldWhatWasSigned(node, round)
    this.#mustHonour(round)
  }

  async #mustRead({ name, owner, version }: Acknowledged, reader: SimulatedNode, round: number): Promise<void> {
    const what = `round ${round}: ${reader.name} reads ${name} of stake ${owner}`
    try {
      const found = await this.#readAs(reader, owner, name)
      if (found === undefined || found < version.position) {
        this.#oracle.problem(`${what}: ${found ?? 'nothing'}, acknowledged was ${version.position}`)
      }
    } catch (error) {
      this.#oracle.problem(`${what}: ${describe(error)}`)
    }
  }

  #mustBeAtAllReplicas(store: Acknowledged, round: number): void {
    const { recordKey, version } = store
    const tables = this.#active()[0]?.process?.dht.tables
    const members = tables?.table(this.#epoch())?.closest(recordKey, 3) ?? []
    const holders: number[] = []
    for (const stakeId of members) {
      const node = this.#world.nodes.get(stakeId)
      const held = node?.process?.dht.replica.book.current({ recordKey, entry: new Uint8Array(32) })
      const what = `${store.name} of stake ${store.owner} at ${version.position}`
      if (held !== undefined && held.version.position >= version.position) {
        holders.push(stakeId)
      } else if (node?.isHonest === true) {
        this.#oracle.problem(`round ${round}: ${node.name} is a replica of ${what} and holds ${held?.version.position}`)
      }
    }
    this.#oracle.repaired(store, holders)
  }

  /** Whether the table changed within the time that repair takes. */
  #hasNewMembers(): boolean {
    const tables = this.#active()[0]?.process?.dht.tables
    const epoch = this.#epoch()
    return [epoch, epoch - 1, epoch - 2].some((one) => tables?.changed(one) === true)
  }

  #epoch(): number {
    return epochAt(this.#world.time.nowMs() / 1_000, STORM_PARAMS.epochSeconds)
  }

  /** Whoever wrote it and whoever gave it: what a replica promises, it has. */
  #mustHoldWhatWasSigned(node: SimulatedNode, round: number): void {
    const { book } = node.process?.dht.replica ?? {}
    for (const meta of book?.list(new Uint8Array(32), new Uint8Array(32).fill(0xff)) ?? []) {
      const put = this.#world.witness.put(meta.putDigest, meta.version.leaf, meta.recordKey)?.puts[meta.version.leaf]
      const value = book?.current(meta)?.value() ?? new Uint8Array()
      if (put !== undefined && equalBytes(chunkRoot(value), put.valueRoot)) continue
      this.#oracle.problem(`round ${round}: ${node.name} holds another value than stake ${meta.writerStakeId} signed`)
    }
  }

  /** Every promise that can still be called in is kept by whoever gave it, on its own disk. */
  #mustHonour(round: number): void {
    const { epochSeconds, responseSeconds, skewSeconds } = STORM_PARAMS
    const seconds = this.#world.chain.timestamp - responseSeconds - skewSeconds
    for (const receipt of this.#world.witness.receipts) {
      const { body, stakeId } = receipt
      const node = this.#world.nodes.get(stakeId)
      if (Number(body.untilEpoch) < epochAt(seconds, epochSeconds) || this.#isExcused(receipt)) continue
      const book = node?.process?.dht.replica.book
      if (book === undefined || book.receipted(body.recordKey, body.putDigest, body.leaf) !== undefined) continue
      this.#oracle.problem(`round ${round}: ${node?.name} promised until ${body.untilEpoch} what it does not hold`)
    }
  }

  #speaks(stakeId: number): boolean {
    const row = this.#world.chain.newestStake(stakeId)
    return row?.status === 'active' && row.jailedUntil === 0 && !row.tombstoned
  }

  /** Honest nodes with a voice whose process runs. */
  #active(): readonly SimulatedNode[] {
    return [...this.#world.nodes.values()].filter(
      (node) => node.isHonest && node.isRunning && this.#speaks(node.stakeId),
    )
  }

  #running(): SimulatedNode | undefined {
    return this.#random.pick([...this.#world.nodes.values()].filter(({ isRunning }) => isRunning))
  }
}

/** As a client hashes it. */
function nameHash(number: number): Uint8Array {
  return keccak256(new Uint8Array(Buffer.from(`name ${number}`)))
}

function describe(error: unknown): string {
  if (error instanceof SuprnovaError) return `${error.code} ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
