import { afterEach, describe, expect, it } from 'vitest'
import type { Address } from '../../../node/core/index.ts'
import { bytes, TestNetwork, text } from './harness.ts'

describe('a peer that the routing table does not lead to', { timeout: 60_000 }, () => {
  let net = new TestNetwork()
  afterEach(async () => {
    await net.stop()
    net = new TestNetwork()
  })

  /** A node that serves, and one that knows nobody and is told `addresses`. */
  async function strangers(addresses: () => readonly string[]) {
    const askedFor: Address[] = []
    const findAddresses = async (address: Address) => {
      askedFor.push(address)
      return addresses()
    }
    const served = await net.add()
    served.requests.serve((request) => bytes(`${text(request)}, indeed`))
    const asking = await net.add({ findAddresses })
    return { served, asking, askedFor }
  }

  it('is reached at the address its stake wrote down', async () => {
    const { asking, askedFor, served } = await strangers(() => served.network.multiaddrs())
    const answer = await asking.requests.request(served.signer.address, bytes('hello'), { timeoutMs: 30_000 })
    expect(text(answer)).toBe('hello, indeed')
    expect(askedFor).toEqual([served.signer.address])
    await asking.requests.request(served.signer.address, bytes('again'))
    expect(askedFor).toHaveLength(1)
  })

  it('is not mistaken for whoever listens at a false address', async () => {
    const liar = await net.add()
    liar.requests.serve(() => bytes('it is me'))
    const port = liar.network.multiaddrs()[0]?.split('/')[4]
    const { asking, served } = await strangers(() => [`/ip4/127.0.0.1/tcp/${port}`])
    const request = asking.requests.request(served.signer.address, bytes('hello'), { timeoutMs: 30_000 })
    await expect(request).rejects.toMatchObject({ code: 'REQUEST_UNREACHABLE' })
    expect(asking.network.peers()).toEqual([])
  })

  it('is away when nobody tells an address', async () => {
    const { asking, served } = await strangers(() => [])
    const request = asking.requests.request(served.signer.address, bytes('hello'), { timeoutMs: 30_000 })
    await expect(request).rejects.toMatchObject({ code: 'REQUEST_UNREACHABLE' })
  })
})
