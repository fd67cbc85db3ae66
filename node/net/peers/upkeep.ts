import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Clock, Logger, Random, StakeRow, StakeView, Timers } from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import {
  DIAL_TIMEOUT_MS,
  DIALS_PER_ROUND,
  REDIAL_ALONE_MAX_MS,
  REDIAL_ENTRIES_MAX,
  REDIAL_FIRST_MS,
  REDIAL_MAX_MS,
  UPKEEP_INTERVAL_MS,
} from '../constants.ts'
import type { NetMetrics } from '../metrics.ts'
import { forgetHearsay } from './hearsay.ts'
import { connectedPeers, type Host } from './host.ts'
import { peerIdOfPublicKey } from './identity.ts'
import type { Standing } from './standing.ts'

export interface UpkeepModules {
  readonly host: Host
  readonly standing: Standing
  readonly stakeView: StakeView
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly metrics: NetMetrics
  readonly logger: Logger
  /** Called at the end of each round with the connected peers. */
  readonly afterRound: (connected: readonly PeerId[]) => Promise<void>
}

interface Backoff {
  readonly failures: number
  readonly failedAtMs: number
}

/** How long to wait after the given number of failures in a row: doubling, bounded. */
export function redialDelayMs(failures: number, maxMs = REDIAL_MAX_MS): number {
  return Math.min(maxMs, REDIAL_FIRST_MS * 2 ** Math.max(0, failures - 1))
}

/**
 * Keeps this node connected: to a bootstrap address while it knows nobody, then to staked peers until there are
 * enough for its meshes. Addresses not known are looked up in the routing table by libp2p itself.
 */
export class Upkeep {
  readonly #modules: UpkeepModules
  readonly #bootstrap: readonly Multiaddr[]
  readonly #target: number
  readonly #epochMs: number
  readonly #backoff: BoundedMap<string, Backoff>
  readonly #abort = new AbortController()
  #cancelTimer: () => void = () => {}
  #round: Promise<void> = Promise.resolve()

  constructor(
    options: { readonly bootstrap: readonly string[]; readonly peersTarget: number; readonly epochSeconds: number },
    modules: UpkeepModules,
  ) {
    this.#bootstrap = options.bootstrap.map((address) => multiaddr(address))
    this.#target = options.peersTarget
    this.#epochMs = options.epochSeconds * 1000
    this.#modules = modules
    this.#backoff = new BoundedMap(REDIAL_ENTRIES_MAX, () => modules.metrics.evicted.inc({ name: 'redial' }))
  }

  /** Peers in backoff. */
  get size(): number {
    return this.#backoff.size
  }

  start(): void {
    this.#round = this.#run()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.#cancelTimer()
    await this.#round
  }

  async #run(): Promise<void> {
    try {
      await this.#dialMissing()
      await this.#modules.afterRound(connectedPeers(this.#modules.host))
    } catch (error) {
      this.#modules.logger.warn('a round of peer upkeep failed', { error: String(error) })
    }
    if (this.#abort.signal.aborted) return
    this.#cancelTimer = this.#modules.timers.after(UPKEEP_INTERVAL_MS, () => {
      this.#round = this.#run()
    })
  }

  async #dialMissing(): Promise<void> {
    const { host, standing } = this.#modules
    const connected = new Set(connectedPeers(host).map((peer) => peer.toString()))
    const staked = [...connected].filter((peer) => standing.of(peer) !== undefined).length
    if (staked >= this.#target) return
    const longestMs = connected.size === 0 ? REDIAL_ALONE_MAX_MS : REDIAL_MAX_MS
    const bootstrap = this.#bootstrap.filter((address) => {
      const peer = peerOf(address)
      const known = peer !== undefined && (connected.has(peer) || peer === host.peerId.toString())
      return !known && this.#ready(`${address}`, longestMs)
    })
    const dials = bootstrap.map((address) => this.#dial(`${address}`, address))
    if (connected.size > 0) {
      const places = Math.min(DIALS_PER_ROUND, this.#target - staked)
      for (const peer of this.#pickStakes(connected, places)) dials.push(this.#dial(peer, peerIdFromString(peer)))
    }
    await Promise.all(dials)
  }

  /** Up to `count` stakes that are neither connected nor in backoff, each as likely as another. */
  #pickStakes(connected: ReadonlySet<string>, count: number): string[] {
    const { stakeView, clock, host } = this.#modules
    const epoch = Math.floor(clock.nowMs() / this.#epochMs)
    const picked: StakeRow[] = []
    let seen = 0
    for (const row of stakeView.speakers()) {
      seen++
      // reservoir of twice the need: some turn out to be connected
      if (picked.length < count * 2 + connected.size) picked.push(row)
      else {
        const at = this.#draw(seen)
        if (at < picked.length) picked[at] = row
      }
    }
    const peers: string[] = []
    for (const row of picked) {
      const key = stakeView.keyAt(row.stakeId, epoch)
      const peer = key && peerIdOfPublicKey(key.publicKey).toString()
      if (peer === undefined || peer === host.peerId.toString()) continue
      if (!connected.has(peer) && this.#ready(peer)) peers.push(peer)
      if (peers.length === count) break
    }
    return peers
  }

  /** An integer from 0 to below `limit`. */
  #draw(limit: number): number {
    const bytes = this.#modules.random.bytes(4)
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) % limit
  }

  #ready(target: string, longestMs = REDIAL_MAX_MS): boolean {
    const backoff = this.#backoff.get(target)
    if (backoff === undefined) return true
    return this.#modules.clock.nowMs() >= backoff.failedAtMs + redialDelayMs(backoff.failures, longestMs)
  }

  async #dial(name: string, target: PeerId | Multiaddr): Promise<void> {
    const { host, clock, metrics, logger } = this.#modules
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      await host.dial(target, { signal })
      this.#backoff.delete(name)
      metrics.dials.inc({ outcome: 'connected' })
    } catch (error) {
      // A peer is dialled by its id alone where only others said where it is.
      if (!('getComponents' in target)) await forgetHearsay(host, target)
      const failures = (this.#backoff.get(name)?.failures ?? 0) + 1
      this.#backoff.set(name, { failures, failedAtMs: clock.nowMs() })
      metrics.dials.inc({ outcome: 'failed' })
      logger.debug('dial failed', { target: name, failures, error: String(error) })
    }
  }
}

function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast((component) => component.code === CODE_P2P)?.value
}
