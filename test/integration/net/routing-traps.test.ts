import { createHash } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify } from '@libp2p/identify'
import type { PeerId, Stream } from '@libp2p/interface'
import type { QueryEvent } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { toHex } from '../../../node/core/index.ts'
import { networkId } from '../../../node/net/gossip/topics.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  ADDRESSES_TOLD_MAX,
  PING_STREAMS_MAX,
  peerIdOfPrivateKey,
  ROUTING_READER_RATE,
  ROUTING_STAKED_RATE,
  ROUTING_STREAMS_MAX,
} from '../../../node/net/index.ts'
import { netMetrics } from '../../../node/net/metrics.ts'
import { forgetHearsay } from '../../../node/net/peers/hearsay.ts'
import { createHost, type Host } from '../../../node/net/peers/host.ts'
import { libp2pKey } from '../../../node/net/peers/identity.ts'
import { routingTableSize } from '../../../node/net/peers/routing.ts'
import { Standing } from '../../../node/net/peers/standing.ts'
import { findPeers, locate } from '../../../node/net/peers/walk.ts'
import { createSigner } from '../../../node/statements/index.ts'
import { DOMAIN, FakeMetrics, FakeStakeView, PARAMS, random, TestNetwork, timers, until } from './harness.ts'

const PROTOCOL = `/suprnova/${networkId(DOMAIN)}/kad/1.0.0`
const TYPE = { putValue: 0, getValue: 1, addProvider: 2, getProviders: 3, findNode: 4, ping: 5 } as const
/** In one process every handshake of every node is one processor's: 32 take minutes. */
const NETWORK_NODES = process.env.SUPRNOVA_LONG === '1' ? 32 : 9
/** How much of a limit is used: libp2p pings and asks by itself too. */
const BUSY = 0.75
const EVERYWHERE = '/ip4/203.0.113.7/tcp/4001'

// --- kad-dht's messages, by hand: what an honest library would never send

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let left = value; ; left >>>= 7) {
    if (left < 128) return Buffer.from([...bytes, left])
    bytes.push((left & 127) | 128)
  }
}
const field = (number: number, value: Uint8Array) =>
  Buffer.concat([varint((number << 3) | 2), varint(value.length), value])
const framed = (message: Uint8Array) => Buffer.concat([varint(message.length), message])
const ask = (type: number, key: Uint8Array, ...rest: Uint8Array[]) =>
  framed(Buffer.concat([Buffer.from([1 << 3, type]), field(2, key), ...rest]))

interface Named {
  readonly id: PeerId
  readonly addresses: readonly string[]
}
const peerField = (number: number, { addresses, id }: Named) =>
  field(
    number,
    Buffer.concat([
      field(1, new Uint8Array(id.toMultihash().bytes)),
      ...addresses.map((address) => field(2, multiaddr(address).bytes)),
    ]),
  )
/** An answer to FIND_NODE that names these peers. */
const naming = (peers: readonly Named[]) =>
  framed(Buffer.concat([Buffer.from([1 << 3, TYPE.findNode]), ...peers.map((peer) => peerField(8, peer))]))

/** PeerIds and addresses named in an answer, as bytes: enough to say whether somebody is among them. */
const isNamed = (answer: Uint8Array, peer: PeerId) =>
  Buffer.from(answer).includes(Buffer.from(peer.toMultihash().bytes))

/** Made once: a key costs more than its parsing. */
const NOBODIES = Array.from(
  { length: 100 },
  (): Named => ({ id: peerIdOfPrivateKey(random.bytes(32)), addresses: ['/ip4/127.0.0.1/tcp/9'] }),
)

const distance = (peer: PeerId, key: Uint8Array) => {
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
  const target = sha256(key)
  return toHex(new Uint8Array(sha256(peer.toMultihash().bytes).map((byte, i) => byte ^ (target[i] as number))))
}

