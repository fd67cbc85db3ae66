import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BODY_DRAIN_MS, REQUEST_TIMEOUT_MS, STATE_LIMIT_BYTES, STATE_STALL_MS } from '../../../node/api/constants.ts'
import { LocalServer, type NodeApi, NodeClient } from '../../../node/api/index.ts'
import type { Logger, Timers } from '../../../node/core/index.ts'
import { DhtError } from '../../../node/dht/index.ts'

const PART_BYTES = 65_536
/** What may lie in sockets and streams between two processes that wait for each other. */
const ON_THE_WAY_BYTES = 4 * 1024 * 1024

const EPOCH_SECONDS = 10
const RECEIPT = { id: '0x01', recordKey: '0x02', size: 3, stakeId: 4, untilEpoch: 40 }

let dataDir: string
let server: LocalServer
let client: NodeClient
let errors: unknown[]
/** What the node does with a value that comes, and which one it shows. */
let store: (value: AsyncIterable<Uint8Array>) => Promise<number>
let show: () => { readonly size: number; readonly parts: AsyncIterable<Uint8Array> } | undefined
/** Limits of time that run out a thousand times sooner. */
let hurried: readonly number[]

const timers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, hurried.includes(delayMs) ? 10 : delayMs)
    return () => clearTimeout(timer)
  },
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'suprnova-state-'))
  errors = []
  hurried = []
  store = async (value) => {
    let size = 0
    for await (const chunk of value) size += chunk.length
    return size
  }
  show = () => undefined
  const logger: Logger = {
    ...{ debug() {}, info() {}, warn() {}, with: () => logger },
    error: (_message, values) => void errors.push(values),
  }
  const recordKey = new Uint8Array(32).fill(7)
  const states = {
    keyOf: () => recordKey,
    async storeState(_key: string, value: AsyncIterable<Uint8Array>) {
      const size = await store(value)
      return {
        recordKey,
        position: 1n,
        leaf: 0,
        size,
        parts: 0,
        degraded: false,
        expiryEpoch: 41,
        receipts: [RECEIPT],
        rest: [RECEIPT],
      }
    },
    async retrieveState() {
      const shown = show()
      if (shown === undefined) return { recordKey, record: undefined }
      const record = { version: { position: 1n }, writerStakeId: 3 }
      return { recordKey, record, quorum: true, missing: [], ...shown }
    },
  }
  const api = { epochSeconds: EPOCH_SECONDS, dht: { states } } as unknown as NodeApi
  server = new LocalServer({ socketPath: join(dataDir, 'node.sock') }, { api, timers, logger })
  await server.start()
  client = new NodeClient(dataDir)
})

