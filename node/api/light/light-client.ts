import { readFile } from 'node:fs/promises'
import type { RegistrySnapshot } from '../../chain/index.ts'
import {
  type Address,
  type Clock,
  EXIT,
  fromHex,
  type Hex,
  KIND,
  type Logger,
  type Offence,
  type Random,
  SuprnovaError,
  type Timers,
  toHex,
} from '../../core/index.ts'
import {
  LightDht,
  type NearbyOptions,
  type Place,
  type QueryOptions,
  type QueryResult,
  type QuorumOptions,
  REPLICAS_DEFAULT,
  type ReceiptFile,
  type RetrievedState,
  type SpatialAgent,
  type StateKey,
  type WorldLike,
} from '../../dht/index.ts'
import { createNetwork, type Network, PacedRequests, type PeerWalk, READER_PACE } from '../../net/index.ts'
import { Admission, createSigner, decodeBody, decodeFrame, type ReceiptBody } from '../../statements/index.ts'
import { memoryTable, openSlotIndex } from '../../store/index.ts'
import { FIRST_PEERS_LOOK_MS, FIRST_PEERS_MS, LIGHT_PEERS } from '../constants.ts'
import { createLogger } from '../logger.ts'
import { MetricsRegistry } from '../metrics.ts'
import { OpenParts } from '../open-parts.ts'
import { requireNode } from '../runtime.ts'
import { systemClock, systemRandom, systemTimers } from '../system.ts'
import { wholeValue } from '../whole-value.ts'
import { LightRegistry } from './light-registry.ts'

export interface LightClientOptions {
  /** Path of a snapshot that `suprnova coordinator snapshot` wrote, or what stands in it. */
  readonly snapshot?: string | Record<string, unknown> | undefined
  /** Without a snapshot: the coordinator's name, `current-reality.eth` or as a URL. */
  readonly coordinator?: string | undefined
  /** In order of preference; `SUPRNOVA_RPC` by default. */
  readonly rpcUrls?: readonly string[] | undefined
  /** Where names begin; `SUPRNOVA_ENS_REGISTRY` by default, else the public chains'. */
  readonly ensRegistry?: Address | undefined
  /** Multiaddrs to dial first; those of the snapshot, or of the coordinator's name, by default. */
  readonly bootstrap?: readonly string[] | undefined
}

/** What a reader takes from its machine; each may be replaced. */
export interface LightClientModules {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
}

/** What is known of a value that a reader found. */
export interface LightRead {
  readonly recordKey: Hex
  readonly writerStakeId: number
  /** Bytes of the value. */
  readonly size: number
  /** Whether enough of the proper replicas answered that no acknowledged store was missed, as far as the registry is known. */
  readonly quorum: boolean
}

/** What a receipt says, once its signatures were checked. */
export interface VerifiedReceipt {
  /** Who promised. */
  readonly stakeId: number
  /** Whose record it is. */
  readonly writerStakeId: number
  readonly recordKey: Hex
  readonly size: number
  /** The last epoch in which it can be challenged. */
  readonly untilEpoch: number
}

/**
 * Opens a reader: no stake, no key of its own, no data directory. It knows the registry from a snapshot or by RPC, and
 * verifies every byte of every record with the code that nodes use.
 *
 * @example
 *   const light = await openLightClient({ coordinator: 'https://current-reality.eth', rpcUrls: ['https://rpc.example.org'] })
 *   const found = await light.retrieveState('greeting', { owner: 3 })
 *   await light.close()
 * @throws SuprnovaError `LIGHT_NO_SOURCE`, `LIGHT_NO_PEERS`, and as `LightRegistry.open`
 */
