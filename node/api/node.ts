import {
  type ChainClient,
  type ChallengeDesk,
  type Reporter,
  registrySnapshotToJson,
  snapshotOfView,
} from '../chain/index.ts'
import { type Address, type Clock, EXIT, type Hex, type Logger, SuprnovaError } from '../core/index.ts'
import type { Dht } from '../dht/index.ts'
import type { GossipMessage, Network } from '../net/index.ts'
import { epochAt } from '../statements/index.ts'
import type { OpenGuard } from '../store/index.ts'
import { BALANCE_AGE_MS, SNAPSHOT_ADDRESSES } from './constants.ts'
import type { GossipLine, HealthApi, NodeApi } from './http/node-api.ts'
import { readStatus, type StatusSources, stakeRowOf } from './node-status.ts'
import type { OpenParts } from './open-parts.ts'
import { silenceOf } from './standing.ts'
import type { FaultStatus, NodePhase, NodeStatus } from './status.ts'

export interface NodeParts extends StatusSources {
  readonly guard: OpenGuard
  readonly client: ChainClient
  readonly challenges: ChallengeDesk
  /** `undefined` without a gas key. */
  readonly reporter: Reporter | undefined
  readonly gasAddress: Address | undefined
  readonly clock: Clock
  readonly logger: Logger
  readonly open: OpenParts
  /** Seconds by which replica tables lag. */
  readonly dhtLagSeconds: number
}