afterEach(async () => {
  await server.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** A value in pieces, counting what was taken of it and whether it was let go of. */
function source(pieces: number, options: { failsAfter?: number; waitsAfter?: number } = {}) {
  const taken = { bytes: 0, ended: false }
  async function* generate() {
    try {
      for (let i = 0; i < pieces; i++) {
        if (i === options.failsAfter) throw new Error('the disk is gone')
        if (i === options.waitsAfter) await new Promise(() => {})
        taken.bytes += PART_BYTES
        yield new Uint8Array(PART_BYTES).fill(i)
      }
    } finally {
      taken.ended = true
    }
  }
  return { taken, parts: generate() }
}

const settled = async (condition: () => boolean) => expect.poll(condition, { timeout: 20_000 }).toBe(true)

test('epochs are told with the time at which they are over', async () => {
  const stored = await client.storeState('timed', source(1).parts)
  expect(stored).toMatchObject({ expiryEpoch: 41, expirySeconds: 42 * EPOCH_SECONDS })
  expect(stored.receipts).toMatchObject([{ untilEpoch: 40, untilSeconds: 41 * EPOCH_SECONDS }])
})

describe('a value on its way in', () => {
  test('of 64 MiB is taken as a stream', async () => {
    const { parts } = source(STATE_LIMIT_BYTES / PART_BYTES)
    expect((await client.storeState('large', parts)).size).toBe(STATE_LIMIT_BYTES)
  })

  test('waits for replicas that are slow, instead of piling up', async () => {
    const gate = Promise.withResolvers<void>()
    store = async (value) => {
      let size = 0
      for await (const chunk of value) {
        if (size === 0) await gate.promise
        size += chunk.length
      }
      return size
    }
    const { parts, taken } = source(512)
    const stored = client.storeState('slow', parts)
    await settled(() => taken.bytes > 0)
    let before = -1
    await settled(() => {
      const stands = taken.bytes === before
      before = taken.bytes
      return stands
    })
    expect(taken.bytes).toBeLessThan(ON_THE_WAY_BYTES)
    gate.resolve()
    expect((await stored).size).toBe(512 * PART_BYTES)
  })

  test.each([
    ['as it says', 1_100],
    ['whatever it says', Number.POSITIVE_INFINITY],
  ])('of more than 64 MiB is refused, %s', async (_, pieces) => {
    await expect(client.storeState('huge', source(pieces).parts)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' })
    expect((await client.storeState('next', source(1).parts)).size).toBe(PART_BYTES)
  })

  test('that breaks off is never stored, and the next one is', async () => {
    let told: unknown
    store = (value) =>
      (async () => {
        for await (const _ of value);
        return 0
      })().catch((error) => {
        told = error
        throw error
      })
    await expect(client.storeState('broken', source(9, { failsAfter: 5 }).parts)).rejects.toThrow('the disk is gone')
    await settled(() => told !== undefined)
    expect(told).toMatchObject({ code: 'BODY_CUT_OFF' })
    told = undefined
    const abort = new AbortController()
    const { parts, taken } = source(9, { waitsAfter: 3 })
    const aborted = client.storeState('aborted', parts, { signal: abort.signal })
    await settled(() => taken.bytes > 0)
    abort.abort()
    await expect(aborted).rejects.toThrow()
    await settled(() => told !== undefined)
    expect(told).toMatchObject({ code: 'BODY_CUT_OFF' })
    // A sender that goes away is no failure of the node.
    expect(errors).toEqual([])
  })

  test('that a replica refuses tells why, whatever of it was not read', async () => {
    store = async (value) => {
      for await (const _ of value) throw new DhtError('DHT_TOO_FEW_RECEIPTS', 'got 1 of 2', { exitCode: 75 })
      return 0
    }
    for (const pieces of [1, 64, 900]) {
      const refused = client.storeState('refused', source(pieces).parts)
      await expect(refused).rejects.toMatchObject({ code: 'DHT_TOO_FEW_RECEIPTS', exitCode: 75 })
    }
    hurried = [BODY_DRAIN_MS]
    const endless = client.storeState('refused', source(64, { waitsAfter: 2 }).parts)
    await expect(endless).rejects.toMatchObject({ code: 'DHT_TOO_FEW_RECEIPTS' })
  })

  test('that never goes on is given up', async () => {
    hurried = [STATE_STALL_MS]
    const { parts } = source(9, { waitsAfter: 1 })
    await expect(client.storeState('stalled', parts)).rejects.toMatchObject({ code: 'NODE_GONE', exitCode: 75 })
  })
})

describe('a value on its way out', () => {
  const all = (pieces: number) => {
    const { parts, taken } = source(pieces)
    show = () => ({ size: pieces * PART_BYTES, parts })
    return taken
  }

  test('of 64 MiB comes whole', async () => {
    all(STATE_LIMIT_BYTES / PART_BYTES)
    const { value } = await client.retrieveState('large')
    expect(value?.length).toBe(STATE_LIMIT_BYTES)
    expect(value?.at(-1)).toBe((STATE_LIMIT_BYTES / PART_BYTES - 1) & 0xff)
  })

  test('waits for its reader, and is let go of when the reader goes', async () => {
    const taken = all(1_000)
    const opened = await client.openState('slow')
    const parts = opened?.parts[Symbol.asyncIterator]()
    await parts?.next()
    let before = -1
    await settled(() => {
      const stands = taken.bytes === before
      before = taken.bytes
      return stands
    })
    expect(taken.bytes).toBeLessThan(ON_THE_WAY_BYTES)
    // Break it caught: waiting for a drain that never comes from a reader that is gone.
    await parts?.return?.()
    await settled(() => taken.ended)
    expect(taken.bytes).toBeLessThan(ON_THE_WAY_BYTES)
  })

  test('is let go of when its reader sleeps', async () => {
    hurried = [STATE_STALL_MS]
    const taken = all(1_000)
    const opened = await client.openState('asleep')
    await settled(() => taken.ended)
    const reading = (async () => {
      for await (const _ of opened?.parts ?? []);
    })()
    await expect(reading).rejects.toMatchObject({ code: 'NODE_GONE' })
  })

  // Break it caught: an answer cut off without a word, or one that looked whole.
  test('whose part is missing says so, after the parts that were there', async () => {
    const { parts } = source(9)
    async function* broken() {
      for await (const part of parts) {
        yield part
        if (part[0] === 4) throw new DhtError('DHT_PART_MISSING', 'part 5', { exitCode: 75, values: { part: 5 } })
      }
    }
    show = () => ({ size: 9 * PART_BYTES, parts: broken() })
    const opened = await client.openState('broken')
    let bytes = 0
    const reading = (async () => {
      for await (const part of opened?.parts ?? []) bytes += part.length
    })()
    await expect(reading).rejects.toMatchObject({ code: 'DHT_PART_MISSING', values: { part: 5 }, exitCode: 75 })
    expect(bytes).toBe(5 * PART_BYTES)
  })

  test('is told to many at once', async () => {
    show = () => ({ size: PART_BYTES * 8, parts: source(8).parts })
    const values = await Promise.all(Array.from({ length: 100 }, () => client.retrieveState('shared')))
    expect(values.every(({ value }) => value?.length === PART_BYTES * 8)).toBe(true)
  })

  test('that nobody has is undefined', async () => {
    expect((await client.retrieveState('nothing')).value).toBeUndefined()
    expect(await client.openState('nothing')).toBeUndefined()
  })
})

test('a JSON body that does not come to its end is given up', async () => {
  hurried = [REQUEST_TIMEOUT_MS]
  const socket = createConnection(join(dataDir, 'node.sock'))
  socket.write(`POST /dht/presence HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"agentId":`)
  const closed = new Promise<boolean>((resolve) => socket.on('close', () => resolve(true)).resume())
  expect(await closed).toBe(true)
})
