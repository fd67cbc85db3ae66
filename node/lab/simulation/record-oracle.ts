import { type Hex, type ProtocolParams, toHex } from '../../core/index.ts'
import type { DhtRecord, Version } from '../../dht/index.ts'
import { chunkRoot, epochAt, isInTenure } from '../../statements/index.ts'
import type { SimulatedNode } from './simulated-node.ts'
import type { StatementWitness } from './statement-witness.ts'

/** A store that was told to be done. */
export interface Acknowledged {
  readonly recordKey: Uint8Array
  readonly name: string
  readonly owner: number
  readonly version: Version
  readonly expiryEpoch: number
  readonly quorum: number
  /** Who promised it. */
  readonly givers: Set<number>
  /** Those of them that lost it for good, or never had it, since it was last seen at all its replicas. */
  readonly lost: Set<number>
}

/** What a client saw last of a record, and when; a crash may take what was not flushed yet. */
interface Seen {
  readonly version: Version
  readonly atMs: number
  readonly isDurable: boolean
}

/** A client has told its disk what it read by then. */
const FLOOR_FLUSH_MS = 2_000

/** Knows what was promised to clients and what they saw, and says where a read or the network falls behind it. */
export class RecordOracle {
  readonly #params: ProtocolParams
  readonly #witness: StatementWitness
  readonly #nodeOf: (stakeId: number) => SimulatedNode | undefined
  readonly #acknowledged = new Map<Hex, Acknowledged>()
  readonly #seen = new Map<string, Seen[]>()
  readonly problems: string[] = []
  stores = 0
  reads = 0

  constructor(
    params: ProtocolParams,
    modules: {
      readonly witness: StatementWitness
      readonly nodeOf: (stakeId: number) => SimulatedNode | undefined
    },
  ) {
    this.#params = params
    this.#witness = modules.witness
    this.#nodeOf = modules.nodeOf
  }

  /** The newest store of each record. */
  acknowledged(): Iterable<Acknowledged> {
    return this.#acknowledged.values()
  }

  stored(client: SimulatedNode, store: Omit<Acknowledged, 'lost'>, atMs: number): void {
    this.stores++
    const key = toHex(store.recordKey)
    if (store.givers.size < store.quorum) {
      this.#problem(`${store.name} of ${client.name}: done at ${store.givers.size} receipts of ${store.quorum}`)
    }
    const before = this.#acknowledged.get(key)
    const acknowledged: Acknowledged = { ...store, lost: new Set() }
    for (const giver of store.givers) this.promised(acknowledged, giver)
    if (before === undefined || compare(before.version, store.version) < 0) this.#acknowledged.set(key, acknowledged)
    this.#see(client, key, store.version, atMs)
  }

  /** One more receipt for a store; whoever lies has lost the record already. */
  promised(store: Acknowledged, giver: number): void {
    store.givers.add(giver)
    if (this.#nodeOf(giver)?.isHonest !== true) store.lost.add(giver)
  }

  /** Some of those who promised the newest store of a record, drawn by `pick`. */
  giversOf(pick: (stores: readonly Acknowledged[]) => Acknowledged | undefined): readonly number[] {
    return [...(pick([...this.#acknowledged.values()])?.givers ?? [])]
  }

  newest(recordKey: Uint8Array): Acknowledged | undefined {
    return this.#acknowledged.get(toHex(recordKey))
  }

  /** A replica's disk is gone for good. */
  lost(stakeId: number): void {
    for (const { givers, lost } of this.#acknowledged.values()) if (givers.has(stakeId)) lost.add(stakeId)
    for (const key of this.#seen.keys()) if (key.startsWith(`${stakeId} `)) this.#seen.delete(key)
  }

  /** A process of the client ended: what it had not flushed it need not know any more. */
  died(stakeId: number, atMs: number): void {
    for (const [key, seen] of this.#seen) {
      if (!key.startsWith(`${stakeId} `)) continue
      this.#seen.set(
        key,
        seen.filter((one) => one.isDurable && one.atMs <= atMs - FLOOR_FLUSH_MS),
      )
    }
  }

  /** All replicas of a record hold it: from here on it counts anew who loses it. */
  repaired(store: Acknowledged, holders: readonly number[]): void {
    store.lost.clear()
    store.givers.clear()
    for (const holder of holders) store.givers.add(holder)
  }

  /**
   * A read gave a record.
   * @param asked when it was asked for: who spoke and what time it was for the client then
   */
  read(
    client: SimulatedNode,
    recordKey: Uint8Array,
    record: DhtRecord,
    asked: { readonly clientMs: number; readonly spoke: boolean },
    atMs: number,
  ): void {
    this.reads++
    const key = toHex(recordKey)
    const name = `${client.name} read ${key.slice(0, 10)}`
    // 1. Signed, by this key's owner, and exact.
    const put = this.#witness.put(record.putDigest, record.version.leaf, recordKey, { signer: record.signer })
    const body = put?.puts[record.version.leaf]
    if (put === undefined || body === undefined) {
      this.#problem(`${name}: a PUT of this record that nobody signed`)
      return
    }
    if (toHex(chunkRoot(record.value)) !== toHex(body.valueRoot)) this.#problem(`${name}: another value than signed`)
    // 2. Alive, and of an active stake, at the beginning or the end of the read.
    const { process } = client
    const nowMs = process?.life.clock.nowMs() ?? asked.clientMs
    const epoch = epochAt(Math.min(nowMs, asked.clientMs) / 1_000, this.#params.epochSeconds)
    if (body.expiryEpoch < BigInt(epoch)) this.#problem(`${name}: it ended with ${body.expiryEpoch}, it is ${epoch}`)
    const speaks = process?.view.maySpeak(put.writerStakeId) ?? true
    if (!asked.spoke && !speaks) this.#problem(`${name}: its writer ${put.writerStakeId} may not speak`)
    const signed = put.signed.statement
    const tenure = process?.view.key(put.signed.signer)
    if (tenure !== undefined && !isInTenure(signed.kind, signed.position, tenure)) {
      this.#problem(`${name}: signed by a key that was not its stake's in that epoch`)
    }
    // 3. Not behind what this client has seen.
    const seen = this.#seen.get(`${client.stakeId} ${key}`)?.at(-1)
    if (seen !== undefined && compare(record.version, seen.version) < 0) {
      this.#problem(`${name}: version ${record.version.position}, seen was ${seen.version.position}`)
    }
    this.#see(client, key, record.version, atMs)
  }

  problem(what: string): void {
    this.#problem(what)
  }

  #see(client: SimulatedNode, key: Hex, version: Version, atMs: number): void {
    const name = `${client.stakeId} ${key}`
    const seen = this.#seen.get(name) ?? []
    const newest = seen.at(-1)
    if (newest !== undefined && compare(newest.version, version) >= 0) return
    this.#seen.set(name, [...seen, { version, atMs, isDurable: !client.isFull }])
  }

  #problem(what: string): void {
    this.problems.push(what)
  }
}

function compare(a: Version, b: Version): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1
  if (a.position !== b.position) return a.position < b.position ? -1 : 1
  return a.leaf - b.leaf
}
