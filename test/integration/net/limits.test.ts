import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { PeerId, Stream } from '@libp2p/interface'
import { kadDHT } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { networkId } from '../../../node/net/gossip/topics.ts'
import { BATCH_MAX_BODIES, CLOCK_ANSWERS_BURST, PAYLOAD_MAX_BYTES, TOPICS_MAX } from '../../../node/net/index.ts'
import { libp2pKey } from '../../../node/net/peers/identity.ts'
import { createSigner } from '../../../node/statements/index.ts'
import { bytes, DOMAIN, listen, random, TestNetwork, until } from './harness.ts'

/** A protobuf field of bytes. */
const field = (number: number, value: Uint8Array) => Buffer.concat([Buffer.from([(number << 3) | 2]), prefixed(value)])
const prefixed = (value: Uint8Array) => {
  const length = value.length < 128 ? [value.length] : [(value.length & 127) | 128, value.length >> 7]
  return Buffer.concat([Buffer.from(length), value])
}

/** A request to store the public key of `peer`, whose validator kad-dht brings along, or `peer` as a provider. */
function kadStore(messageType: number, peer: PeerId): Uint8Array {
  const { bytes: id } = peer.toMultihash()
  const type = Buffer.from([1 << 3, messageType])
  if (messageType === 0) {
    const key = Buffer.concat([Buffer.from('/pk/'), id])
    const value = id.subarray(2)
    const time = Buffer.from('2026-01-01T00:00:00.000000000Z')
    const record = Buffer.concat([field(1, key), field(2, value), field(5, time)])
    return prefixed(Buffer.concat([type, field(2, key), field(3, record)]))
  }
  const provider = Buffer.concat([field(1, id), field(2, multiaddr('/ip4/127.0.0.1/tcp/1').bytes)])
  // a CID: version 1, raw
  const content = Buffer.concat([Buffer.from([1, 0x55]), id])
  return prefixed(Buffer.concat([type, field(2, content), field(9, provider)]))
}

describe('limits', { timeout: 60_000 }, () => {
  let net = new TestNetwork()
  const ends: (() => Promise<void>)[] = []
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()))
    await net.stop()
    net = new TestNetwork()
  })

  /** A staked peer that speaks libp2p as it likes. */
  async function rawPeer() {
    const privateKey = random.bytes(32)
    net.stakeView.add(createSigner(privateKey))
    const host = await createLibp2p({
      privateKey: libp2pKey(privateKey),
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: {
        identify: identify(),
        ping: ping(),
        routing: kadDHT({
          protocol: `/suprnova/${networkId(DOMAIN)}/kad/1.0.0`,
          clientMode: true,
          peerInfoMapper: (peer) => peer,
          allowQueryWithZeroPeers: true,
          validators: { any: async () => {} },
        }),
      },
    })
    ends.push(async () => host.stop())
    return host
  }

  it.each([{ fanout: 2 }, { fanout: 13 }, { fanout: 4.5 }, { listen: ['127.0.0.1:80'] }, { bootstrap: ['nowhere'] }])(
    'refuse the options %o and name the field',
    async (options) => {
      const [field] = Object.keys(options)
      await expect(net.add(options)).rejects.toMatchObject({ code: 'NET_BAD_OPTION', values: { field } })
    },
  )

  it('of payloads, batches and topics are errors that lose nothing', async () => {
    const { network } = await net.add()
    await expect(network.publish('news', new Uint8Array(PAYLOAD_MAX_BYTES + 1))).rejects.toMatchObject({
      code: 'NET_BAD_PAYLOAD',
    })
    await expect(network.publishBatch('news', [])).rejects.toMatchObject({ code: 'NET_BAD_PAYLOAD' })
    const many = Array.from({ length: BATCH_MAX_BODIES + 1 }, () => bytes('x'))
    await expect(network.publishBatch('news', many)).rejects.toMatchObject({ code: 'NET_BAD_PAYLOAD' })
    await expect(network.publish('', bytes('x'))).rejects.toMatchObject({ code: 'NET_BAD_TOPIC' })
    const ended = Array.from({ length: TOPICS_MAX }, (_, i) => network.subscribe(`topic ${i}`, () => {}))
    expect(() => network.subscribe('one more', () => {})).toThrow(
      expect.objectContaining({ code: 'NET_TOO_MANY_TOPICS' }),
    )
    ended[0]!()
    ended[0]!()
    network.subscribe('one more', () => {})
    expect(network.stats().topics).toHaveLength(TOPICS_MAX)
  })

  it('hold for the largest batch there is, which arrives', async () => {
    const [one, two] = await net.addMany(2)
    const heard = listen(two!)
    listen(one!)
    await until('a mesh', () => one!.network.stats().topics[0]!.meshPeers === 1)
    const payloads = Array.from({ length: BATCH_MAX_BODIES }, () => random.bytes(PAYLOAD_MAX_BYTES))
    await one!.network.publishBatch('news', payloads)
    await until('all are heard', () => heard.length === BATCH_MAX_BODIES)
    for (const [i, { payload }] of heard.entries()) expect(Buffer.compare(payload, payloads[i]!)).toBe(0)
  })

  // Break it caught: kad-dht with its own datastore took the record, and the stream stayed open.
  it.each([
    ['a value', 0],
    ['a provider', 2],
  ])('keep the routing table from storing %s', async (_, messageType) => {
    const node = await net.add()
    const peer = await rawPeer()
    const connection = await peer.dial(multiaddr(node.network.multiaddrs()[0]!))
    const stream = await connection.newStream(`/suprnova/${networkId(DOMAIN)}/kad/1.0.0`)
    const ended = new Promise<Error | undefined>((resolve) => {
      stream.addEventListener('close', ({ error }) => resolve(error))
    })
    stream.send(kadStore(messageType, peer.peerId))
    expect(await ended).toBeDefined()
  })

  it('of the clock protocol reset the stream of who asks too often', async () => {
    const node = await net.add()
    const peer = await rawPeer()
    const connection = await peer.dial(multiaddr(node.network.multiaddrs()[0]!))
    const stream: Stream = await connection.newStream(`/suprnova/${networkId(DOMAIN)}/clock/1.0.0`)
    let answers = 0
    stream.addEventListener('message', ({ data }) => {
      answers += data.byteLength / 16
    })
    const reset = new Promise<void>((resolve) => stream.addEventListener('close', () => resolve()))
    stream.send(new Uint8Array(8))
    await until('an answer', () => answers === 1)
    stream.send(new Uint8Array(8 * CLOCK_ANSWERS_BURST * 2))
    await reset
    expect(answers).toBeLessThanOrEqual(CLOCK_ANSWERS_BURST + 1)
  })

  it('of a subscriber that throws are its own', async () => {
    const [one, two] = await net.addMany(2)
    two!.network.subscribe('news', () => {
      throw new Error('mine')
    })
    const heard = listen(two!)
    listen(one!)
    await until('a mesh', () => one!.network.stats().topics[0]!.meshPeers === 1)
    await one!.network.publish('news', bytes('hello'))
    await until('the other subscriber hears', () => heard.length === 1)
    expect(two!.metrics.of('suprnova_net_handler_errors_total')).toBe(1)
  })
})