describe('kad-dht routes and does no more', { timeout: 60_000 }, () => {
  let stakeView = new FakeStakeView()
  let net = new TestNetwork()
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()))
    await net.stop()
    stakeView = new FakeStakeView()
    net = new TestNetwork()
  })

  const standing = () => new Standing(PARAMS, { stakeView, clock: { nowMs: () => Date.now() } })

  /** This project's host, with a stake unless said. */
  async function host(options: { staked?: boolean; privateAddresses?: boolean } = {}): Promise<Host> {
    const { privateAddresses = true, staked = true } = options
    const privateKey = random.bytes(32)
    if (staked) stakeView.add(createSigner(privateKey))
    const made = await createHost(
      {
        ...{ privateKey, networkId: networkId(DOMAIN), listen: ['/ip4/127.0.0.1/tcp/0'], announce: [] },
        ...{ privateAddresses, fanout: 4, stakeUnitWei: 10n ** 21n },
      },
      { standing: standing(), metrics: netMetrics(new FakeMetrics()), clock: { nowMs: () => Date.now() }, timers },
    )
    await made.start()
    ends.push(() => made.stop())
    return made
  }

  /** A peer that speaks libp2p, and kad-dht as it likes: `answer` gets each question's bytes. */
  async function stranger(
    answer: (question: Uint8Array, stream: Stream) => Uint8Array | undefined = () => naming([]),
    { staked = true }: { staked?: boolean } = {},
  ) {
    const privateKey = random.bytes(32)
    if (staked) stakeView.add(createSigner(privateKey))
    const made = await createLibp2p({
      privateKey: libp2pKey(privateKey),
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify(), ping: ping() },
    })
    await made.handle(PROTOCOL, (stream) => {
      stream.addEventListener('message', ({ data }) => {
        const said = answer((data as { subarray(): Uint8Array }).subarray(), stream)
        if (said !== undefined && stream.writeStatus === 'writable') stream.send(said)
      })
    })
    ends.push(() => made.stop())
    return made
  }

  const addressOf = (peer: { getMultiaddrs(): { toString(): string }[] }) => `${peer.getMultiaddrs()[0]}`

  /** Connects, and waits until the other stands in the own table. */
  async function meet(from: Host, others: readonly { peerId: PeerId; getMultiaddrs(): { toString(): string }[] }[]) {
    const before = routingTableSize(from.services.routing)
    for (const other of others) await from.dial(multiaddr(addressOf(other)))
    await until('all are in the table', () => routingTableSize(from.services.routing) >= before + others.length)
  }

  /** Sends bytes on a stream of the routing protocol, and waits for an answer or the end of the stream. */
  async function say(from: Awaited<ReturnType<typeof stranger>>, to: Host, bytes: Uint8Array) {
    const stream = await from.dialProtocol(multiaddr(addressOf(to)), PROTOCOL)
    const answer = new Promise<{ answer?: Uint8Array; ended: boolean }>((resolve) => {
      stream.addEventListener('message', ({ data }) =>
        resolve({ answer: (data as { subarray(): Uint8Array }).subarray(), ended: false }),
      )
      stream.addEventListener('close', () => resolve({ ended: true }))
    })
    stream.send(bytes)
    return answer
  }

  const knownOf = async (from: Host, peer: PeerId) =>
    (await from.peerStore.has(peer))
      ? (await from.peerStore.get(peer)).addresses.map((known) => `${known.multiaddr}`)
      : []

  // Traps: a PUT overwrites newer records without asking the selector; a put resolves although every peer refused.
  it.each(Object.entries(TYPE).filter(([, type]) => type < TYPE.findNode))(
    'and ends a stream that brings %s',
    async (_, type) => {
      const node = await host()
      const peer = await stranger()
      const id = peer.peerId.toMultihash().bytes
      const record = Buffer.concat([
        field(1, Buffer.concat([Buffer.from('/pk/'), id])),
        field(2, id.subarray(2)),
        field(5, Buffer.from('2026-01-01T00:00:00.000000000Z')),
      ])
      const bodies: Record<number, Uint8Array> = {
        [TYPE.putValue]: ask(type, Buffer.concat([Buffer.from('/pk/'), id]), field(3, record)),
        [TYPE.getValue]: ask(type, Buffer.concat([Buffer.from('/pk/'), id])),
        [TYPE.addProvider]: ask(
          type,
          Buffer.concat([Buffer.from([1, 0x55]), id]),
          peerField(9, { id: peer.peerId, addresses: [EVERYWHERE] }),
        ),
        [TYPE.getProviders]: ask(type, Buffer.concat([Buffer.from([1, 0x55]), id])),
      }
      expect(await say(peer, node, bodies[type] as Uint8Array)).toEqual({ ended: true })
      expect(await knownOf(node, peer.peerId)).not.toContain(EVERYWHERE)
      expect((await say(peer, node, ask(TYPE.ping, new Uint8Array()))).ended).toBe(false)
    },
  )

  // Trap: on loopback the default mapper leaves tables empty.
  it('fills its tables on loopback, with stakes alone', async () => {
    const nodes = await net.addMany(5)
    const reader = await net.add({ staked: false, bootstrap: nodes[0]!.network.multiaddrs() })
    await until('all tables are full', () => nodes.every(({ network }) => network.stats().routingTable === 4))
    await until('the reader finds its way', () => reader.network.stats().routingTable > 0)
    // A reader that was met a moment ago is told of others once they told who they are.
    let walk = await reader.network.findPeers(random.bytes(32))
    while (walk.peers.length < 2) walk = await reader.network.findPeers(random.bytes(32))
    expect(walk.peers.every(({ stakeId }) => stakeId !== undefined)).toBe(true)
    expect(nodes.every(({ network }) => network.stats().routingTable <= 4)).toBe(true)
  })

  // Trap: the defaults of ping, two streams in and one out, and of the monitor break networks of 30 nodes.
  it('answers as many pings and questions at once as a busy network brings', async () => {
    const node = await host()
    const busy = await stranger()
    const questions = Array.from({ length: BUSY * ROUTING_STREAMS_MAX }, () => ask(TYPE.findNode, random.bytes(34)))
    // The connection stands on both sides once something was answered on it.
    await say(busy, node, ask(TYPE.ping, new Uint8Array()))
    const answers = await Promise.all(questions.map((question) => say(busy, node, question)))
    expect(answers.filter(({ ended }) => ended)).toEqual([])
    const other = await host()
    await node.dial(multiaddr(addressOf(other)))
    await node.services.ping.ping(other.peerId)
    const pings = await Promise.all(
      Array.from({ length: BUSY * PING_STREAMS_MAX }, () => node.services.ping.ping(other.peerId)),
    )
    expect(pings).toHaveLength(BUSY * PING_STREAMS_MAX)
  })

  it('holds a network together in which each finds others', { timeout: 600_000 }, async () => {
    const nodes = await net.addMany(NETWORK_NODES, { peersTarget: 4 })
    await until('tables are filled', () => nodes.every(({ network }) => network.stats().routingTable >= 6), 500_000)
    for (const { network } of nodes) {
      const { hops, peers } = await network.findPeers(random.bytes(32), { count: 8 })
      expect(peers.length).toBeGreaterThanOrEqual(3)
      expect(hops).toBeGreaterThanOrEqual(1)
      expect(hops).toBeLessThanOrEqual(4)
    }
  })

  it('names no reader and no tombstoned stake to anybody', async () => {
    const [node, other, reader] = [await host(), await host(), await host({ staked: false })]
    const asker = await stranger()
    await meet(node, [other])
    await reader.dial(multiaddr(addressOf(node)))
    const question = (peer: PeerId) => ask(TYPE.findNode, peer.toMultihash().bytes)
    expect(isNamed((await say(asker, node, question(other.peerId))).answer!, other.peerId)).toBe(true)
    expect(isNamed((await say(asker, node, question(reader.peerId))).answer!, reader.peerId)).toBe(false)
    stakeView.change(2, { tombstoned: true })
    expect(isNamed((await say(asker, node, question(other.peerId))).answer!, other.peerId)).toBe(false)
  })

  // Trap: kad-dht takes the first answer, so one peer on the way sends a caller wherever it likes, and is then remembered.
  it('finds a stake although a peer says it is elsewhere', async () => {
    const [node, witness, target] = [await host(), await host(), await host()]
    const elsewhere = ['/ip4/127.0.0.1/tcp/9', '/ip4/127.0.0.1/tcp/10']
    const liar = await stranger(() => naming([{ id: target.peerId, addresses: elsewhere }]))
    await meet(witness, [target])
    await meet(node, [witness, liar])
    const found = await node.peerRouting.findPeer(target.peerId)
    expect(found.multiaddrs.map((address) => `${address}`)).toEqual(
      expect.arrayContaining([addressOf(target).replace(/\/p2p\/.*/, '')]),
    )
    expect((await node.dial(target.peerId)).remotePeer.equals(target.peerId)).toBe(true)
  })

  it('forgets what others said of a peer that is not there, and keeps what it signed itself', async () => {
    const [node, target] = [await host(), await host()]
    const away = peerIdOfPrivateKey(random.bytes(32))
    await node.peerStore.merge(away, { multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/9')] })
    await forgetHearsay(node, away)
    expect(await knownOf(node, away)).toEqual([])
    await meet(node, [target])
    const signed = async () => (await node.peerStore.get(target.peerId)).addresses.filter((known) => known.isCertified)
    await expect.poll(signed).not.toEqual([])
    const kept = (await signed()).map(({ multiaddr: known }) => `${known}`)
    await node.peerStore.merge(target.peerId, { multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/9')] })
    await forgetHearsay(node, target.peerId)
    expect(await knownOf(node, target.peerId)).toEqual(kept)
    await forgetHearsay(node, peerIdOfPrivateKey(random.bytes(32)))
  })

  it('takes of others a few addresses a peer, of stakes alone, that name nobody else', async () => {
    const [node, target] = [await host(), createSigner(random.bytes(32))]
    const privateKey = random.bytes(32)
    stakeView.add(createSigner(privateKey))
    const stake = peerIdOfPrivateKey(privateKey)
    const nobody = peerIdOfPrivateKey(random.bytes(32))
    let port = 1_000
    const many = () => Array.from({ length: 50 }, () => `/ip4/127.0.0.1/tcp/${port++}`)
    const liar = await stranger(() =>
      naming([
        { id: stake, addresses: [`/ip4/127.0.0.1/tcp/9/p2p/${nobody}`, ...many()] },
        { id: nobody, addresses: many() },
      ]),
    )
    await meet(node, [liar])
    for (let i = 0; i < 6; i++)
      await findPeers(random.bytes(32), { timeoutMs: 2_000 }, { host: node, standing: standing() })
    const kept = await knownOf(node, stake)
    expect(kept.length).toBeGreaterThan(ADDRESSES_TOLD_MAX)
    expect(kept.length).toBeLessThanOrEqual(ADDRESSES_PER_PEER_MAX)
    expect(kept.some((address) => address.includes('/p2p/'))).toBe(false)
    expect(await node.peerStore.has(nobody)).toBe(false)
    expect(await locate(target.address, { host: node, stakeView })).toEqual([])
  })

  // Trap: whoever answers decides where this node knocks.
  it('on a public network neither gives nor takes private addresses', async () => {
    const node = await host({ privateAddresses: false })
    const privateKey = random.bytes(32)
    stakeView.add(createSigner(privateKey))
    const stake = peerIdOfPrivateKey(privateKey)
    const privates = ['/ip4/127.0.0.1/tcp/9', '/ip4/10.1.2.3/tcp/22', '/ip4/192.168.0.1/tcp/80', '/ip6/::1/tcp/9']
    const liar = await stranger(() => naming([{ id: stake, addresses: [...privates, '/ip4/8.8.8.8/tcp/9'] }]))
    await node.dial(multiaddr(addressOf(liar)))
    // On loopback its table stays empty, so that it is made to ask.
    const { network } = node.services.routing as unknown as {
      network: { sendRequest(to: PeerId, message: object, options: object): AsyncIterable<QueryEvent> }
    }
    const question = { type: 'FIND_NODE', key: stake.toMultihash().bytes }
    const path = { index: 0, queued: 0, running: 0, total: 0 }
    const told: unknown[] = []
    for await (const event of network.sendRequest(liar.peerId, question, { path })) {
      if (event.name === 'PEER_RESPONSE') told.push(...event.closer.flatMap(({ multiaddrs }) => multiaddrs.map(String)))
    }
    expect(told).toEqual(['/ip4/8.8.8.8/tcp/9'])
    await expect.poll(() => knownOf(node, stake)).toEqual(['/ip4/8.8.8.8/tcp/9'])
    const asked = await say(liar, node, ask(TYPE.findNode, node.peerId.toMultihash().bytes))
    expect(isNamed(asked.answer!, node.peerId)).toBe(false)
  })

  // Trap: one bad holder makes a read throw. A walk has no bad peers that end it.
  it.each<[string, (question: Uint8Array, stream: Stream) => Uint8Array | undefined]>([
    ['garbage', () => framed(random.bytes(900))],
    ['more than a message may have', () => Buffer.concat([varint(2 ** 28), Buffer.alloc(5_000_000)])],
    ['a closed stream', (_, stream) => void stream.abort(new Error('no'))],
    [
      'thousands of peers that do not exist',
      () => naming(Array.from({ length: 2_000 }, (_, i) => NOBODIES[i % NOBODIES.length]!)),
    ],
    ['itself', () => naming([])],
  ])('walks past a peer that answers with %s', async (_, answer) => {
    const [node, honest] = [await host(), await host()]
    const bad = await stranger(answer)
    await meet(node, [honest, bad])
    const walk = await findPeers(random.bytes(32), {}, { host: node, standing: standing() })
    expect(walk.peers.map(({ peerId }) => peerId)).toContain(honest.peerId.toString())
    expect(await node.peerStore.all()).toHaveLength(2)
  })

  // Break it caught: peers were given at the walk's end alone, so that one who never answers left none.
  it('ends in time beside a peer that never answers, with those who did', async () => {
    const [node, honest] = [await host(), await host()]
    const silent = await stranger(() => undefined)
    await meet(node, [honest, silent])
    const before = performance.now()
    const walk = await findPeers(random.bytes(32), { timeoutMs: 1_500 }, { host: node, standing: standing() })
    expect(walk).toMatchObject({ asked: 1, hops: 1, peers: [{ peerId: honest.peerId.toString() }] })
    expect(performance.now() - before).toBeLessThan(15_000)
  })

  // Break it caught: a peer of the own table counted one hop more when another named it first.
  it('counts a hop for each peer that had to be named by the one before', async () => {
    const key = random.bytes(32)
    const line: { peerId: PeerId; answer: Uint8Array; getMultiaddrs(): { toString(): string }[] }[] = []
    for (let i = 0; i < 3; i++) {
      const place = { answer: naming([]) }
      const made = await stranger(() => place.answer)
      line.push(Object.assign(place, { peerId: made.peerId, getMultiaddrs: () => made.getMultiaddrs() }))
    }
    line.sort((a, b) => (distance(a.peerId, key) < distance(b.peerId, key) ? 1 : -1))
    for (const [i, peer] of line.entries()) {
      const next = line[i + 1]
      if (next !== undefined) peer.answer = naming([{ id: next.peerId, addresses: [addressOf(next)] }])
    }
    const far = await host()
    await meet(far, [line[0]!])
    const walk = await findPeers(key, {}, { host: far, standing: standing() })
    expect(walk).toMatchObject({ hops: 3, asked: 3 })
    expect(walk.peers.map(({ peerId }) => peerId)).toEqual(line.toReversed().map(({ peerId }) => `${peerId}`))
    const near = await host()
    await meet(near, line)
    expect(await findPeers(key, {}, { host: near, standing: standing() })).toMatchObject({ hops: 1, asked: 3 })
  })

  it.each([
    ['a stake', true, ROUTING_STAKED_RATE],
    ['a reader', false, ROUTING_READER_RATE],
  ])('answers %s at a bounded rate', async (_, staked, rate) => {
    const node = await host()
    const asker = await stranger(undefined, { staked })
    const stream = await asker.dialProtocol(multiaddr(addressOf(node)), PROTOCOL)
    let answers = 0
    const ended = new Promise((resolve) => stream.addEventListener('close', resolve))
    stream.addEventListener('message', ({ data }) => {
      // An answer without peers is a frame of four bytes.
      answers += data.byteLength / 3
    })
    const most = rate.messagesPerSecond * rate.burstSeconds
    const question = ask(TYPE.findNode, random.bytes(34))
    stream.send(Buffer.concat(Array.from({ length: 3 * most }, () => question)))
    await ended
    expect(answers).toBeGreaterThan(0)
    expect(answers).toBeLessThan(2 * most)
  })
})
