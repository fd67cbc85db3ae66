import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MultiaddrConnection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { IDENTITIES_MAX } from '../../../node/net/constants.ts'
import { netMetrics } from '../../../node/net/metrics.ts'
import { connectionGater } from '../../../node/net/peers/gater.ts'
import { addressOfPeerId, peerIdOfPrivateKey, peerIdOfPublicKey } from '../../../node/net/peers/identity.ts'
import { Standing } from '../../../node/net/peers/standing.ts'
import { createSigner } from '../../../node/statements/index.ts'
import { FakeMetrics, FakeStakeView } from '../../integration/net/harness.ts'

const EPOCH = 100
const clock = { nowMs: () => EPOCH * 10_000 }
const key = () => new Uint8Array(randomBytes(32))

function registry() {
  const stakeView = new FakeStakeView()
  const privateKey = key()
  const signer = createSigner(privateKey)
  const stakeId = stakeView.add(signer)
  const standing = new Standing({ epochSeconds: 10 }, { stakeView, clock })
  return { stakeView, signer, stakeId, standing, peerId: peerIdOfPrivateKey(privateKey) }
}

describe('identities', () => {
  it('are one: key, PeerId and Ethereum address', () => {
    const privateKey = new Uint8Array(32).fill(1)
    const signer = createSigner(privateKey)
    const peerId = peerIdOfPrivateKey(privateKey)
    // the address that every Ethereum wallet shows for this key
    expect(addressOfPeerId(peerId)).toBe('0x1a642f0e3c3af545e7acbd38b07251b3990914f1')
    expect(addressOfPeerId(peerId)).toBe(signer.address)
    expect(peerIdOfPublicKey(signer.publicKey).equals(peerId)).toBe(true)
  })

  it('of another curve have no address', async () => {
    expect(addressOfPeerId(peerIdFromPrivateKey(await generateKeyPair('Ed25519')))).toBeUndefined()
  })
})

describe('Standing', () => {
  it('is stake for a key that may speak, and a reader for any other', () => {
    const { standing, stakeId, signer, peerId } = registry()
    expect(standing.of(peerId)).toEqual({ stakeId, address: signer.address, amountWei: 10n ** 21n })
    expect(standing.of(peerId.toString())).toEqual(standing.of(peerId))
    expect(standing.of(peerIdOfPrivateKey(key()))).toBeUndefined()
  })

  it.each([{ tombstoned: true }, { jailedUntil: 5 }, { status: 'unbonding' as const }, { status: 'pending' as const }])(
    'is lost at once with %o',
    (row) => {
      const { stakeView, standing, stakeId, peerId } = registry()
      expect(standing.of(peerId)).toBeDefined()
      stakeView.change(stakeId, row)
      expect(standing.of(peerId)).toBeUndefined()
    },
  )

  // Break it caught: a tenure that was not looked at, so that retired keys kept their place in the mesh.
  it.each([
    [EPOCH + 1, Number.POSITIVE_INFINITY, true],
    [EPOCH + 2, Number.POSITIVE_INFINITY, false],
    [0, EPOCH, true],
    [0, EPOCH - 1, false],
  ])('of a key from epoch %d until %d is stake: %s', (fromEpoch, untilEpoch, expected) => {
    const { stakeView, standing, signer, peerId } = registry()
    const tenure = stakeView.key(signer.address)!
    stakeView.key = () => ({ ...tenure, fromEpoch, untilEpoch })
    expect(standing.of(peerId) !== undefined).toBe(expected)
  })

  it('remembers a bounded number of identities', () => {
    const { standing, peerId } = registry()
    const cheap = (i: number) => ({ toString: () => `${i}`, type: 'Ed25519' }) as unknown as PeerId
    for (let i = 0; i < IDENTITIES_MAX + 10; i++) standing.of(cheap(i))
    expect(standing.size).toBe(IDENTITIES_MAX)
    expect(standing.of(peerId)).toBeDefined()
  })
})

describe('the connection gater', () => {
  const connection = {} as MultiaddrConnection

  // Breaks it caught: a limit that counted stakes too, and one that nobody asked for their own key.
  it('bounds readers and connections of one key, and counts what it refuses', async () => {
    const { standing, peerId } = registry()
    const metrics = new FakeMetrics()
    const connected: PeerId[] = []
    const limits = { readersMax: 2, connectionsPerPeerMax: 2 }
    const gater = connectionGater(limits, { standing, connected: () => connected, metrics: netMetrics(metrics) })
    const denied = (peer: PeerId) => gater.denyInboundEncryptedConnection?.(peer, connection)
    for (let i = 0; i < 2; i++) {
      const reader = peerIdOfPrivateKey(key())
      expect(denied(reader)).toBe(false)
      connected.push(reader)
    }
    expect(denied(peerIdOfPrivateKey(key()))).toBe(true)
    expect(metrics.of('suprnova_net_gated_total', 'readers')).toBe(1)
    for (let i = 0; i < 2; i++) {
      expect(denied(peerId)).toBe(false)
      connected.push(peerId)
    }
    expect(denied(peerId)).toBe(true)
    expect(metrics.of('suprnova_net_gated_total', 'connections-per-peer')).toBe(1)
  })
})
