import type { ChainStakeView, CoordinatorPin } from '../chain/index.ts'
import { PROTOCOL_VERSION } from '../chain/index.ts'
import type { Address, ProtocolParams } from '../core/index.ts'
import type { Dht } from '../dht/index.ts'
import type { Network } from '../net/index.ts'
import type { OpenGuard } from '../store/index.ts'
import { SOFTWARE_VERSION, STATUS_FAULTS } from './constants.ts'
import type { EvidenceBook } from './evidence-book.ts'
import type { MetricsRegistry } from './metrics.ts'
import type { NodePhase, NodeStatus, SlashStatus, StakeStatusRow } from './status.ts'

/** What a status is read from. */
export interface StatusSources {
  readonly key: Address
  readonly dataDir: string
  readonly startedAtMs: number
  readonly pin: CoordinatorPin
  readonly params: ProtocolParams
  readonly view: ChainStakeView
  readonly guard: Pick<OpenGuard, 'refusal'>
  readonly network: Network
  readonly dht: Dht
  readonly book: EvidenceBook
  readonly metrics: MetricsRegistry
  readonly slashes: () => readonly SlashStatus[]
  readonly nameDiffers: () => string | undefined
  readonly referenceSeconds: () => number | undefined
}

/** What changes with the moment. */
export interface StatusNow {
  readonly nowMs: number
  readonly phase: NodePhase
  readonly gas: NodeStatus['gas']
  readonly problems: readonly string[]
}

/** The stake behind a key as the chain has it; `null` when there is none. */
export function stakeRowOf(view: ChainStakeView, key: Address): StakeStatusRow | null {
  const tenure = view.key(key)
  const row = tenure === undefined ? undefined : view.stake(tenure.stakeId)
  if (row === undefined) return null
  const { stakeId, operator, status, amountWei, placement = null, jailedUntil, tombstoned, readyAt } = row
  const maySpeak = view.maySpeak(stakeId)
  return {
    stakeId,
    operator,
    status,
    amountWei: String(amountWei),
    placement,
    jailedUntil,
    tombstoned,
    readyAt,
    maySpeak,
  }
}

/** Frames judged with this outcome; what the network dropped before any check counts as ignored. */
function countByReason(metrics: MetricsRegistry, outcome: 'reject' | 'ignore'): Record<string, number> {
  const judged = metrics.read('suprnova_statements_verdicts_total').filter(({ labels }) => labels.outcome === outcome)
  const dropped = outcome === 'ignore' ? metrics.read('suprnova_net_dropped_total') : []
  const counts: Record<string, number> = {}
  for (const { labels, value } of [...judged, ...dropped]) {
    if (labels.reason !== undefined) counts[labels.reason] = (counts[labels.reason] ?? 0) + value
  }
  return counts
}

/** Everything a person may want to know of a running node. */
export function readStatus(sources: StatusSources, now: StatusNow): NodeStatus {
  const { view, network, pin, metrics } = sources
  const head = view.head()
  const stats = network.stats()
  const referenceSeconds = sources.referenceSeconds()
  return {
    versions: { suprnova: SOFTWARE_VERSION, protocol: PROTOCOL_VERSION, node: process.version },
    phase: now.phase,
    key: sources.key,
    peerId: network.peerId,
    processId: process.pid,
    dataDir: sources.dataDir,
    startedAtMs: sources.startedAtMs,
    nowMs: now.nowMs,
    multiaddrs: network.multiaddrs(),
    stake: stakeRowOf(view, sources.key),
    coordinator: {
      name: pin.name,
      address: pin.coordinator,
      registry: pin.registry,
      court: pin.court,
      chainId: Number(pin.chainId),
      salt: pin.salt,
      nameNowSays: sources.nameDiffers() ?? null,
    },
    chain: {
      head: Number(head?.number ?? 0n),
      hash: head?.hash ?? null,
      timestamp: head?.timestamp ?? 0,
      ageMs: head === undefined ? -1 : now.nowMs - head.seenAtMs,
      epoch: Math.floor(now.nowMs / 1000 / sources.params.epochSeconds),
      stakes: metrics.read('suprnova_chain_stakes_count')[0]?.value ?? 0,
      speakers: [...view.speakers()].length,
    },
    peers: network.peers().map(({ address = null, stakeId = null, ...peer }) => ({ ...peer, address, stakeId })),
    messages: {
      out: stats.published,
      in: stats.delivered,
      rejects: countByReason(metrics, 'reject'),
      ignores: countByReason(metrics, 'ignore'),
    },
    dht: sources.dht.stats(),
    faults: sources.book.list().slice(0, STATUS_FAULTS),
    slashes: sources.slashes(),
    guard: {
      state: sources.guard.refusal() ?? 'ready',
      referenceMs: referenceSeconds === undefined ? null : referenceSeconds * 1000,
    },
    gas: now.gas,
    problems: now.problems,
  }
}