export async function openLightClient(
  options: LightClientOptions,
  given: Partial<LightClientModules> & {
    readonly signal?: AbortSignal
    readonly onOffence?: (offence: Offence) => void
  } = {},
): Promise<LightClient> {
  requireNode()
  const { clock = systemClock, onOffence, random = systemRandom, signal, timers = systemTimers } = given
  const write = (line: string) => void process.stderr.write(line)
  const logger = given.logger ?? createLogger({ level: 'warn' }, { clock, write })
  const open = new OpenParts(logger)
  try {
    const metrics = new MetricsRegistry()
    const env = process.env
    const registry = await LightRegistry.open(
      {
        ...(options.snapshot === undefined ? {} : { snapshot: await snapshotOf(options.snapshot) }),
        coordinator: options.coordinator,
        rpcUrls: options.rpcUrls ?? env.SUPRNOVA_RPC?.split(','),
        ensRegistry: options.ensRegistry ?? (env.SUPRNOVA_ENS_REGISTRY as Address | undefined),
      },
      { clock, timers, metrics, logger },
    )
    const { view } = registry
    const { deployment, lagSeconds } = view.snapshot
    const { chainId, params, registry: verifyingContract, salt } = deployment
    const domain = { chainId, verifyingContract, salt }
    const slotIndex = open.add('slots', openSlotIndex({}, { table: memoryTable(), metrics, logger }), (opened) =>
      opened.close(),
    )
    const report = (offence: Offence) => {
      logger.warn('a stake signed two contents in one slot', { stakeId: offence.stakeId })
      onOffence?.(offence)
    }
    const admission = new Admission(
      { domain, params },
      { stakeView: view, slotIndex, clock, offences: { report }, metrics },
    )
    // A key for this connection alone: nothing is ever signed with it but handshakes.
    const privateKey = random.bytes(32)
    const network = open.add(
      'network',
      await createNetwork(
        {
          ...{ domain, params, listen: [], peersTarget: LIGHT_PEERS },
          bootstrap: options.bootstrap ?? view.snapshot.bootstrap,
          privateAddresses: registry.isLocal,
        },
        {
          ...{ privateKey, stakeView: view, admission, clock, timers, random, metrics, logger },
          statementSigner: { sign: () => Promise.reject(silentReader(createSigner(privateKey).address)) },
        },
      ),
      (opened) => opened.stop(),
    )
    const transport = new PacedRequests(READER_PACE, { transport: network.requests('dht'), clock, timers })
    const dht = open.add(
      'dht',
      new LightDht(
        { params, domain, lagSeconds },
        {
          ...{ transport, stakeView: view, admission, clock, timers, metrics, logger },
          tables: { floors: memoryTable(), receipts: memoryTable() },
        },
      ),
      (opened) => opened.idle(),
    )
    await network.start()
    const wanted = Math.min(LIGHT_PEERS, [...view.speakers()].length)
    await firstPeers(network, wanted, { clock, timers, signal })
    return new LightClient({ admission, dht, network, open, registry })
  } catch (error) {
    await open.close().catch(() => undefined)
    throw error
  }
}

interface LightParts {
  readonly admission: Admission
  readonly dht: LightDht
  readonly network: Network
  readonly open: OpenParts
  readonly registry: LightRegistry
}

/** A reader of the DHT. Made by {@link openLightClient}. */
export class LightClient {
  readonly #parts: LightParts

  constructor(parts: LightParts) {
    this.#parts = parts
  }

  /** What is believed of the registry: where it comes from, and as of which block. */
  get registry(): {
    readonly source: 'snapshot' | 'rpc'
    readonly block: RegistrySnapshot['block']
    /** Whether the replica sets of this epoch are those that nodes have. */
    readonly isExact: boolean
    readonly stakes: number
  } {
    const { dht, registry } = this.#parts
    const { block, stakes } = registry.view.snapshot
    const isExact = registry.view.isExact(dht.reader.epoch())
    return { source: registry.source, block, isExact, stakes: stakes.length }
  }

  /** Peers connected now that have stake. */
  get connectedStakes(): number {
    return this.#parts.network.peers().filter(({ stakeId }) => stakeId !== undefined).length
  }

  /**
   * Reads what a stake stored under a name, whole.
   * @returns `undefined` when nobody showed a record, which proves nothing
   * @throws DhtError `DHT_BEHIND_FLOOR`, `DHT_PART_MISSING`
   */
  async retrieveState(
    key: StateKey,
    options: QuorumOptions & { readonly owner: number },
  ): Promise<(LightRead & { readonly value: Uint8Array }) | undefined> {
    const opened = await this.openState(key, options)
    if (opened === undefined) return undefined
    const { parts, ...read } = opened
    return { ...read, value: await wholeValue(parts, read.size) }
  }

  /** The same as a stream: each part is verified before it is given. */
  async openState(
    key: StateKey,
    options: QuorumOptions & { readonly owner: number },
  ): Promise<(LightRead & Pick<RetrievedState, 'parts'>) | undefined> {
    await this.refresh()
    const { dht } = this.#parts
    const found = await dht.states.retrieveState(key, options)
    if (found.record === undefined) return undefined
    const { parts, quorum, record, recordKey, size } = found
    return {
      ...{ recordKey: toHex(recordKey), writerStakeId: record.writerStakeId, size, parts },
      quorum: quorum && this.registry.isExact,
    }
  }

  /** Agents whose newest written position lies within the radius. */
  async queryLocal(
    position: readonly number[],
    radius: number,
    options: QueryOptions = {},
  ): Promise<readonly SpatialAgent[]> {
    await this.refresh()
    return this.#parts.dht.spatial.agentsIn(position, radius, options)
  }

  /** The same with what it took. */
  async queryLocalWith(position: readonly number[], radius: number, options: QueryOptions = {}): Promise<QueryResult> {
    await this.refresh()
    const result = await this.#parts.dht.spatial.queryRange(position, radius, options)
    return { ...result, quorum: result.quorum && this.registry.isExact }
  }

  async findNearby(position: readonly number[], radius: number, options: NearbyOptions = {}): Promise<SpatialAgent[]> {
    await this.refresh()
    return this.#parts.dht.agents.findNearby(position, radius, options)
  }

  /** Walks the Kademlia table towards a name's key. */
  discoverPeers(query: { readonly key: StateKey; readonly owner: number; readonly count?: number }): Promise<PeerWalk> {
    const { dht, network } = this.#parts
    return network.findPeers(
      dht.states.keyOf(query.key, query.owner),
      query.count === undefined ? {} : { count: query.count },
    )
  }

