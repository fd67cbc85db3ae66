import { afterEach, describe, expect, it } from 'vitest'
import type { GossipMessage } from '../../../node/net/index.ts'
import { meshed, TestNetwork, type TestNode, until } from './harness.ts'

const text = (payload: Uint8Array) => Buffer.from(payload).toString()
const bytes = (words: string) => new Uint8Array(Buffer.from(words))

describe('gossip', () => {
  let net = new TestNetwork()
  afterEach(async () => {
    await net.stop()
    net = new TestNetwork()
  })

  const listen = (node: TestNode, topic = 'news') => {
    const heard: GossipMessage[] = []
    node.network.subscribe(topic, (message) => heard.push(message))
    return heard
  }

  it('delivers to every node of a mesh of ten, once, bodies of a batch in order', async () => {
    const nodes = await net.addMany(10)
    const heard = nodes.map((node) => listen(node))
    await until('ten nodes have a mesh', () => meshed(nodes, 'news', 3))
    for (const [i, { network }] of nodes.entries()) {
      await network.publish('news', bytes(`one from ${i}`))
      await network.publishBatch('news', [bytes(`first from ${i}`), bytes(`second from ${i}`)])
    }
    await until('all is delivered', () => heard.every((messages) => messages.length === 27))
    for (const messages of heard) expect(new Set(messages.map(({ payload }) => text(payload))).size).toBe(27)
    const batch = heard[0]!.filter(
      ({ payload }) => text(payload).endsWith('from 9') && !text(payload).startsWith('one'),
    )
    expect(batch.map(({ payload, leaf }) => `${text(payload)} ${leaf}`)).toEqual(['first from 9 0', 'second from 9 1'])
    expect(batch[0]!.signer).toBe(nodes[9]!.signer.address)
  })
})
