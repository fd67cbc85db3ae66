import { createWalletClient, http } from 'viem'
import { type ChainWallet, openChallenge } from '../chain/index.ts'
import { type Address, fromHex, type Hex, SuprnovaError, toHex } from '../core/index.ts'
import {
  type Announcement,
  type KeptReceipt,
  type MeshDHTAdapter,
  type NearbyOptions,
  nameHashOf,
  type Place,
  type QueryOptions,
  type QueryResult,
  REPLICAS_DEFAULT,
  type ReceiptFile,
  type RenewedState,
  type RenewOptions,
  type RetrieveStateOptions,
  type SpatialAgent,
  STATE_MAX_BYTES,
  type StateKey,
  type StoredState,
  type StoreStateOptions,
  type WorldLike,
} from '../dht/index.ts'
import type { PeerWalk } from '../net/index.ts'
import { DomainSeparator, keccak256 } from '../statements/index.ts'
import { type NodeConfigInput, parseNodeConfig } from './config.ts'
import { FIRST_PEERS_LOOK_MS, FIRST_PEERS_MS } from './constants.ts'
import { createNode, type NodeModules } from './createNode.ts'
import type { SuprnovaNode } from './node.ts'
import { openKeys } from './node-keys.ts'
import { settingsOf } from './settings.ts'
import { systemClock, systemRandom, systemTimers } from './system.ts'
import { wholeValue } from './whole-value.ts'

/** A receipt that needs no further challenge. */
const SEEN_TO: ReadonlySet<string> = new Set(['CONTRACT_ALREADY_OPEN', 'CONTRACT_ALREADY_BROKEN'])
const NOBODY_CHALLENGED = { challenges: [], unchallenged: [] } as const
/** Where messages go that name no topic. */
export const MESSAGE_TOPIC = 'suprnova/messages'

/** The seed's two words; the rest comes from the environment and `suprnova.json`, see `settingsOf`. */
export interface SuprnovaDHTOptions extends Partial<NodeConfigInput> {
  /** A hash of a biometric template (0x and 64 hex digits), or any text that is hashed: never the template. */
  readonly biometricId: string
  /** `https://current-reality.eth` or `current-reality.eth`. */
  readonly egiCoordinator: string
}

export interface Message {
  /** Who says it, and to whom; names of agents or anything else. Everybody hears it all the same. */
  readonly from: string
  readonly to?: string | undefined
  /** Text, bytes, or anything that JSON can hold. */
  readonly payload: unknown
  /** {@link MESSAGE_TOPIC} by default. */
  readonly topic?: string | undefined
}

/** A message as it came, with the stake that signed it. */
export interface HeardMessage extends Message {
  readonly signer: Address
  readonly stakeId: number
}

/** A peer that messages can be handed on to. */
export interface DhtPeer {
  readonly stakeId: number
  readonly address: Address
  /** Says a message to this peer's stake: signed, by gossip, addressed to it. */
  forwardMessage(message: Omit<Message, 'to'>): Promise<void>
}

export interface ReadState {
  /** `undefined` when nobody showed a record. */
  readonly value: Uint8Array | undefined
  /** Whether enough replicas answered that no acknowledged store was missed. */
  readonly quorum: boolean
  readonly writerStakeId: number | undefined
  /** Stakes that promised this version to this node and did not show it. */
  readonly missing: readonly number[]
  /** Challenges that were opened against them, when `challenge` asked for it; none that were open before. */
  readonly challenges: readonly Hex[]
  /** Stakes of `missing` that could not be challenged, and why. The value is read all the same; ask again. */
  readonly unchallenged: readonly { readonly stakeId: number; readonly error: Error }[]
}

/**
 * The accountable DHT in one object: a node of its own in this process.
 *
 * @example
 *   const dht = new SuprnovaDHT({ biometricId, egiCoordinator: 'https://current-reality.eth' })
 *   await dht.start()
 *   await dht.storeState('greeting', 'hello')
 *   const { value } = await dht.retrieveState('greeting')
 *   await dht.stop()
 */
export class SuprnovaDHT {
  /** keccak256 of the biometric id, or the id itself when it is a hash: what a person key is derived from. */
  readonly biometricHash: Uint8Array
  readonly #options: SuprnovaDHTOptions
  readonly #modules: Partial<NodeModules>
  #node: SuprnovaNode | undefined
  #starting: Promise<void> | undefined
  #stopping = new AbortController()

  constructor(options: SuprnovaDHTOptions, modules: Partial<NodeModules> = {}) {
    const { biometricId } = options
    this.biometricHash = /^0x[0-9a-fA-F]{64}$/.test(biometricId)
      ? fromHex(biometricId)
      : keccak256(new Uint8Array(Buffer.from(biometricId, 'utf8')))
    this.#options = options
    this.#modules = modules
  }

