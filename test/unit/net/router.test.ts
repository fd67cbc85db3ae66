import type { GossipsubMessage } from '@libp2p/gossipsub'
import type { RPC } from '@libp2p/gossipsub/message'
import { beforeEach, describe, expect, it } from 'vitest'
import { IGNORED_PEER_RATE, IGNORED_PEERS_MAX } from '../../../node/net/constants.ts'
import { type Check, GossipRouter, type Outcome } from '../../../node/net/gossip/router.ts'
import type { GossipService } from '../../../node/net/gossip/service.ts'
import { STAKED_PEER_RATE } from '../../../node/net/index.ts'
import { netMetrics } from '../../../node/net/metrics.ts'
import { peerIdOfPublicKey } from '../../../node/net/peers/identity.ts'
import { Standing } from '../../../node/net/peers/standing.ts'
import { createSigner } from '../../../node/statements/index.ts'
import {
  bytes,
  FakeMetrics,
  FakeStakeView,
  PARAMS,
  random,
  silent,
  text,
  until,
} from '../../integration/net/harness.ts'

/** A name where copies of a frame are told apart. */
const frame = (name: string) => bytes(name.padStart(150))

/** gossipsub as the router sees it: passes on what is subscribed to, and notes what it was given and told. */
class FakeService extends EventTarget {
  readonly kept: string[] = []
  readonly told: string[] = []
  readonly score = { params: { topics: {} }, scoreCache: new Map(), peerStats: new Map() }
  readonly #subscribed = new Set<string>()

