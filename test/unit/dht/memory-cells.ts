import type { Clock, Table } from '../../../node/core/index.ts'
import { toHex } from '../../../node/core/index.ts'
import { DhtError } from '../../../node/dht/errors.ts'
import type { DhtRecord } from '../../../node/dht/interface.ts'
import { cellEntryOf } from '../../../node/dht/records/put-reader.ts'
import { compareVersions } from '../../../node/dht/records/version.ts'
import { AgentDiscoveryProtocol } from '../../../node/dht/spatial/agent-discovery.ts'
import {
  type CellDraft,
  type CellRecords,
  type ReadCell,
  SpatialHashIndex,
} from '../../../node/dht/spatial/spatial-index.ts'
import type { SeededRandom } from '../../../node/lab/simulation/seeded-random.ts'
import { noLogger } from '../../../node/lab/simulation/silence.ts'
import { recordKeyOf } from '../../../node/statements/index.ts'

const REPLICAS = 3
const QUORUM = 2
export const LIFE_EPOCHS = 8
export const EPOCH_SECONDS = 10

/** What happens to a write of a cell entry. */
export type Fate =
  /** Two replicas hold it; whether the third does is a matter of chance, for ever. */
  | 'stored'
  /** So many replicas hold it, and the writer is told that it failed. */
  | { readonly refusedAfter: number }
  /** So many replicas hold it, and the writer's process is no more. */
  | { readonly killedAfter: number }
  /** Stored, and from now on the writer's disk takes nothing, until the process ends. */
  | 'stored, disk stalls'

/** Cells at three replicas each, in memory, without signatures: what the index and the discovery stand on. */
export class MemoryCells {
  readonly random: SeededRandom
  epoch = 1_000
  readonly #cells = new Map<string, Map<string, DhtRecord>[]>()
  #index = 0

  constructor(random: SeededRandom) {
    this.random = random
  }

  get clock(): Clock {
    return { nowMs: () => this.epoch * EPOCH_SECONDS * 1_000 }
  }

  /** Lets others go first, as often as chance has it. */
  async pause(): Promise<void> {
    for (let left = this.random.below(6); left > 0; left--) await Promise.resolve()
  }

  async readCells(keys: readonly Uint8Array[], consistency: 'quorum' | 'one') {
    const cells = await Promise.all(keys.map((key) => this.#readCell(key, consistency === 'one' ? 1 : QUORUM)))
    return { cells, asked: keys.length }
  }

  /** @returns whether enough of the replicas took it */
  async put(record: DhtRecord, replicas: number): Promise<'held' | 'superseded'> {
    const held = this.#replicasOf(record.recordKey)
    let superseded = 0
    for (const at of this.#shuffled().slice(0, replicas)) {
      await this.pause()
      const entries = held[at] as Map<string, DhtRecord>
      const known = entries.get(toHex(record.entry))
      if (known !== undefined && compareVersions(known.version, record.version) > 0) superseded++
      else entries.set(toHex(record.entry), record)
    }
    return superseded > REPLICAS - QUORUM ? 'superseded' : 'held'
  }

  signed(draft: CellDraft, writerStakeId: number): DhtRecord {
    const { cell } = draft
    const common = { keyPreimage: draft.keyPreimage, size: draft.value.length, valueRoot: new Uint8Array(32) }
    const expiryEpoch = BigInt(Math.min(draft.expiryEpoch, this.epoch + LIFE_EPOCHS))
    const put = { ...common, keyType: 3 as const, expiryEpoch, cell }
    return {
      ...{
        put,
        writerStakeId,
        value: draft.value,
        signer: '0x00',
        frame: new Uint8Array(),
        putDigest: new Uint8Array(),
      },
      ...{ recordKey: recordKeyOf(put, writerStakeId), entry: cellEntryOf(cell) },
      version: { rank: cell.leaseNumber, position: (BigInt(this.epoch) << 32n) | BigInt(this.#index++), leaf: 0 },
    }
  }

  /** Live entries of a cell at any replica. */
  entries(recordKey: Uint8Array): readonly DhtRecord[] {
    return this.#replicasOf(recordKey).flatMap((replica) =>
      [...replica.values()].filter((record) => this.#isLive(record)),
    )
  }

  async #readCell(key: Uint8Array, answers: number): Promise<ReadCell> {
    const newest = new Map<string, DhtRecord>()
    for (const at of this.#shuffled().slice(0, answers)) {
      await this.pause()
      for (const [name, record] of this.#replicasOf(key)[at] as Map<string, DhtRecord>) {
        const known = newest.get(name)
        if (!this.#isLive(record)) continue
        if (known === undefined || compareVersions(known.version, record.version) < 0) newest.set(name, record)
      }
    }
    return { records: [...newest.values()], quorum: answers >= QUORUM, complete: true }
  }

  #isLive({ put }: DhtRecord): boolean {
    return put.expiryEpoch >= BigInt(this.epoch)
  }

  #replicasOf(key: Uint8Array): Map<string, DhtRecord>[] {
    const name = toHex(key)
    const known = this.#cells.get(name)
    if (known !== undefined) return known
    const made = Array.from({ length: REPLICAS }, () => new Map<string, DhtRecord>())
    this.#cells.set(name, made)
    return made
  }

  #shuffled(): number[] {
    return this.random.shuffle([...Array(REPLICAS).keys()])
  }
}

/** A node that announces agents: it can be killed between any two writes, and starts again from its disk. */
export class Writer {
  readonly stakeId: number
  readonly #cells: MemoryCells
  readonly #disk = new Map<string, readonly [Uint8Array, Uint8Array]>()
  #life = 0
  #isStalled = false
  #flushing: Promise<void> = Promise.resolve()
  /** What becomes of the next writes; `stored` when it is used up. */
  fates: Fate[] = []
  #whenKilled: () => void = () => undefined
  killed: Promise<'killed'> = new Promise(() => {})
  index!: SpatialHashIndex
  agents!: AgentDiscoveryProtocol