  /** The record key of the cell that a position lies in. */
  hashPosition(position: readonly number[], world?: WorldLike): Hex {
    return toHex(this.#parts.dht.spatial.hashPosition(position, world))
  }

  /** Local computations on the placements in the registry: nobody is asked. */
  readonly routingTable = {
    /** The stakes that hold a name, closest first, with the keys they have now. */
    findClosest: (key: StateKey, owner: number, count: number = REPLICAS_DEFAULT) => {
      const { dht } = this.#parts
      const table = dht.tables.table(dht.reader.epoch())
      const closest = table?.closest(dht.states.keyOf(key, owner), count) ?? []
      return closest.map((stakeId) => ({ stakeId, address: dht.peers.addressOf(stakeId) }))
    },
    /** The cells around a place, with the key of each and the stakes that hold it; see `SuprnovaDHT.routingTable`. */
    getRange: (place: Place, radius: number, world?: WorldLike) => {
      const { dht } = this.#parts
      return dht.spatial.cellsIn(place, radius, world).map(({ cell, recordKey }) => ({
        cell,
        recordKey: toHex(recordKey),
        replicas: dht.tables.setsOf(recordKey, dht.reader.epoch(), REPLICAS_DEFAULT).members,
      }))
    },
  }

  /**
   * Checks that a receipt is what it says: signed by the key of its stake, for this very PUT, and open to challenges.
   * @throws SuprnovaError `RECEIPT_VOID` saying what is wrong
   */
  verifyReceipt(file: ReceiptFile): VerifiedReceipt {
    const { dht, registry } = this.#parts
    const { chainId, registry: verifyingContract, salt } = registry.view.snapshot.deployment
    const { domain } = file
    if (domain.chainId !== String(chainId) || domain.registry !== verifyingContract || domain.salt !== salt) {
      throw voidReceipt('it is of another deployment')
    }
    const put = dht.reader.read(fromHex(file.put))
    if ('refused' in put) throw voidReceipt(`its PUT is ${put.refused}: ${put.detail}`)
    const frame = fromHex(file.receipt)
    if (!dht.client.take(frame, file.stakeId, put)) {
      throw voidReceipt('no key of that stake signed it for this record, or its time is over')
    }
    const { size, untilEpoch } = decodeBody(
      KIND.receipt,
      decodeFrame(frame).bodies[0]?.bytes ?? new Uint8Array(),
    ) as ReceiptBody
    return {
      ...{ stakeId: file.stakeId, writerStakeId: put.writerStakeId, size },
      recordKey: toHex(put.recordKey),
      untilEpoch: Number(untilEpoch),
    }
  }

  /** Reads the registry anew where replica tables have moved on; a snapshot stays what it is. */
  async refresh(): Promise<void> {
    const { dht, registry } = this.#parts
    if (await registry.refresh(dht.reader.epoch())) dht.tables.reset()
  }

  /** Ends every connection. Nothing stays open, and nothing was written. */
  close(): Promise<void> {
    return this.#parts.open.close()
  }
}

async function snapshotOf(given: string | Record<string, unknown>): Promise<unknown> {
  if (typeof given !== 'string') return given
  try {
    return JSON.parse(await readFile(given, 'utf8'))
  } catch (cause) {
    throw new SuprnovaError(
      'SNAPSHOT_UNREADABLE',
      `the snapshot ${given} cannot be read: ${(cause as Error).message}`,
      {
        exitCode: EXIT.config,
        hint: 'write one with `suprnova coordinator snapshot` where a node runs',
        values: { path: given },
        cause,
      },
    )
  }
}

/** Resolves once a few stakes are connected, or one when the time is over. */
async function firstPeers(
  network: Network,
  wanted: number,
  {
    clock,
    signal,
    timers,
  }: Pick<LightClientModules, 'clock' | 'timers'> & { readonly signal: AbortSignal | undefined },
): Promise<void> {
  const untilMs = clock.nowMs() + FIRST_PEERS_MS
  const connected = () => network.peers().filter(({ stakeId }) => stakeId !== undefined).length
  while (connected() < wanted && clock.nowMs() < untilMs) {
    signal?.throwIfAborted()
    await new Promise<void>((resolve) => timers.after(FIRST_PEERS_LOOK_MS, resolve))
  }
  if (connected() > 0) return
  throw new SuprnovaError('LIGHT_NO_PEERS', 'no node with stake could be reached', {
    exitCode: EXIT.tryAgain,
    hint: 'give the address of one with --bootstrap; nodes keep a few places for readers, and all may be taken',
  })
}

function silentReader(address: Address): SuprnovaError {
  return new SuprnovaError('LIGHT_SILENT', `the reader ${address} has no stake, so it says nothing`)
}

function voidReceipt(why: string): SuprnovaError {
  return new SuprnovaError('RECEIPT_VOID', `the receipt does not hold: ${why}`, { exitCode: EXIT.config })
}