/** A node that runs. Made by `createNode`; what it can do is what its local socket offers. */
export class SuprnovaNode implements NodeApi, HealthApi {
  readonly #parts: NodeParts
  /** Settles when the node is closed, by whomever; rejects with what could not be closed in order. */
  readonly ended: Promise<void>
  #end: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined
  #phase: NodePhase = 'starting'
  #balance: { readonly wei: string; readonly atMs: number } | undefined

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.ended = new Promise((resolve, reject) => {
      this.#end = { resolve, reject }
    })
    // Whoever does not wait for the end is told by the log.
    this.ended.catch(() => undefined)
  }

  get dataDir(): string {
    return this.#parts.dataDir
  }

  /** Records: stored, read, held and promised. */
  get dht(): Dht {
    return this.#parts.dht
  }

  /** The chain this node follows, and what it is pinned to. */
  get chain(): { readonly client: ChainClient; readonly pin: NodeParts['pin'] } {
    const { client, pin } = this.#parts
    return { client, pin }
  }

  /** Challenges to receipts, this node's and others'. */
  get challenges(): ChallengeDesk {
    return this.#parts.challenges
  }

  /** The connections of this node. */
  get network(): Network {
    return this.#parts.network
  }

  get epochSeconds(): number {
    return this.#parts.params.epochSeconds
  }

  /** The node key's address. */
  get key(): Address {
    return this.#parts.key
  }

  /** Called once everything is open. */
  begin(): void {
    this.#phase = 'running'
    this.considerStanding()
  }

  /** Stops signing when the own stake lost its voice, and goes on when it got it back. Called at every change of a stake. */
  considerStanding(): void {
    if (this.#phase === 'stopping') return
    const silence = this.#silence()
    const phase: NodePhase = silence === undefined ? 'running' : 'draining'
    if (phase === this.#phase) return
    this.#phase = phase
    this.#parts.guard.drain(silence !== undefined)
    if (silence === undefined) this.#parts.logger.warn('this node takes part again')
    else this.#parts.logger.error(silence.words, { reason: silence.reason })
  }

  async status(): Promise<NodeStatus> {
    const gas = await this.#gas()
    const nowMs = this.#parts.clock.nowMs()
    return readStatus(this.#parts, { nowMs, phase: this.#phase, gas, problems: this.problems() })
  }

  async publish(topic: string, payload: Uint8Array): Promise<{ readonly recipients: number }> {
    const { view, key, network } = this.#parts
    const stake = stakeRowOf(view, key)
    const silence = this.#silence()
    if (stake?.maySpeak !== true) {
      const why =
        silence?.words ?? (stake === null ? `no stake has the key ${key}` : `stake ${stake.stakeId} is not active yet`)
      throw new SuprnovaError('STAKE_SILENT', `nobody would accept what this node says: ${why}`, {
        exitCode: EXIT.tryAgain,
        hint: 'see `suprnova stake status`',
        values: { key, stakeId: stake?.stakeId ?? null },
      })
    }
    return { recipients: await network.publish(topic, payload) }
  }

  subscribe(topic: string, handler: (line: GossipLine) => void): () => void {
    const { view, network, clock } = this.#parts
    return network.subscribe(topic, ({ payload, signer, position }: GossipMessage) =>
      handler({
        topic,
        signer,
        stakeId: view.key(signer)?.stakeId ?? 0,
        position: String(position),
        payload: Buffer.from(payload).toString('base64'),
        receivedAtMs: clock.nowMs(),
      }),
    )
  }

  evidence(): readonly FaultStatus[] {
    return this.#parts.book.list()
  }

  bundle(faultId: Hex): unknown {
    return this.#parts.book.bundle(faultId, this.#parts.params, this.#parts.view)
  }

  async submit(faultId: Hex): Promise<FaultStatus | undefined> {
    const { book, reporter } = this.#parts
    const offence = book.get(faultId)
    if (offence === undefined) return undefined
    if (reporter === undefined) {
      throw new SuprnovaError('NO_GAS_KEY', 'this node has no gas key, so it can send no transaction', {
        exitCode: EXIT.config,
        hint: 'give it one with --gas-key, or submit the bundle yourself with `suprnova evidence submit`',
      })
    }
    reporter.report(offence)
    await reporter.look()
    return book.status(faultId)
  }

  async exportGuard(): Promise<unknown> {
    return this.#parts.guard.exportInterchange()
  }

  /** What this node knows of the registry, as a reader without a chain takes it. */
  registrySnapshot(): unknown {
    const { clock, dhtLagSeconds: lagSeconds, network, params, pin, view } = this.#parts
    const epoch = epochAt(clock.nowMs() / 1000, params.epochSeconds)
    const dialled = network
      .peers()
      .filter(({ direction, stakeId }) => direction === 'outbound' && stakeId !== undefined)
    const bootstrap = [...network.multiaddrs(), ...dialled.map(addressOfPeer)].slice(0, SNAPSHOT_ADDRESSES)
    return registrySnapshotToJson(snapshotOfView(view, { ...pin, params }, { epoch, lagSeconds, bootstrap }))
  }

  shutdown(): void {
    // The failure is told by `ended`, to whoever runs the node.
    this.close().catch(() => undefined)
  }

  /** Ends everything in order. May be called again. */
  async close(): Promise<void> {
    this.#phase = 'stopping'
    try {
      await this.#parts.open.close()
      this.#end?.resolve()
    } catch (error) {
      this.#end?.reject(error)
      throw error
    }
  }

  problems(): readonly string[] {
    const { view, guard, nameDiffers, reporter, network, dht, challenges } = this.#parts
    const chain = view.health()
    const silence = this.#silence()
    const refusal = guard.refusal()
    const differs = nameDiffers()
    const held = reporter?.health().lastError
    return [
      ...(silence === undefined ? [] : [silence.words]),
      ...(chain.stale ? [`the chain is silent${chain.lastError === undefined ? '' : `: ${chain.lastError}`}`] : []),
      ...(refusal === undefined || silence !== undefined ? [] : [`the signing guard refuses to sign: ${refusal}`]),
      ...(differs === undefined ? [] : [`the name now says ${differs}; this node keeps to what it pinned`]),
      ...(held === undefined ? [] : [`reporting is held up: ${held}`]),
      ...challenges.problems(),
      ...(dht.replica.isFull ? ['the disk refuses more records'] : []),
      ...(network.peers().length === 0 ? ['no peer is connected'] : []),
    ]
  }

  unready(): readonly string[] {
    const stake = stakeRowOf(this.#parts.view, this.#parts.key)
    const reasons = this.#phase === 'running' ? [] : [`the node is ${this.#phase}`]
    if (stake?.maySpeak !== true)
      reasons.push(stake === null ? 'its key belongs to no stake' : 'its stake may not speak')
    return [...reasons, ...this.problems()]
  }

  metricsText(): string {
    return this.#parts.metrics.render()
  }

  #silence() {
    const { view, key } = this.#parts
    const tenure = view.key(key)
    return silenceOf(tenure === undefined ? undefined : view.stake(tenure.stakeId))
  }

  async #gas(): Promise<NodeStatus['gas']> {
    const { gasAddress: address, client, clock, logger } = this.#parts
    if (address === undefined) return null
    const nowMs = clock.nowMs()
    if (this.#balance === undefined || nowMs - this.#balance.atMs > BALANCE_AGE_MS) {
      try {
        this.#balance = { wei: String(await client.getBalance({ address })), atMs: nowMs }
      } catch (error) {
        logger.debug('the balance of the gas key cannot be read', { error })
      }
    }
    return { address, balanceWei: this.#balance?.wei ?? null }
  }
}

function addressOfPeer({ peerId, remoteAddress }: { readonly peerId: string; readonly remoteAddress: string }): string {
  return remoteAddress.includes('/p2p/') ? remoteAddress : `${remoteAddress}/p2p/${peerId}`
}
