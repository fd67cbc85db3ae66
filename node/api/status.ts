import type { Address, GuardRefusal, Hex, StakeStatus } from '../core/index.ts'
import type { DhtStats } from '../dht/index.ts'

/** What a node does: `draining` signs nothing new and serves what it owes. */
export type NodePhase = 'starting' | 'running' | 'draining' | 'stopping'

/** Amounts are decimal strings of wei, since JSON numbers cannot hold them. */
export interface StakeStatusRow {
  readonly stakeId: number
  readonly operator: Address
  readonly status: StakeStatus
  readonly amountWei: string
  readonly placement: Hex | null
  /** Unix seconds; 0 when not jailed. */
  readonly jailedUntil: number
  readonly tombstoned: boolean
  /** Unix seconds from which an unbonding stake may be withdrawn; 0 before. */
  readonly readyAt: number
  readonly maySpeak: boolean
}

export interface PeerStatus {
  readonly peerId: string
  /** The node key's address; `null` for a key of another kind. */
  readonly address: Address | null
  /** `null` for an unstaked reader. */
  readonly stakeId: number | null
  readonly score: number
  readonly direction: 'inbound' | 'outbound'
  readonly remoteAddress: string
}

/** How far a fault that this node saw has come. */
export interface FaultStatus {
  readonly faultId: Hex
  readonly faultType: number
  readonly stakeId: number
  readonly signer: Address
  /** As the reporter has it: from seen to slashed, claimed and released. */
  readonly state: string
}

/** A stake that lost money, as the chain told it. */
export interface SlashStatus {
  readonly faultId: Hex
  readonly stakeId: number
  readonly chargedWei: string
  readonly tombstoned: boolean
  readonly blockNumber: number
}

/** The whole answer to `GET /status`, and what `suprnova node status --json` prints. */
export interface NodeStatus {
  readonly versions: { readonly suprnova: string; readonly protocol: number; readonly node: string }
  readonly phase: NodePhase
  readonly key: Address
  readonly peerId: string
  readonly processId: number
  readonly dataDir: string
  /** Unix milliseconds. */
  readonly startedAtMs: number
  readonly nowMs: number
  readonly multiaddrs: readonly string[]
  /** `null` when the key belongs to no stake. */
  readonly stake: StakeStatusRow | null
  readonly coordinator: {
    readonly name: string
    readonly address: Address
    readonly registry: Address
    readonly court: Address
    readonly chainId: number
    readonly salt: Hex
    /** What the name resolves to now, when that is not what is pinned. It decides nothing. */
    readonly nameNowSays: string | null
  }
  readonly chain: {
    readonly head: number
    readonly hash: Hex | null
    /** Unix seconds. */
    readonly timestamp: number
    /** Milliseconds since the head was first seen; -1 when none was. */
    readonly ageMs: number
    readonly epoch: number
    readonly stakes: number
    readonly speakers: number
  }
  readonly peers: readonly PeerStatus[]
  readonly messages: {
    /** Gossip messages published here. */
    readonly out: number
    /** Gossip messages accepted from others. */
    readonly in: number
    /** Counts by reason. */
    readonly rejects: Record<string, number>
    /** Counts by reason: dropped without blame. */
    readonly ignores: Record<string, number>
  }
  /** Records held and promised here. */
  readonly dht: DhtStats
  readonly faults: readonly FaultStatus[]
  readonly slashes: readonly SlashStatus[]
  readonly guard: { readonly state: 'ready' | GuardRefusal; readonly referenceMs: number | null }
  /** `null` without a gas key. */
  readonly gas: { readonly address: Address; readonly balanceWei: string | null } | null
  /** Everything a person should know about, in words. Empty when all is well. */
  readonly problems: readonly string[]
}
