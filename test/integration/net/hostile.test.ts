import { afterEach, describe, expect, it } from 'vitest'
import { KIND } from '../../../node/core/index.ts'
import { REJECTS_TO_GRAYLIST, SCORE_THRESHOLDS } from '../../../node/net/gossip/scores.ts'
import { encodeGossip, topicHash } from '../../../node/statements/index.ts'
import { bytes, epochNow, listen, meshed, PARAMS, random, TestNetwork, type TestNode, text, until } from './harness.ts'

describe('hostile frames', { timeout: 60_000 }, () => {
  let net = new TestNetwork()
  afterEach(async () => {
    await net.stop()
    net = new TestNetwork()
  })

  /** A victim and a staked attacker, meshed. */
  async function pair() {
    const [victim, attacker] = (await net.addMany(2)) as [TestNode, TestNode]
    const heard = listen(victim)
    listen(attacker)
    await until('a mesh', () => meshed([victim, attacker], 'news'))
    return { victim, attacker, heard }
  }

  const signed = (node: TestNode, payload: string, topic = 'news') =>
    node.statements.sign(KIND.gossip, [encodeGossip({ topicHash: topicHash(topic), payload: bytes(payload) })])

  const scoreOf = (victim: TestNode, of: TestNode) =>
    victim.network.peers().find(({ peerId }) => peerId === of.network.peerId)!.score

  // Breaks it caught: topics opened without score parameters; a reject that waited a heartbeat to count; and relying
  // on gossipsub's own graylist, which let 128 messages more through.
  it('graylist their bringer within a bounded number', async () => {
    const { victim, attacker, heard } = await pair()
    for (let i = 0; i < REJECTS_TO_GRAYLIST; i++) {
      await attacker.network.publishFrame('news', random.bytes(300))
      await until(`reject ${i + 1}`, () => victim.network.stats().received.reject === i + 1)
    }
    expect(scoreOf(victim, attacker)).toBeLessThan(SCORE_THRESHOLDS.graylistThreshold)
    // nothing of it is listened to any more
    for (let i = 0; i < 20; i++) await attacker.network.publishFrame('news', random.bytes(300))
    const other = await net.add({ bootstrap: victim.network.multiaddrs() })
    listen(other)
    await until('a mesh with another', () => meshed([victim, other], 'news'))
    await other.network.publish('news', bytes('hello'))
    await until('the other is heard', () => heard.length === 1)
    expect(victim.network.stats().received.reject).toBe(REJECTS_TO_GRAYLIST)
  })

  it('never harm an honest peer that loses nine messages of ten', async () => {
    const { victim, attacker: lossy, heard } = await pair()
    for (let i = 0; i < 50; i++) {
      const { frame } = await signed(lossy, `message ${i}`)
      if (i % 10 === 0) await lossy.network.publishFrame('news', frame)
    }
    await until('the rest is heard', () => heard.length === 5)
    expect(scoreOf(victim, lossy)).toBeGreaterThan(0)
  })

  it('are told apart by reason, and none reaches a subscriber', async () => {
    const { victim, attacker, heard } = await pair()
    const { frame } = await signed(attacker, 'sound')
    const broken = (change: (copy: Uint8Array) => void) => {
      const copy = frame.slice()
      change(copy)
      return copy
    }
    const reasonsOf = () => ({ ...victim.network.stats().refusals })
    const send = async (bad: Uint8Array, reason: string) => {
      const before = reasonsOf()[reason] ?? 0
      await attacker.network.publishFrame('news', bad)
      await until(reason, () => (reasonsOf()[reason] ?? 0) === before + 1)
    }
    await send((await signed(attacker, 'astray', 'weather')).frame, 'topic')
    await send(
      broken((copy) => copy.set([copy[100]! ^ 1], 100)),
      'signature',
    )
    await send(
      broken((copy) => copy.set([9], 22)),
      'void',
    )
    attacker.guard.next = BigInt(epochNow() + 3) << 32n
    await send((await signed(attacker, 'tomorrow')).frame, 'window')
    expect(heard).toHaveLength(0)
    // the sound frame is not shadowed by its broken copies
    await attacker.network.publishFrame('news', frame)
    await until('the sound one is heard', () => heard.length === 1)
  })

  it('may be cut off at any byte', async () => {
    const { victim, attacker, heard } = await pair()
    const { frame } = await signed(attacker, 'whole')
    // one of each part: empty, header, statement, signature, path length, topic hash
    const cuts = [0, 1, 50]
    for (const [i, length] of cuts.entries()) {
      await attacker.network.publishFrame('news', frame.subarray(0, length))
      await until(`cut at ${length}`, () => victim.network.stats().received.reject === i + 1)
    }
    await attacker.network.publishFrame('news', Buffer.concat([frame.subarray(0, frame.length - 1)]))
    await until('cut in its payload', () => (victim.network.stats().refusals.path ?? 0) === 1)
    expect(heard).toHaveLength(0)
  })

  it('past the limit of the meter are an offence of their signer', async () => {
    const { victim, attacker, heard } = await pair()
    attacker.guard.next = (BigInt(epochNow()) << 32n) | BigInt(PARAMS.gossipLimit)
    await attacker.network.publish('news', bytes('too many'))
    await until('an offence', () => victim.offences.length === 1)
    expect(victim.offences[0]).toMatchObject({ faultType: 2, signer: attacker.signer.address })
    expect(victim.network.stats().refusals).toEqual({ overrun: 1 })
    expect(heard).toHaveLength(0)
  })

  // Break it caught: a bucket behind the seen cache, which made the victim deaf to what it had dropped.
  it('past the rate of a peer are dropped, and can still come from another', async () => {
    const rate = { messagesPerSecond: 0.01, bytesPerSecond: 1e6, burstSeconds: 1_500 }
    const victim = await net.add({ stakedPeerRate: rate })
    const [flooder, other] = (await net.addMany(2, { bootstrap: victim.network.multiaddrs() })) as [TestNode, TestNode]
    const heard = listen(victim)
    listen(flooder)
    await until('a mesh', () => meshed([victim, flooder], 'news'))
    const frames: Uint8Array[] = []
    for (let i = 0; i < 20; i++) frames.push((await signed(flooder, `message ${i}`)).frame)
    for (const frame of frames) await flooder.network.publishFrame('news', frame)
    await until('some are dropped', () => victim.metrics.of('suprnova_net_dropped_total', 'rate') > 0)
    const dropped = frames.length - heard.length
    expect(dropped).toBeGreaterThan(0)
    await flooder.network.stop()
    listen(other)
    await until('a mesh with the other', () => meshed([victim, other], 'news'))
    await other.network.publishFrame('news', frames.at(-1)!)
    await until('the last one is heard', () => heard.some(({ payload }) => text(payload) === 'message 19'))
  })
})