  /**
   * Starts the node, and waits a few seconds for its first peers: without them a store finds no replica. Its key must
   * have an active stake to write; without one it reads.
   * @throws SuprnovaError as `createNode`; ConfigError when the configuration lacks a key or a password
   */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  /** Ends the node, also one that is still starting. Nothing stays open; it can be started again. */
  async stop(): Promise<void> {
    const starting = this.#starting
    this.#starting = undefined
    this.#stopping.abort()
    // A start that failed has closed what it opened, and was told of.
    await starting?.catch(() => undefined)
    const node = this.#node
    this.#node = undefined
    await node?.close()
  }

  async #start(): Promise<void> {
    this.#stopping = new AbortController()
    try {
      const node = await createNode(parseNodeConfig(this.#settings()), this.#modules)
      this.#node = node
      await this.#firstPeers(node)
    } catch (error) {
      this.#starting = undefined
      throw error
    }
  }

  /** Resolves when as many stakes are connected as a record needs, when there are no more, or when the time is over. */
  async #firstPeers(node: SuprnovaNode): Promise<void> {
    const { signal } = this.#stopping
    const table = node.dht.tables.table(node.dht.reader.epoch())
    const others = [...(table?.stakes() ?? [])].filter((stakeId) => stakeId !== node.dht.ownStakeId)
    const wanted = Math.min(REPLICAS_DEFAULT, others.length)
    const clock = this.#modules.clock ?? systemClock
    const timers = this.#modules.timers ?? systemTimers
    const untilMs = clock.nowMs() + FIRST_PEERS_MS
    const connected = () => node.network.peers().filter(({ stakeId }) => stakeId !== undefined).length
    while (!signal.aborted && connected() < wanted && clock.nowMs() < untilMs) {
      await new Promise<void>((resolve) => timers.after(FIRST_PEERS_LOOK_MS, resolve))
    }
  }

  /** The node under it; `store` is the seed's word for {@link SuprnovaDHT.storeState}. */
  get node(): SuprnovaNode & { readonly store: SuprnovaDHT['storeState'] } {
    return Object.assign(this.#running(), { store: this.storeState.bind(this) })
  }

  /**
   * Stores a value under a name of this stake: signed, held by three replicas unless told otherwise, promised by receipts.
   * @param value bytes or a stream of them as they are; text in UTF-8; anything else as JSON
   * @throws DhtError `DHT_TOO_FEW_RECEIPTS` and others, see `RecordClient.store`
   */
  storeState(key: StateKey, value: unknown, options: StoreStateOptions = {}): Promise<StoredState> {
    return this.#dht.states.storeState(key, bytesOf(value), options)
  }

  /**
   * Signs a state anew, so that it lives longer: a record ends with its receipts. `storeState` with `keep: true` does so by
   * itself, as long as this node runs.
   * @param options `owner`: another stake's state, of which the parts alone can be renewed
   * @throws DhtError `DHT_NOTHING_TO_RENEW`, `DHT_NO_QUORUM`, `DHT_NOT_YOURS`, and as `storeState`
   */
  renewState(key: StateKey, options: RenewOptions = {}): Promise<RenewedState> {
    return this.#dht.states.renew(key, options)
  }

  /** Lets a state that was kept alive end with its life. @returns whether it was kept */
  async letGo(key: StateKey): Promise<boolean> {
    return (await this.#dht.states.keeper?.letGo(nameHashOf(key))) ?? false
  }

  /**
   * Reads what a stake stored under a name, every byte verified.
   * @param options `owner`: whose, this stake's by default; `challenge`: turn a promise that is found broken into a challenge
   * @throws DhtError `DHT_BEHIND_FLOOR`, `DHT_PART_MISSING`
   */
  async retrieveState(
    key: StateKey,
    options: RetrieveStateOptions & { readonly challenge?: boolean } = {},
  ): Promise<ReadState> {
    const found = await this.#dht.states.retrieveState(key, options)
    if (found.record === undefined) {
      return { value: undefined, quorum: false, writerStakeId: undefined, missing: [], ...NOBODY_CHALLENGED }
    }
    const { missing, quorum, record, recordKey } = found
    const value = await wholeValue(found.parts, found.size)
    const opened = options.challenge === true ? await this.#challengeAll(recordKey, missing) : NOBODY_CHALLENGED
    return { value, quorum, writerStakeId: record.writerStakeId, missing, ...opened }
  }

  /** Walks the Kademlia table towards a name's key: O(log N) steps. */
  discoverPeers(query: {
    readonly key: StateKey
    readonly owner?: number
    readonly count?: number
  }): Promise<PeerWalk> {
    const key = this.#dht.states.keyOf(query.key, query.owner)
    return this.#running().network.findPeers(key, query.count === undefined ? {} : { count: query.count })
  }

  /** Says something to everybody on a topic. @returns to how many peers it went at once */
  async gossipMessage({ from, payload, to, topic = MESSAGE_TOPIC }: Message): Promise<number> {
    const words = JSON.stringify({ from, to, payload: packed(payload) })
    const { recipients } = await this.#running().publish(topic, new Uint8Array(Buffer.from(words, 'utf8')))
    return recipients
  }

  /** Hears what is said on a topic. @returns the function that ends it */
  onMessage(handler: (message: HeardMessage) => void, topic: string = MESSAGE_TOPIC): () => void {
    return this.#running().subscribe(topic, ({ payload, signer, stakeId }) => {
      const message = readMessage(Buffer.from(payload, 'base64'))
      if (message !== undefined) handler({ ...message, topic, signer, stakeId })
    })
  }

