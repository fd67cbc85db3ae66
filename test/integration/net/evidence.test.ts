import { afterEach, describe, expect, it } from 'vitest'
import { KIND, type Offence } from '../../../node/core/index.ts'
import { EVIDENCE_MAX_BYTES } from '../../../node/net/index.ts'
import { encodeGossip, topicHash } from '../../../node/statements/index.ts'
import { bytes, epochNow, TestNetwork, type TestNode, until } from './harness.ts'

describe('evidence', { timeout: 60_000 }, () => {
  let net = new TestNetwork()
  afterEach(async () => {
    await net.stop()
    net = new TestNetwork()
  })

  /** What a node that heard both sides of `liar` reports. */
  async function offenceOf(liar: TestNode, witness: TestNode, index = 0): Promise<Offence> {
    const offences: Offence[] = []
    const admit = witness.judge((offence) => offences.push(offence))
    for (const payload of ['yes', 'no']) {
      liar.guard.next = (BigInt(epochNow()) << 32n) | BigInt(index)
      const { frame } = await liar.statements.sign(KIND.gossip, [
        encodeGossip({ topicHash: topicHash('news'), payload: bytes(payload) }),
      ])
      admit(frame)
    }
    expect(offences).toHaveLength(1)
    return offences[0]!
  }

  const hear = (node: TestNode) => {
    const heard: Offence[] = []
    node.network.onEvidence((offence) => heard.push(offence))
    return heard
  }

  const linked = (nodes: TestNode[]) =>
    until('all are linked', () =>
      nodes.every(({ network }) => network.stats().peers.staked >= 1 && network.stats().evidenceMeshPeers >= 1),
    )

  it('reaches every node with all that a report needs, once per stake and fault type', async () => {
    const nodes = await net.addMany(4)
    const liar = await net.add()
    await linked(nodes)
    const heard = nodes.map(hear)
    const offence = await offenceOf(liar, nodes[0]!)
    expect(await nodes[0]!.network.publishEvidence(offence)).toBeGreaterThan(0)
    await until('the others heard it', () => heard.slice(1).every((offences) => offences.length === 1))
    expect(heard[1]![0]).toEqual(offence)
    // a second lie of the same stake is not carried, by whoever
    const second = await offenceOf(liar, nodes[1]!, 1)
    expect(await nodes[1]!.network.publishEvidence(second)).toBe(0)
    expect(await nodes[0]!.network.publishEvidence(offence)).toBe(0)
  })

  it('that proves nothing costs its bringer; of an unknown key it is ignored', async () => {
    const [victim, attacker] = (await net.addMany(2)) as [TestNode, TestNode]
    const stranger = await net.add({ staked: false })
    await linked([victim, attacker])
    const heard = hear(victim)
    const liar = await net.add()
    const offence = await offenceOf(liar, attacker)
    const forged = { ...offence, evidence: offence.evidence.map((byte, i) => (i === 120 ? byte ^ 1 : byte)) }
    await attacker.network.publishEvidence(forged)
    await until('a reject', () => victim.metrics.of('suprnova_net_evidence_total', 'reject', 'BadSignature') === 1)
    const unknown = offence.evidence.slice()
    unknown.set(Buffer.from(stranger.signer.address.slice(2), 'hex'))
    await attacker.network.publishEvidence({ ...offence, stakeId: 77, evidence: unknown })
    await until('an ignore', () => victim.metrics.of('suprnova_net_evidence_total', 'ignore', 'unknown-signer') === 1)
    await attacker.network.publishEvidence({ faultType: 2, stakeId: 78, evidence: offence.evidence })
    await until('a length', () => victim.metrics.of('suprnova_net_evidence_total', 'reject', 'EvidenceLength') === 1)
    expect(heard).toHaveLength(0)
    // the truth is not shadowed by the forgery
    await attacker.network.publishEvidence({ ...offence, stakeId: 79 })
    await until('the truth is heard', () => heard.length === 1)
  })

  it('past its size is refused before it is sent', async () => {
    const node = await net.add()
    const evidence = new Uint8Array(EVIDENCE_MAX_BYTES)
    await expect(node.network.publishEvidence({ faultType: 1, stakeId: 1, evidence })).rejects.toMatchObject({
      code: 'NET_BAD_PAYLOAD',
    })
  })
})
