import { createPeerScoreParams, PeerScore } from '@libp2p/gossipsub/score'
import type { ComponentLogger } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SCORE_DECAY_INTERVAL_MS, TOPICS_MAX } from '../../../node/net/constants.ts'
import {
  peerScoreParams,
  READER_SCORE,
  REJECTS_TO_GRAYLIST,
  SCORE_THRESHOLDS,
  STAKE_SCORE_MAX,
  stakeScore,
  topicScoreParams,
} from '../../../node/net/gossip/scores.ts'

const PEER = 'peer'
const TOPIC = 'topic'
const UNIT = 10n ** 21n

const silent = { forComponent: () => () => {} } as unknown as ComponentLogger

/** gossipsub's own scoring, fed by hand, with this network's parameters. */
function scoring(messagesPerSecond: number, stake = STAKE_SCORE_MAX) {
  const params = createPeerScoreParams(peerScoreParams(SCORE_DECAY_INTERVAL_MS, () => stake))
  params.topics[TOPIC] = topicScoreParams({ messagesPerSecond, fanout: 4, decayIntervalMs: SCORE_DECAY_INTERVAL_MS })
  const score = new PeerScore(params, null, silent, { scoreCacheValidityMs: 0 })
  score.addPeer(PEER)
  score.graft(PEER, TOPIC)
  return score
}

const now = (score: PeerScore) => {
  score.scoreCache.clear()
  return score.score(PEER)
}

/** As busy a peer as there can be, in as many topics as there can be, for an hour. */
function earnAll(score: PeerScore, messagesPerSecond: number) {
  const rate = { messagesPerSecond, fanout: 4, decayIntervalMs: SCORE_DECAY_INTERVAL_MS }
  for (let topic = 0; topic < TOPICS_MAX; topic++) {
    score.params.topics[`${topic}`] = topicScoreParams(rate)
    score.graft(PEER, `${topic}`)
  }
  vi.advanceTimersByTime(3_600_000)
  score.refreshScores()
  for (const topic of Object.keys(score.params.topics)) {
    const cap = score.params.topics[topic]!.firstMessageDeliveriesCap
    for (let i = 0; i < cap; i++) score.markFirstMessageDelivery(PEER, topic)
  }
}

describe('peer scores', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  // Breaks they caught: a weight that left out the decay between rejects (the slow rejecter stayed at -79), and topics
  // that could earn 10 each (with 65 of them the rejecter stayed at its best score).
  it.each([0.01, 1, 100, 2_000])('graylist a rejecting peer, whatever it earned, at %d messages a second', (rate) => {
    const score = scoring(rate)
    earnAll(score, rate)
    expect(now(score)).toBeGreaterThan(STAKE_SCORE_MAX + 19)
    expect(now(score)).toBeLessThanOrEqual(STAKE_SCORE_MAX + 20.001)
    for (let i = 0; i < REJECTS_TO_GRAYLIST; i++) {
      expect(now(score)).toBeGreaterThanOrEqual(SCORE_THRESHOLDS.graylistThreshold)
      score.markInvalidMessageDelivery(PEER, TOPIC)
      // one interval later it brings what it is paid for, and the next reject
      score.refreshScores()
      for (const topic of Object.keys(score.params.topics)) {
        for (let j = 0; j < rate; j++) score.markFirstMessageDelivery(PEER, topic)
      }
    }
    expect(now(score)).toBeLessThan(SCORE_THRESHOLDS.graylistThreshold)
  })

  it('forgive a single reject', () => {
    const score = scoring(10)
    score.markInvalidMessageDelivery(PEER, TOPIC)
    for (let second = 0; second < 900; second++) score.refreshScores()
    expect(now(score)).toBeGreaterThanOrEqual(STAKE_SCORE_MAX)
  })

  // Break it caught: gossipsub's own mesh delivery weights, under which silence alone is punished.
  it('never punish an honest peer that loses everything', () => {
    const score = scoring(1_000)
    for (let heartbeat = 0; heartbeat < 5_000; heartbeat++) {
      for (let topic = 0; topic < 8; topic++) score.addPenalty(PEER, 1, 'broken_promise' as never)
      vi.advanceTimersByTime(SCORE_DECAY_INTERVAL_MS)
      score.refreshScores()
      if (heartbeat % 100 === 99) {
        score.prune(PEER, TOPIC)
        score.graft(PEER, TOPIC)
      }
      expect(now(score)).toBeGreaterThanOrEqual(0)
    }
  })

  it('graylist a peer that breaks promises beyond what loss explains', () => {
    const score = scoring(10)
    score.addPenalty(PEER, 257, 'broken_promise' as never)
    expect(now(score)).toBeLessThan(SCORE_THRESHOLDS.graylistThreshold)
  })

  // The trap: why topics must be opened by GossipRouter.open, which puts their parameters first.
  it('never score a topic without parameters', () => {
    const score = scoring(10)
    for (let i = 0; i < 1_000; i++) score.markInvalidMessageDelivery(PEER, 'another topic')
    expect(now(score)).toBe(STAKE_SCORE_MAX)
  })

  it('keep a stake that became a reader out of the mesh, and let it read', () => {
    const score = scoring(100, READER_SCORE)
    expect(now(score)).toBeGreaterThan(SCORE_THRESHOLDS.gossipThreshold)
    earnAll(score, 100)
    expect(now(score)).toBeLessThan(0)
  })

  it('grow with stake and stop', () => {
    expect(stakeScore(UNIT, UNIT)).toBe(5)
    expect(stakeScore(3n * UNIT, UNIT)).toBe(10)
    expect(stakeScore(10n ** 30n, UNIT)).toBe(10)
    expect(stakeScore(0n, UNIT)).toBe(0)
  })
})
