import { describe, expect, it } from 'vitest'
import type { Address } from '../../../node/core/index.ts'
import { peerIdOfPrivateKey } from '../../../node/net/index.ts'
import { FURTHER_ADDRESSES_MAX, furtherAddresses } from '../../../node/net/requests/further-addresses.ts'

const KEY: Address = `0x${'11'.repeat(20)}`
const peer = peerIdOfPrivateKey(new Uint8Array(32).fill(1))
const other = peerIdOfPrivateKey(new Uint8Array(32).fill(2))
const PUBLIC = '/ip4/1.2.3.4/tcp/4001'
const PRIVATE = '/ip4/192.168.0.7/tcp/4001'

async function tried(told: readonly string[], { isPrivate = true } = {}): Promise<string[]> {
  const addresses = await furtherAddresses(async () => told, isPrivate)(KEY, peer)
  return addresses.map((address) => address.toString())
}

describe('further addresses of a peer', () => {
  it('name that peer, whether it was named or not', async () => {
    expect(await tried([PUBLIC, `${PRIVATE}/p2p/${peer}`])).toEqual([`${PUBLIC}/p2p/${peer}`, `${PRIVATE}/p2p/${peer}`])
  })

  it('leave out other peers, relays and what is no address', async () => {
    const relayed = `${PUBLIC}/p2p/${other}/p2p-circuit/p2p/${peer}`
    expect(await tried([`${PUBLIC}/p2p/${other}`, relayed, '/no/address', 'nonsense', ''])).toEqual([])
  })

  it('lead into no private network from a public one', async () => {
    const told = [PRIVATE, '/ip4/127.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip6/::1/tcp/1', PUBLIC]
    expect(await tried(told, { isPrivate: false })).toEqual([`${PUBLIC}/p2p/${peer}`])
  })

  it('are bounded', async () => {
    const told = Array.from({ length: 100 }, (_, port) => `/ip4/1.2.3.4/tcp/${port + 1}`)
    expect(await tried(told)).toHaveLength(FURTHER_ADDRESSES_MAX)
  })

  it('are none where nobody tells any', async () => {
    expect(await furtherAddresses(undefined, true)(KEY, peer)).toEqual([])
  })
})
