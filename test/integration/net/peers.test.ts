import { afterEach, describe, expect, it } from 'vitest'
import { READERS_MAX } from '../../../node/net/index.ts'
import { bytes, listen, meshed, TestNetwork, type TestNode, text, until } from './harness.ts'

describe('peers', { timeout: 60_000 }, () => {
  let net = new TestNetwork()
  afterEach(async () => {
    await net.stop()
    net = new TestNetwork()
  })

  const connected = (from: TestNode, to: TestNode) =>
    from.network.peers().some(({ peerId }) => peerId === to.network.peerId)

  it('find staked peers whose addresses they were never told', async () => {
    const nodes = await net.addMany(4)
    // three nodes know the first alone; the registry tells them that the others exist
    await until('all know all', () => nodes.every((from) => nodes.every((to) => from === to || connected(from, to))))
    const [peer] = nodes[1]!.network.peers()
    expect(peer!.address).toMatch(/^0x[0-9a-f]{40}$/)
    expect(peer!.stakeId).toBeGreaterThan(0)
  })

  it('meet over WebSocket as over TCP', async () => {
    const one = await net.add({ listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
    const two = await net.add({ bootstrap: one.network.multiaddrs() })
    expect(one.network.multiaddrs()[0]).toContain('/ws')
    const heard = listen(two)
    listen(one)
    await until('a mesh', () => meshed([one, two], 'news'))
    await one.network.publish('news', bytes('by web'))
    await until('it is heard', () => heard.length === 1)
    expect(text(heard[0]!.payload)).toBe('by web')
  })

  it('come back after they were gone', async () => {
    const one = await net.add()
    const address = one.network.multiaddrs()[0]!
    const port = address.split('/')[4]!
    const two = await net.add({ bootstrap: [address] })
    await until('they are connected', () => connected(two, one))
    await one.network.stop()
    await until('one is gone', () => !connected(two, one))
    expect(two.metrics.of('suprnova_net_dials_total', 'connected')).toBeGreaterThan(0)
    await until('a dial failed', () => two.metrics.of('suprnova_net_dials_total', 'failed') > 0)
    const again = await net.add({ privateKey: one.privateKey, staked: false, listen: [`/ip4/127.0.0.1/tcp/${port}`] })
    await until('they are connected again', () => connected(two, again))
  })

  it('that are tombstoned stay connected as readers: their messages stop, they may still read', async () => {
    const [one, two] = (await net.addMany(2)) as [TestNode, TestNode]
    const [heard, heardByLiar] = [listen(one), listen(two)]
    await until('a mesh', () => meshed([one, two], 'news'))
    await two.network.publish('news', bytes('before'))
    await until('it is heard', () => heard.length === 1)
    net.stakeView.change(2, { tombstoned: true })
    await two.network.publish('news', bytes('after'))
    await until('it is dropped', () => one.metrics.of('suprnova_net_dropped_total', 'unstaked') > 0)
    expect(heard).toHaveLength(1)
    expect(one.network.stats().peers).toEqual({ staked: 0, readers: 1 })
    await until('it left the mesh', () => one.network.stats().topics[0]!.meshPeers === 0)
    await one.network.publish('news', bytes('still here'))
    await until('the reader reads', () => heardByLiar.length === 1)
  })

  // Break it caught: counting by remote address instead of by standing.
  it('without stake share a bounded number of places, which stakes do not need', async () => {
    const one = await net.add()
    const address = one.network.multiaddrs()[0]!
    const readers: TestNode[] = []
    for (let i = 0; i < READERS_MAX; i++) readers.push(await net.add({ staked: false, listen: [] }))
    for (const reader of readers) await reader.network.dial(address)
    await until('all places are taken', () => one.network.stats().peers.readers === READERS_MAX)
    const late = await net.add({ staked: false, listen: [] })
    await late.network.dial(address).catch(() => {})
    await until('one is refused', () => one.metrics.of('suprnova_net_gated_total', 'readers') > 0)
    const stake = await net.add({ bootstrap: [address] })
    await until('a stake comes in', () => one.network.stats().peers.staked === 1)
    expect(connected(one, stake)).toBe(true)
    expect(one.network.stats().peers.readers).toBe(READERS_MAX)
  })

  it('tell each other the time, one voice a stake', async () => {
    const [one, two, three] = (await net.addMany(3)) as [TestNode, TestNode, TestNode]
    const reader = await net.add({ staked: false, bootstrap: one.network.multiaddrs() })
    two.skewMs = 60_000
    three.skewMs = -30_000
    reader.skewMs = 1e9
    await until('two stakes have spoken', () => one.network.peerClocks().length === 2)
    const offsets = one.network.peerClocks().sort((a, b) => a.stakeId - b.stakeId)
    expect(offsets.map(({ stakeId }) => stakeId)).toEqual([2, 3])
    // half a round trip is all that may be missing; a busy machine may take a second over it
    expect(Math.abs(offsets[0]!.offsetMs - 60_000)).toBeLessThan(1_000)
    expect(Math.abs(offsets[1]!.offsetMs + 30_000)).toBeLessThan(1_000)
    const times = one.network.peerTimes().sort((a, b) => a - b)
    expect(times).toHaveLength(2)
    expect(Math.abs(times[1]! - Date.now() - 60_000)).toBeLessThan(2_000)
  })
})
