import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Address, Clock, StakeView } from '../../core/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import { IDENTITIES_MAX } from '../constants.ts'
import { addressOfPeerId } from './identity.ts'

/** A peer that may speak: a stake, by its key of this time. */
export interface StakedPeer {
  readonly stakeId: number
  readonly address: Address
  readonly amountWei: bigint
}

export interface StandingModules {
  readonly stakeView: StakeView
  readonly clock: Clock
}

/**
 * Says of a PeerId whether stake stands behind it now. A tombstoned, jailed or retired key is a reader like any
 * other, so that it stays reachable. Every answer is a memory read.
 */
export class Standing {
  readonly #stakeView: StakeView
  readonly #clock: Clock
  readonly #epochMs: number
  /** Address by PeerId: never stale, since one follows from the other. */
  readonly #addresses: BoundedMap<string, Address | undefined>

  constructor(options: { readonly epochSeconds: number }, modules: StandingModules) {
    this.#epochMs = options.epochSeconds * 1000
    this.#stakeView = modules.stakeView
    this.#clock = modules.clock
    this.#addresses = new BoundedMap(IDENTITIES_MAX)
  }

  /** Identities remembered. */
  get size(): number {
    return this.#addresses.size
  }

  addressOf(peer: string | PeerId): Address | undefined {
    const text = peer.toString()
    if (this.#addresses.has(text)) return this.#addresses.get(text)
    const address = addressOfPeerId(typeof peer === 'string' ? peerIdFromString(peer) : peer)
    this.#addresses.set(text, address)
    return address
  }

  /** The stake behind a peer, if it may speak now. The clocks of two nodes may differ by an epoch, so keys overlap by one. */
  of(peer: string | PeerId): StakedPeer | undefined {
    const address = this.addressOf(peer)
    const key = address === undefined ? undefined : this.#stakeView.key(address)
    if (key === undefined || !this.#stakeView.maySpeak(key.stakeId)) return undefined
    const epoch = Math.floor(this.#clock.nowMs() / this.#epochMs)
    if (epoch + 1 < key.fromEpoch || epoch - 1 >= key.untilEpoch) return undefined
    const row = this.#stakeView.stake(key.stakeId)
    if (row === undefined) return undefined
    return { stakeId: key.stakeId, address: key.address, amountWei: row.amountWei }
  }
}
