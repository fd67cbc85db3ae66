import type { PeerScoreParams, PeerScoreThresholds, TopicScoreParams } from '@libp2p/gossipsub/score'
import { TOPICS_MAX } from '../constants.ts'

/** Score of a stake that just holds the unit of stake; it grows with the logarithm of what is bonded. */
const STAKE_SCORE_UNIT = 5
/** Most that stake alone can earn. */
export const STAKE_SCORE_MAX = 10
/** Most that all topics together can earn, and so one of them: those a node may open, and that of evidence. */
const TOPICS_SCORE_MAX = 20
const TOPIC_SCORE_MAX = TOPICS_SCORE_MAX / (TOPICS_MAX + 1)
/** Of which for time in its mesh, and for messages brought first. */
const MESH_TIME_SCORE_MAX = 0.2 * TOPIC_SCORE_MAX
const FIRST_DELIVERY_SCORE_MAX = 0.8 * TOPIC_SCORE_MAX
/** Rejected messages in a row after which a peer is not listened to any more, whatever it earned before. */
export const REJECTS_TO_GRAYLIST = 5
/**
 * Score of a peer without stake: below zero whatever it earned as a stake before, so it is in no mesh; above the
 * gossip threshold, so it hears what there is and may ask for it.
 */
export const READER_SCORE = -TOPICS_SCORE_MAX - 5
/** A counter below this is zero. */
const DECAY_TO_ZERO = 0.01
/** How long a rejected message is held against a peer, in milliseconds. */
const REJECT_MEMORY_MS = 10 * 60_000
/** How long broken promises and grafts out of turn are held against a peer, in milliseconds. */
const BEHAVIOUR_MEMORY_MS = 60_000
/** Penalties a peer may collect, at one a heartbeat and topic for a peer that loses everything, before they count. */
const BEHAVIOUR_FREE = 128
/** Penalties past the free ones after which it is not listened to. */
const BEHAVIOUR_TO_GRAYLIST = 128

export const SCORE_THRESHOLDS: PeerScoreThresholds = {
  gossipThreshold: -40,
  publishThreshold: -50,
  graylistThreshold: -80,
  acceptPXThreshold: 1_000,
  opportunisticGraftThreshold: 2,
}

/** What a peer can have earned at most: the depth from which a graylisting must pull it down. */
const SCORE_MAX = STAKE_SCORE_MAX + TOPICS_SCORE_MAX

/** The factor by which a counter shrinks each interval so that 1 decays to {@link DECAY_TO_ZERO} in `memoryMs`. */
function decay(intervalMs: number, memoryMs: number): number {
  return DECAY_TO_ZERO ** (intervalMs / memoryMs)
}

/** The weight (negative) that takes `count` squared from the best score to below the graylist threshold. */
function penaltyWeight(count: number): number {
  return -(SCORE_MAX - SCORE_THRESHOLDS.graylistThreshold + 1) / count ** 2
}

/** The application's own part of a score: 5 for one unit of stake, 10 from three units on. */
export function stakeScore(amountWei: bigint, unitWei: bigint): number {
  const units = Number((amountWei * 1000n) / unitWei) / 1000
  return Math.min(STAKE_SCORE_MAX, STAKE_SCORE_UNIT * Math.log2(1 + units))
}

export interface TopicRate {
  /** Messages a second that are expected on the topic, all publishers together. */
  readonly messagesPerSecond: number
  /** Mesh degree D. */
  readonly fanout: number
  /** Milliseconds between two decays of the counters. */
  readonly decayIntervalMs: number
}