  subscribe = (topic: string) => void this.#subscribed.add(topic)
  unsubscribe = (topic: string) => void this.#subscribed.delete(topic)
  getScore = () => 0
  reportMessageValidationResult = (_: string, __: string, result: string) => void this.told.push(result)
  handleReceivedRpc = async (from: unknown, { messages }: RPC) => {
    for (const { topic, data } of messages) {
      const msgId = text(data!).trim()
      this.kept.push(msgId)
      const detail = { msg: { topic, data }, msgId, propagationSource: from } as unknown as GossipsubMessage
      if (this.#subscribed.has(topic)) this.dispatchEvent(new CustomEvent('gossipsub:message', { detail }))
    }
  }
}

describe('GossipRouter', () => {
  const clock = { nowMs: () => nowMs }
  let nowMs = 0
  let service: FakeService
  let metrics: FakeMetrics
  let stakeView: FakeStakeView
  beforeEach(() => {
    nowMs = 1_000_000
    service = new FakeService()
    metrics = new FakeMetrics()
    stakeView = new FakeStakeView()
  })

  function open(check: Check): GossipRouter {
    const router = new GossipRouter(
      { evidenceTopic: 'evidence', fanout: 4, stakedRate: STAKED_PEER_RATE },
      {
        service: service as unknown as GossipService,
        standing: new Standing(PARAMS, { stakeView, clock }),
        clock,
        metrics: netMetrics(metrics),
        logger: silent,
      },
      check,
    )
    router.open('news', 10)
    router.open('evidence', 1)
    return router
  }

  const stakedPeer = () => {
    const signer = createSigner(random.bytes(32))
    stakeView.add(signer)
    return peerIdOfPublicKey(signer.publicKey)
  }

  const rpc = (topic: string, ...messages: string[]) =>
    ({ subscriptions: [], messages: messages.map((name) => ({ topic, data: frame(name) })) }) as RPC

  const dropped = (reason: string) => metrics.of('suprnova_net_dropped_total', reason)

  // Break it caught: no look at the topic, so that gossipsub kept every such message, unchecked and unscored.
  it('keeps from gossipsub what no check would ever see: messages of topics not open', async () => {
    const router = open(() => ({ outcome: 'accept' }))
    const peer = stakedPeer()
    await service.handleReceivedRpc(peer, rpc('weather', 'a', 'b'))
    await service.handleReceivedRpc(peer, rpc('news', 'c'))
    router.open('weather', 10)
    await service.handleReceivedRpc(peer, rpc('weather', 'd'))
    router.close('weather')
    await service.handleReceivedRpc(peer, rpc('weather', 'e'))
    expect(service.kept).toEqual(['c', 'd'])
    expect(dropped('topic')).toBe(3)
  })

  const names = (count: number, prefix = '') => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

  // Breaks it caught: no bucket for ignored messages, none of which is scored; and one that a new connection fills.
  it('drops what a peer brings past its share of ignored messages, until the share is back', async () => {
    let outcome: Outcome = 'ignore'
    const router = open(() => ({ outcome }))
    const flooder = stakedPeer()
    const other = stakedPeer()
    const { messagesPerSecond, burstSeconds } = IGNORED_PEER_RATE
    const burst = messagesPerSecond * burstSeconds
    // what one RPC brings past the share is owed
    await service.handleReceivedRpc(flooder, rpc('news', ...names(burst + messagesPerSecond)))
    expect(service.kept).toHaveLength(burst + messagesPerSecond)
    service.kept.length = 0
    await service.handleReceivedRpc(flooder, rpc('news', 'a'))
    router.forget(flooder)
    await service.handleReceivedRpc(flooder, rpc('news', 'b'))
    expect(service.kept).toEqual([])
    expect(dropped('ignored-rate')).toBe(2)
    await service.handleReceivedRpc(flooder, rpc('evidence', 'c'))
    await service.handleReceivedRpc(other, rpc('news', 'd'))
    outcome = 'accept'
    nowMs += 1_000
    await service.handleReceivedRpc(flooder, rpc('news', 'e'))
    nowMs += 20
    await service.handleReceivedRpc(flooder, rpc('news', 'f'))
    expect(service.kept).toEqual(['c', 'd', 'f'])
  })

  it('charges no peer for what is accepted, and none for evidence', async () => {
    const router = open(({ wireTopic }) => ({ outcome: wireTopic === 'evidence' ? 'ignore' : 'accept' }))
    await service.handleReceivedRpc(stakedPeer(), rpc('news', ...names(100)))
    await service.handleReceivedRpc(stakedPeer(), rpc('evidence', ...names(10)))
    expect(router.sizes.ignored).toBe(0)
  })

  // Break it caught: a map with no bound.
  it('remembers a bounded number of peers that brought what was ignored', async () => {
    const router = open(() => ({ outcome: 'ignore' }))
    for (let i = 0; i < IGNORED_PEERS_MAX + 2; i++) await service.handleReceivedRpc(stakedPeer(), rpc('news', `${i}`))
    expect(router.sizes.ignored).toBe(IGNORED_PEERS_MAX)
    expect(metrics.of('suprnova_net_evicted_total', 'ignored')).toBe(2)
  })

  // Breaks they caught: a throw in an event listener, and a rejection nobody takes, each of which ends the process.
  it.each<[string, Check]>([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('disk full'))],
  ])('ignores a message whose check %s, and lives on', async (_, check) => {
    let failing = true
    open((message) => (failing ? check(message) : { outcome: 'accept' }))
    const peer = stakedPeer()
    await service.handleReceivedRpc(peer, rpc('news', 'a'))
    await until('the verdict', () => service.told.length === 1)
    failing = false
    await service.handleReceivedRpc(peer, rpc('news', 'b'))
    expect(service.told).toEqual(['ignore', 'accept'])
    expect(metrics.of('suprnova_net_check_errors_total')).toBe(1)
  })

  it('sends on what a subscriber throws at', async () => {
    const deliver = () => {
      throw new Error('mine')
    }
    open(() => ({ outcome: 'accept', deliver }))
    await service.handleReceivedRpc(stakedPeer(), rpc('evidence', 'a'))
    expect(service.told).toEqual(['accept'])
    expect(metrics.of('suprnova_net_handler_errors_total')).toBe(1)
    expect(metrics.of('suprnova_net_check_errors_total')).toBe(0)
  })
})
