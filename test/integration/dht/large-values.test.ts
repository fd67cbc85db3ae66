import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../../node/core/index.ts'
import { type Dht, PART_BYTES, STATE_MAX_BYTES } from '../../../node/dht/index.ts'
import { connect, openRecordNode, type RecordNode } from '../../../node/lab/bench/records/record-node.ts'
import { SeededRandom } from '../../../node/lab/simulation/seeded-random.ts'

// Sockets, disks and guards as nodes have them, all in this process: what is held in memory is what they hold together.

const MIB = 1024 * 1024
const SIZE_BYTES = process.env.SUPRNOVA_LONG === '1' ? STATE_MAX_BYTES : 24 * MIB
/** Whatever the size of the value: 8 parts under way and at most 64 behind, at a writer and at its replicas in one process. */
const MEMORY_MAX_BYTES = 40 * MIB

const nodes: RecordNode[] = []
beforeAll(async () => {
  const stakes = [1, 2, 3, 4].map((byte) => ({ privateKey: toHex(new Uint8Array(32).fill(byte)), isPlaced: true }))
  for (const index of stakes.keys()) nodes.push(await openRecordNode(stakes, index, { inMemory: false }))
  for (const [index, node] of nodes.entries()) {
    const others = nodes.slice(index + 1).map(({ network }) => network.multiaddrs()[0] as string)
    await connect(node, others)
  }
}, 120_000)
afterAll(async () => {
  for (const node of nodes) await node.stop()
})

/** A value that is nowhere as a whole. */
async function* source(seed: string, bytes: number, pieceBytes = 50_000): AsyncGenerator<Uint8Array, void, undefined> {
  const random = new SeededRandom(seed)
  const block = random.bytes(pieceBytes)
  for (let at = 0; at < bytes; at += pieceBytes) {
    const piece = block.slice(0, Math.min(pieceBytes, bytes - at))
    new DataView(piece.buffer).setUint32(0, at)
    yield piece
  }
}

async function digestOf(parts: AsyncIterable<Uint8Array>, onPart: () => void = () => undefined) {
  const hash = createHash('sha256')
  let size = 0
  for await (const part of parts) {
    hash.update(part)
    size += part.length
    onPart()
  }
  return { digest: hash.digest('hex'), size }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** How often it is collected and measured: collecting takes a while. */
const LOOK_EVERY = 16

/** The most that buffers take above what they took before, once what nobody holds is collected. */
function memoryWatch() {
  const held = () => {
    collect()
    return process.memoryUsage().arrayBuffers
  }
  const before = held()
  let most = 0
  let looks = 0
  return {
    look: () => {
      if (looks++ % LOOK_EVERY === 0) most = Math.max(most, held() - before)
    },
    get most() {
      return most
    },
  }
}

describe('a value of many parts', { timeout: 600_000 }, () => {
  const [writer, reader] = [() => nodes[0]?.dht as Dht, () => nodes[3]?.dht as Dht]

  it('is stored from a stream and read as one, in bounded memory', async () => {
    const expected = await digestOf(source('large', SIZE_BYTES))
    const memory = memoryWatch()
    const stored = await writer().states.storeState('large', source('large', SIZE_BYTES), { onProgress: memory.look })
    expect(stored).toMatchObject({ parts: Math.ceil(SIZE_BYTES / PART_BYTES), size: SIZE_BYTES, degraded: false })
    await stored.rest
    expect(memory.most).toBeLessThan(MEMORY_MAX_BYTES)

    const owner = writer().ownStakeId as number
    const found = await reader().states.retrieveState('large', { owner })
    if (found.record === undefined) throw new Error('nothing was found')
    expect(found.quorum).toBe(true)
    const reading = memoryWatch()
    expect(await digestOf(found.parts, reading.look)).toEqual(expected)
    expect(reading.most).toBeLessThan(MEMORY_MAX_BYTES)
  })

  it('is not read further than its reader goes', async () => {
    const owner = writer().ownStakeId as number
    const found = await reader().states.retrieveState('large', { owner })
    if (found.record === undefined) throw new Error('nothing was found')
    for await (const part of found.parts) {
      expect(part.length).toBe(PART_BYTES)
      break
    }
  })

  it('stored again takes no more room than its manifest: what is there is neither signed nor sent', async () => {
    const bytes = () => nodes.map(({ dht }) => dht.stats().bytes)
    await writer().states.storeState('again', source('again', 2 * MIB))
    const before = bytes()
    const again = await writer().states.storeState('again', source('again', 2 * MIB))
    await again.rest
    const grown = bytes().map((now, i) => now - (before[i] as number))
    expect(Math.max(...grown)).toBeLessThan(20_000)
  })

  it('past 64 MiB is refused by name', async () => {
    const whole = writer().states.storeState('whole', new Uint8Array(STATE_MAX_BYTES + 1))
    await expect(whole).rejects.toMatchObject({ code: 'DHT_TOO_LARGE', values: { limit: STATE_MAX_BYTES } })
  })
})
