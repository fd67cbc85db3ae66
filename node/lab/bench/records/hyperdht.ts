import { createRequire } from 'node:module'
import { mustEqual, NODES, type RecordNetwork, type RecordWay, sampleValue } from './record-network.ts'

/** A value, its key, signature and packet fit the peer's limit of a datagram. */
const VALUE_BYTES = 900

interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

interface HyperDht {
  fullyBootstrapped(): Promise<void>
  mutablePut(keyPair: KeyPair, value: Uint8Array): Promise<{ readonly closestNodes: readonly unknown[] }>
  mutableGet(publicKey: Uint8Array, options?: { latest: boolean }): Promise<{ readonly value: Uint8Array } | null>
}

interface Testnet {
  readonly nodes: readonly HyperDht[]
  createNode(): HyperDht
  destroy(): Promise<void>
}

const require = createRequire(import.meta.url)

/** `hyperdht` on its own test network: UDP on loopback, Ed25519, records in memory. */
export async function hyperDhtNetwork(): Promise<RecordNetwork> {
  const createTestnet = require('hyperdht/testnet') as (size: number) => Promise<Testnet>
  const { keyPair } = require('hyperdht') as { keyPair(seed: Uint8Array): KeyPair }
  const testnet = await createTestnet(NODES)
  const writer = testnet.nodes[NODES - 1] as HyperDht
  const reader = testnet.createNode()
  await reader.fullyBootstrapped()
  const keys: KeyPair[] = []
  const keyOf = (index: number) => keys[index] as KeyPair
  const way = (name: string, options?: { latest: boolean }): RecordWay => ({
    name,
    // It commits to the 20 closest it found, and 19 others are all there are.
    replicas: NODES - 1,
    quorum: NODES - 1,
    answers: options?.latest === false ? 'the first' : 'all of its query, newest wins',
    durable: 'in memory',
    remembers: false,
    valueBytes: VALUE_BYTES,
    prepare(count) {
      for (let index = keys.length; index < count; index++) {
        const seed = new Uint8Array(32)
        new DataView(seed.buffer).setUint32(0, index + 1)
        keys.push(keyPair(seed))
      }
    },
    async store(index) {
      const { closestNodes } = await writer.mutablePut(keyOf(index), Buffer.from(sampleValue(index, VALUE_BYTES)))
      if (closestNodes.length === 0) throw new Error(`record ${index} was stored by no node`)
      return {}
    },
    async retrieve(index) {
      const found = await reader.mutableGet(keyOf(index).publicKey, options)
      mustEqual(found?.value, index, VALUE_BYTES)
    },
  })
  return {
    ways: [way('hyperdht'), way('hyperdht, first answer', { latest: false })],
    stop: () => testnet.destroy(),
  }
}
