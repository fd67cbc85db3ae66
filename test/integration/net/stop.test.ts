import { describe, expect, it } from 'vitest'
import { bytes, listen, meshed, TestNetwork, until } from './harness.ts'

// a file of its own, and so a process: what is open here was opened here
describe('a stopped network', { timeout: 60_000 }, () => {
  const open = () => process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout|Immediate/.test(kind)).length

  // Break it caught: an upkeep timer that was set again by a round under way while stop() was called.
  it('leaves nothing open, and refuses work', async () => {
    const before = open()
    const net = new TestNetwork()
    const nodes = await net.addMany(3)
    const heard = nodes.map((node) => listen(node))
    await until('a mesh', () => meshed(nodes, 'news'))
    await nodes[0]!.network.publish('news', bytes('hello'))
    await until('it is heard', () => heard[1]!.length + heard[2]!.length === 2)
    expect(open()).toBeGreaterThan(before)
    await net.stop()
    await net.stop()
    await until('sockets and timers are gone', () => open() <= before + 1)
    await expect(nodes[0]!.network.publish('news', bytes('late'))).rejects.toMatchObject({ code: 'NET_NOT_RUNNING' })
    expect(() => listen(nodes[0]!)).toThrow(/not running/)
  })
})