  constructor(stakeId: number, cells: MemoryCells) {
    this.stakeId = stakeId
    this.#cells = cells
    this.start()
  }

  /** Ends the process that runs, if one does, and starts the next. */
  start(): void {
    const life = ++this.#life
    this.#whenKilled()
    this.killed = new Promise((resolve) => {
      this.#whenKilled = () => resolve('killed')
    })
    this.fates = []
    this.#flushing = Promise.resolve()
    this.#isStalled = false
    this.index = new SpatialHashIndex(this.#records(life))
    this.agents = new AgentDiscoveryProtocol({
      index: this.index,
      table: this.#table(life),
      clock: this.#cells.clock,
      epoch: () => this.#cells.epoch,
      epochSeconds: EPOCH_SECONDS,
      lifeEpochs: LIFE_EPOCHS,
      agentLifeEpochs: LIFE_EPOCHS,
      ownStakeId: () => this.stakeId,
      logger: noLogger,
    })
  }

  /** How a call ended, with what becomes of its writes. */
  async say(call: (agents: AgentDiscoveryProtocol) => Promise<unknown>, fates: readonly Fate[] = []) {
    this.fates = [...fates]
    const { killed } = this
    const said = call(this.agents).then(
      () => 'done' as const,
      (error: unknown) => {
        if (error instanceof DhtError) return 'failed' as const
        throw error
      },
    )
    const outcome = await Promise.race([said, killed])
    this.fates = []
    return outcome
  }

  #records(life: number): CellRecords {
    const cells = this.#cells
    return {
      readCells: (keys, { consistency }) => cells.readCells(keys, consistency),
      store: async (draft) => {
        await this.#alive(life)
        const fate = this.fates.shift() ?? 'stored'
        const record = cells.signed(draft, this.stakeId)
        if (fate === 'stored, disk stalls') this.#isStalled = true
        if (fate === 'stored' || fate === 'stored, disk stalls') {
          const held = await cells.put(record, cells.random.chance(0.5) ? REPLICAS : QUORUM)
          await this.#alive(life)
          if (held === 'superseded') throw new DhtError('DHT_SUPERSEDED', 'a newer version is there')
          return { record }
        }
        await cells.put(record, 'killedAfter' in fate ? fate.killedAfter : fate.refusedAfter)
        if ('killedAfter' in fate && life === this.#life) this.start()
        await this.#alive(life)
        throw new DhtError('DHT_TOO_FEW_RECEIPTS', 'too few receipts')
      },
    }
  }

  #table(life: number): Table {
    return {
      get: (key) => this.#disk.get(toHex(key))?.[1],
      range: () => [...this.#disk.values()],
      // As a disk does: later, in order, and nothing of it when the process ends before.
      write: (rows) => {
        this.#flushing = this.#flushing.then(async () => {
          await this.#cells.pause()
          if (this.#isStalled) await new Promise(() => {})
          await this.#alive(life)
          for (const [key, value] of rows) {
            if (value === undefined) this.#disk.delete(toHex(key))
            else this.#disk.set(toHex(key), [key, value])
          }
        })
        return this.#flushing
      },
    }
  }

  /** What a process that is no more awaits never comes. */
  #alive(life: number): Promise<void> {
    return life === this.#life ? Promise.resolve() : new Promise(() => {})
  }
}
