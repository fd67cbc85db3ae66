import { createRequire } from 'node:module'
import { mustEqual, NODES, type RecordNetwork, sampleValue } from './record-network.ts'

/** A value, its key, signature and packet fit the peer's limit of a datagram. */
const VALUE_BYTES = 900
/** How many the closest nodes of a commit are. */
const REPLICAS = 20

interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

interface HyperDht {
  mutablePut(keyPair: KeyPair, value: Uint8Array): Promise<{ readonly closestNodes: readonly unknown[] }>
  mutableGet(publicKey: Uint8Array): Promise<{ readonly value: Uint8Array } | null>
}

interface Testnet {
  readonly nodes: readonly HyperDht[]
  destroy(): Promise<void>
}

const require = createRequire(import.meta.url)

/** `hyperdht` on its own test network: UDP on loopback, Ed25519, records in memory. */
export async function hyperDhtNetwork(): Promise<RecordNetwork> {
  const createTestnet = require('hyperdht/testnet') as (size: number) => Promise<Testnet>
  const { keyPair } = require('hyperdht') as { keyPair(seed: Uint8Array): KeyPair }
  const testnet = await createTestnet(NODES)
  const client = testnet.nodes[NODES - 1] as HyperDht
  const keysOf = (index: number) => {
    const seed = new Uint8Array(32)
    new DataView(seed.buffer).setUint32(0, index + 1)
    return keyPair(seed)
  }
  // Key pairs are made before the clock starts: its users have theirs.
  const keys = new Map<number, KeyPair>()
  const keyOf = (index: number) => {
    const known = keys.get(index) ?? keysOf(index)
    keys.set(index, known)
    return known
  }
  return {
    name: 'hyperdht mutablePut',
    replicas: REPLICAS - 1,
    durable: false,
    valueBytes: VALUE_BYTES,
    async store(index) {
      const { closestNodes } = await client.mutablePut(keyOf(index), Buffer.from(sampleValue(index, VALUE_BYTES)))
      if (closestNodes.length === 0) throw new Error(`record ${index} was stored by no node`)
    },
    async retrieve(index) {
      const found = await client.mutableGet(keyOf(index).publicKey)
      mustEqual(found?.value, index, VALUE_BYTES)
    },
    stop: () => testnet.destroy(),
  }
}