  /**
   * Agents whose newest written position lies within the radius, in the default world unless one is named.
   * @throws DhtError `DHT_RANGE_TOO_WIDE`, `DHT_BAD_POSITION`, `DHT_BAD_WORLD`
   */
  queryLocal(
    position: readonly number[],
    radius: number,
    options: QueryOptions = {},
  ): Promise<readonly SpatialAgent[]> {
    return this.#dht.spatial.agentsIn(position, radius, options)
  }

  /** The same with what it took, and whether anything may be missing. */
  queryLocalWith(position: readonly number[], radius: number, options: QueryOptions = {}): Promise<QueryResult> {
    return this.#dht.spatial.queryRange(position, radius, options)
  }

  /** Says where an agent is and what it can do. @returns the agent's id */
  announcePresence(announcement: Announcement): Promise<Uint8Array> {
    return this.#dht.agents.announcePresence(announcement)
  }

  findNearby(position: readonly number[], radius: number, options: NearbyOptions = {}): Promise<SpatialAgent[]> {
    return this.#dht.agents.findNearby(position, radius, options)
  }

  /** The record key of the cell that a position lies in. `routingTable.getRange` knows the newest few thousand of them. */
  hashPosition(position: readonly number[], world?: WorldLike): Hex {
    return toHex(this.#dht.spatial.hashPosition(position, world))
  }

  /** So many stakes that may speak now, none of them this one, each as likely as another. */
  getRandomPeers(count: number): DhtPeer[] {
    const table = this.#dht.tables.table(this.#dht.reader.epoch())
    const others = [...(table?.stakes() ?? [])].filter((stakeId) => stakeId !== this.#dht.ownStakeId)
    const random = this.#modules.random ?? systemRandom
    for (let left = others.length; left > 1; left--) {
      const drawn = new DataView(random.bytes(4).buffer).getUint32(0) % left
      ;[others[left - 1], others[drawn]] = [others[drawn] as number, others[left - 1] as number]
    }
    return others.slice(0, count).flatMap((stakeId) => this.#peer(stakeId))
  }

  /** Local computations on the placements that the chain drew: nobody is asked. */
  readonly routingTable = {
    /** The stakes that hold a name, closest first. */
    findClosest: (key: StateKey, count: number = REPLICAS_DEFAULT, owner?: number): DhtPeer[] => {
      const recordKey = this.#dht.states.keyOf(key, owner)
      const closest = this.#dht.tables.table(this.#dht.reader.epoch())?.closest(recordKey, count) ?? []
      return closest.flatMap((stakeId) => this.#peer(stakeId))
    },
    /**
     * The cells around a place, with the key of each and the stakes that hold it. A place is a position, or a cell by its
     * name in an answer of this call, or by the key that `hashPosition` gave for it in this process.
     */
    getRange: (place: Place, radius: number, world?: WorldLike) =>
      this.#dht.spatial.cellsIn(place, radius, world).map(({ cell, recordKey }) => ({
        cell,
        recordKey: toHex(recordKey),
        replicas: this.#dht.tables.setsOf(recordKey, this.#dht.reader.epoch(), REPLICAS_DEFAULT).members,
      })),
  }

  /** What a mesh needs of this DHT. */
  get meshes(): MeshDHTAdapter {
    return this.#dht.meshes
  }

  /** Challenges the newest receipt of each: any later PUT answers a challenge to an older one, and takes the bond. */
  async #challengeAll(
    recordKey: Uint8Array,
    stakeIds: readonly number[],
  ): Promise<Pick<ReadState, 'challenges' | 'unchallenged'>> {
    const receipts = [...this.#dht.receipts.list({ recordKey: toHex(recordKey) })]
    const challenges: Hex[] = []
    const unchallenged: { stakeId: number; error: Error }[] = []
    for (const stakeId of new Set(stakeIds)) {
      const newest = receipts.find((kept) => kept.stakeId === stakeId)
      if (newest === undefined) continue
      try {
        challenges.push(await this.challenge(newest.id))
      } catch (error) {
        if (error instanceof SuprnovaError && SEEN_TO.has(error.code)) continue
        // Without gas, or with an RPC that is away, the value is no less read.
        unchallenged.push({ stakeId, error: error instanceof Error ? error : new Error(String(error)) })
      }
    }
    return { challenges, unchallenged }
  }

  /** Receipts this node was given, newest first. */
  receipts(key?: StateKey): KeptReceipt[] {
    const filter = key === undefined ? {} : { recordKey: toHex(this.#dht.states.keyOf(key)) }
    return [...this.#dht.receipts.list(filter)]
  }

  /** A receipt with its PUT, as anyone can challenge it. */
  exportReceipt(id: Hex): ReceiptFile | undefined {
    const kept = this.#dht.receipts.get(id)
    return kept && this.#dht.receipts.export(kept)
  }

  /**
   * Challenges whoever signed a receipt to show a chunk, with the gas key; the node concludes it by itself when nobody does.
   * @returns the challenge's id
   * @throws SuprnovaError `UNKNOWN_RECEIPT`, `NO_GAS_KEY`; ContractRefusedError
   */
  async challenge(receiptId: Hex, chunkIndex = 0): Promise<Hex> {
    const kept = this.#dht.receipts.get(receiptId)
    if (kept === undefined) throw new SuprnovaError('UNKNOWN_RECEIPT', `this node was given no receipt ${receiptId}`)
    const settings = parseNodeConfig(this.#settings())
    const { gasKey } = await openKeys(settings)
    if (gasKey === undefined) {
      throw new SuprnovaError('NO_GAS_KEY', 'a challenge costs gas and a bond, and this node has no gas key', {
        hint: 'make one with `suprnova key new gas` and fund it',
      })
    }
    const { client, pin } = this.#running().chain
    const { chainId, registry: verifyingContract, salt } = pin
    const wallet = createWalletClient({ account: gasKey, transport: http(settings.rpcUrls[0]) }) as ChainWallet
    const separator = new DomainSeparator({ chainId, verifyingContract, salt })
    const { put, receipt } = kept
    const opened = await openChallenge({ client, deployment: pin, wallet }, { receipt, put, chunkIndex, separator })
    return opened.consequences.challengeId
  }

  #settings(): NodeConfigInput {
    const { biometricId: _, egiCoordinator: coordinator, ...given } = this.#options
    return settingsOf({ ...given, coordinator })
  }

  #peer(stakeId: number): DhtPeer[] {
    const address = this.#dht.addressOf(stakeId)
    if (address === undefined) return []
    const forwardMessage = async (message: Omit<Message, 'to'>) => {
      await this.gossipMessage({ ...message, to: address })
    }
    return [{ stakeId, address, forwardMessage }]
  }

  get #dht() {
    return this.#running().dht
  }

  #running(): SuprnovaNode {
    if (this.#node !== undefined) return this.#node
    throw new SuprnovaError('DHT_NOT_STARTED', 'the node is not started', { hint: 'await dht.start() first' })
  }
}

/** Bytes as they are, text in UTF-8, anything else as JSON. */
function bytesOf(value: unknown): Uint8Array | AsyncIterable<Uint8Array> {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'object' && value !== null && Symbol.asyncIterator in value) {
    return value as AsyncIterable<Uint8Array>
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text !== undefined) return new Uint8Array(Buffer.from(text, 'utf8'))
  throw new SuprnovaError('DHT_NO_VALUE', `a ${typeof value} cannot be stored`, {
    exitCode: 2,
    values: { limit: STATE_MAX_BYTES },
    hint: 'give bytes, text, or what JSON can hold',
  })
}

/** Bytes travel inside JSON as base64. */
function packed(payload: unknown): unknown {
  return payload instanceof Uint8Array ? { base64: Buffer.from(payload).toString('base64') } : payload
}

function readMessage(bytes: Uint8Array): Message | undefined {
  try {
    const { from, payload, to } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Message
    const { base64 } = (payload ?? {}) as { readonly base64?: unknown }
    const unpacked = typeof base64 === 'string' ? new Uint8Array(Buffer.from(base64, 'base64')) : payload
    return typeof from === 'string' ? { from, to, payload: unpacked } : undefined
  } catch {
    // Anybody may say anything on a topic: what is no message is not heard.
    return undefined
  }
}