/**
 * Score parameters of one topic from the rate expected on it.
 *
 * - All that a topic can earn is 20 / 65, for gossipsub adds up what topics earned and lost before it caps the sum: with
 *   more to earn, a peer with many topics would earn away every penalty. P1 takes a fifth of it, P2 the rest.
 * - P1, time in mesh: reached after an hour. It breaks ties and no more.
 * - P2, first deliveries: of r messages a second each of D mesh peers is the first for about r / D. With one decay
 *   factor d an interval of t seconds the counter settles at c = (r / D) t / (1 - d). The cap is 2 c: an average
 *   peer earns half of P2, a peer twice as fast all of it, and no rate makes it more. d is such that a counter is
 *   forgotten after two minutes, or after a hundred expected messages of that peer where that is longer.
 * - P3 and P3b, mesh delivery deficit: off. Silence cannot be told from a quiet topic, and a lossy honest peer would
 *   be pruned for its cable. It earns less P2 and keeps its place.
 * - P4, rejected messages: the square of their number counts. The weight is such that 5 of them, each in its own
 *   decay interval at worst, outweigh the best score a peer can have (stake 10, topics 20) and reach the graylist at
 *   -80. They are forgotten after ten minutes. gossipsub's default weights and caps let a busy peer earn faster than
 *   it loses, which hides every penalty; here what can be earned is capped and the penalty is set against the cap.
 */
export function topicScoreParams(rate: TopicRate): TopicScoreParams {
  const perPeerPerSecond = Math.max(rate.messagesPerSecond, 1e-6) / rate.fanout
  const intervalSeconds = rate.decayIntervalMs / 1000
  const memoryMs = Math.min(3_600_000, Math.max(120_000, 100_000 / perPeerPerSecond))
  const firstDecay = decay(rate.decayIntervalMs, memoryMs)
  const settled = (perPeerPerSecond * intervalSeconds) / (1 - firstDecay)
  const cap = Math.max(1, 2 * settled)
  const rejectDecay = decay(rate.decayIntervalMs, REJECT_MEMORY_MS)
  return {
    topicWeight: 1,
    timeInMeshWeight: MESH_TIME_SCORE_MAX / 3600,
    timeInMeshQuantum: 1000,
    timeInMeshCap: 3600,
    firstMessageDeliveriesWeight: FIRST_DELIVERY_SCORE_MAX / cap,
    firstMessageDeliveriesDecay: firstDecay,
    firstMessageDeliveriesCap: cap,
    meshMessageDeliveriesWeight: 0,
    meshMessageDeliveriesDecay: firstDecay,
    meshMessageDeliveriesCap: cap,
    meshMessageDeliveriesThreshold: 1,
    meshMessageDeliveriesWindow: 10,
    meshMessageDeliveriesActivation: 60_000,
    meshFailurePenaltyWeight: 0,
    meshFailurePenaltyDecay: firstDecay,
    invalidMessageDeliveriesWeight: penaltyWeight(REJECTS_TO_GRAYLIST * rejectDecay ** REJECTS_TO_GRAYLIST),
    invalidMessageDeliveriesDecay: rejectDecay,
  }
}

/**
 * Parameters that hold for a peer whatever its topics.
 *
 * P6, peers by IP address, is off: many operators share one address, and the price of an identity is its stake.
 * P7, broken promises and grafts out of turn: a peer that loses everything breaks one promise a heartbeat and topic.
 * At a memory of one minute the counter of such a peer stays below 128 with 8 topics, which is free; 128 past that
 * is graylisted.
 */
export function peerScoreParams(
  decayIntervalMs: number,
  appSpecificScore: (peer: string) => number,
): Partial<PeerScoreParams> {
  return {
    topics: {},
    // none: the topics bound themselves
    topicScoreCap: 0,
    appSpecificScore,
    appSpecificWeight: 1,
    IPColocationFactorWeight: 0,
    IPColocationFactorThreshold: 1,
    behaviourPenaltyWeight: penaltyWeight(BEHAVIOUR_TO_GRAYLIST),
    behaviourPenaltyThreshold: BEHAVIOUR_FREE,
    behaviourPenaltyDecay: decay(decayIntervalMs, BEHAVIOUR_MEMORY_MS),
    decayInterval: decayIntervalMs,
    decayToZero: DECAY_TO_ZERO,
    retainScore: REJECT_MEMORY_MS,
  }
}
