import { HttpRequestError, RpcRequestError } from 'viem'
import { describe, expect, test } from 'vitest'
import { chainErrorMessage } from '../../../node/chain/contract-errors.ts'
import { openRpc } from '../../../node/chain/index.ts'
import type { Requester } from '../../../node/chain/rpc-request.ts'
import type { Hex } from '../../../node/core/index.ts'
import { ManualTime, recordingLogger, recordingMetrics } from './stand-ins.ts'

const hash = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`
const IDENTITY = { chainId: 31337n, genesisHash: hash(0) }

/** A chain as one RPC tells it. */
interface Told {
  chainId?: bigint
  genesis?: Hex
  head?: number
  /** Added to every block hash: another fork. */
  fork?: number
  failure?: unknown
  silent?: boolean
  asked: string[]
}

function requester(told: Told): Requester {
  return async ({ method, params }) => {
    told.asked.push(method)
    if (told.silent) return new Promise(() => undefined)
    if (told.failure !== undefined) throw told.failure
    if (method === 'eth_chainId') return `0x${(told.chainId ?? IDENTITY.chainId).toString(16)}`
    if (method === 'eth_blockNumber') return `0x${(told.head ?? 100).toString(16)}`
    if (method === 'eth_getBlockByNumber') {
      const [at] = params as [string]
      const number = at.startsWith('0x') ? Number(at) : (told.head ?? 100)
      const own = number === 0 ? (told.genesis ?? IDENTITY.genesisHash) : hash(number + 1_000_000 * (told.fork ?? 0))
      return { number: `0x${number.toString(16)}`, hash: own }
    }
    throw Object.assign(new Error('execution reverted'), { code: 3, data: '0x82b42900' })
  }
}

function open(...all: Told[]) {
  const [time, logger, metrics] = [new ManualTime(), recordingLogger(), recordingMetrics()]
  const urls = all.map((_, index) => `http://rpc${index}.example/secret-${index}`)
  const connect = (url: string) => requester(all[urls.indexOf(url)] as Told)
  const rpc = openRpc({ urls, timeoutMs: 1_000 }, { clock: time, timers: time, logger, metrics, connect })
  return { rpc, time, logger, metrics }
}

const down = (): Told => ({ asked: [], failure: new TypeError('fetch failed') })
const up = (): Told => ({ asked: [] })

/** Lets promises settle, then time go on, until `done` is. */
async function letTimePass<T>(time: ManualTime, done: Promise<T>): Promise<T> {
  let settled = false
  const settle = () => {
    settled = true
  }
  done.then(settle, settle)
  while (!settled) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!settled && time.waiting > 0) time.advance(250)
  }
  return done
}

describe('ranked RPCs', () => {
  test('the best one answers; when it fails the next one does, and it rests', async () => {
    const [first, second] = [up(), up()]
    const { rpc, time, metrics } = open(first, second)
    await rpc.client.getBlockNumber()
    expect(second.asked).toEqual([])
    first.failure = new TypeError('fetch failed')
    expect(await rpc.client.getBlockNumber()).toBe(100n)
    expect(rpc.status()).toMatchObject([{ resting: true, lastError: 'fetch failed' }, { resting: false }])
    expect(metrics.values.get('suprnova_chain_rpc_failures_total 0')).toBe(1)
    const asked = first.asked.length
    await rpc.client.getBlockNumber()
    expect(first.asked).toHaveLength(asked)
    first.failure = undefined
    time.advance(1_000)
    await rpc.client.getBlockNumber()
    expect(first.asked.length).toBe(asked + 1)
  })

  test('a silent RPC is passed over after its time', async () => {
    const { rpc, time } = open({ asked: [], silent: true }, up())
    expect(await letTimePass(time, rpc.client.getBlockNumber())).toBe(100n)
    expect(rpc.status()[0]?.lastError).toBe('no answer within 1000 ms')
  })

  test('when all are gone the request is tried three times, then fails with exit code 75 and no secret', async () => {
    const all = [down(), down()] as const
    const { rpc, time } = open(...all)
    const failure = await letTimePass(time, rpc.client.getBlockNumber()).catch((error) => error)
    const { explainChainError } = await import('../../../node/chain/index.ts')
    const explained = explainChainError(failure)
    expect(explained).toMatchObject({ code: 'RPC_UNAVAILABLE', exitCode: 75 })
    expect(explained.message).toContain('http://rpc0.example (fetch failed)')
    expect(explained.message).not.toContain('secret')
    expect(all.map(({ asked }) => asked.length)).toEqual([3, 3])
  })

  // Seen failing with every error taken for a failure of the RPC: a revert was asked of all RPCs, three times.
  test('a refusal of the chain is an answer: nobody else is asked', async () => {
    const [first, second] = [up(), up()]
    const { rpc } = open(first, second)
    await expect(rpc.client.call({ to: `0x${'11'.repeat(20)}` })).rejects.toThrow(/reverted/)
    expect(second.asked).toEqual([])
    expect(rpc.status()[0]).toMatchObject({ resting: false })
  })

  test.each(['', 'nonsense', 'ftp://x', 'ws://x'])('%j is no RPC URL', (url) => {
    const time = new ManualTime()
    const modules = { clock: time, timers: time, logger: recordingLogger(), metrics: recordingMetrics() }
    expect(() => openRpc({ urls: [url] }, modules)).toThrow(
      expect.objectContaining({ code: 'RPC_BAD_URL', exitCode: 3 }),
    )
  })
})

/** All that a log line could show of an error. */
function textsOf(error: unknown): string {
  const texts: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const fields = Object.getOwnPropertyNames(cause).filter((name) => name !== 'cause')
    texts.push(cause.message, JSON.stringify(fields.map((name) => (cause as never)[name])))
  }
  return texts.join('\n')
}

// Meant to catch errors passed on as they are: message, details, stack and cause all held the URL.
test.each([
  ['https://example.test/v3/0123456789abcdef', 'a key in the path'],
  ['https://example.test/?apikey=0123456789abcdef', 'a key in the query'],
  ['https://me:0123456789abcdef@example.test/', 'a password'],
])('an error shows the origin of %s, never %s', async (url) => {
  const [time, logger, metrics] = [new ManualTime(), recordingLogger(), recordingMetrics()]
  const key = '0123456789abcdef'
  const failures = [
    new HttpRequestError({ url, body: { method: 'x' }, details: `no such key ${key}`, status: 401 }),
    new RpcRequestError({ url, body: { method: 'x' }, error: { code: -32_602, message: `bad request to ${url}` } }),
    Object.assign(new Error(`cannot reach ${url}`, { cause: new TypeError(`Failed to parse ${url}`) }), { code: 3 }),
  ]
  for (const failure of failures) {
    const connect = () => async () => {
      throw failure
    }
    const rpc = openRpc({ urls: [url] }, { clock: time, timers: time, logger, metrics, connect })
    const thrown = await letTimePass(time, rpc.client.getBlockNumber()).catch((error) => error)
    expect(thrown).toBeInstanceOf(Error)
    expect(textsOf(thrown)).not.toContain(key)
    expect(textsOf(thrown)).toContain('https://example.test')
    expect(chainErrorMessage(thrown)).not.toContain(key)
    expect(JSON.stringify(rpc.status())).not.toContain(key)
  }
})

test('a URL that is none is not shown: it may be a key with a slip of the pen', () => {
  const time = new ManualTime()
  const modules = { clock: time, timers: time, logger: recordingLogger(), metrics: recordingMetrics() }
  for (const url of ['htps//example.test/0123456789abcdef', 'wss://example.test/0123456789abcdef']) {
    let thrown: unknown
    try {
      openRpc({ urls: [url] }, modules)
    } catch (error) {
      thrown = error
    }
    expect(textsOf(thrown)).toContain('RPC URL')
    expect(textsOf(thrown)).not.toContain('0123456789abcdef')
  }
})

describe('check', () => {
  test('an RPC on another chain or genesis is not asked again', async () => {
    const [wrongId, wrongGenesis, right] = [up(), up(), up()]
    wrongId.chainId = 1n
    wrongGenesis.genesis = hash(99)
    const { rpc, logger } = open(wrongId, wrongGenesis, right)
    const standings = (await rpc.check(IDENTITY)).map(({ standing }) => standing)
    expect(standings).toEqual(['wrong chain', 'wrong chain', 'agrees'])
    wrongId.asked.length = 0
    await rpc.client.getBlockNumber()
    expect(wrongId.asked).toEqual([])
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })

  test('final blocks are compared at the newest one all have; the minority is left out', async () => {
    const [a, liar, c] = [up(), up(), up()]
    a.head = 90
    liar.fork = 1
    const { rpc } = open(a, liar, c)
    expect((await rpc.check(IDENTITY)).map(({ standing }) => standing)).toEqual(['agrees', 'disagrees', 'agrees'])
  })

  test('two that contradict each other are both in dispute, and still asked', async () => {
    const [a, b] = [up(), up()]
    b.fork = 1
    const { rpc } = open(a, b)
    expect((await rpc.check(IDENTITY)).map(({ standing }) => standing)).toEqual(['disputed', 'disputed'])
    expect(await rpc.client.getBlockNumber()).toBe(100n)
  })

  test('one that is gone is said to be', async () => {
    const { rpc } = open(down(), up())
    expect((await rpc.check(IDENTITY)).map(({ standing }) => standing)).toEqual(['unreachable', 'agrees'])
  })

  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  // Seen failing with `unreachable` taken for good enough: what came back on another chain was believed.
  test('one that was gone at the start is asked nothing until it shows that it is on the chain', async () => {
    const [late, here] = [down(), up()]
    const { rpc, time } = open(late, here)
    await rpc.check(IDENTITY)
    late.failure = undefined
    late.chainId = 1n
    late.asked.length = 0
    time.advance(60_000)
    expect(await rpc.client.getBlockNumber()).toBe(100n)
    await settle()
    expect(late.asked).not.toContain('eth_blockNumber')
    expect(rpc.status()[0]?.standing).toBe('wrong chain')
    expect(here.asked).toContain('eth_blockNumber')
  })

  test('one that comes back as it was is asked again', async () => {
    const [first, second] = [up(), up()]
    const { rpc, time } = open(first, second)
    await rpc.check(IDENTITY)
    first.failure = new TypeError('fetch failed')
    await rpc.client.getBlockNumber()
    expect(rpc.status()[0]?.standing).toBe('unreachable')
    first.failure = undefined
    time.advance(60_000)
    await rpc.client.getBlockNumber()
    await settle()
    expect(rpc.status()[0]?.standing).toBe('agrees')
    second.asked.length = 0
    await rpc.client.getBlockNumber()
    expect(second.asked).toEqual([])
  })

  test('when all were gone, the first that shows the chain answers', async () => {
    const [wrong, right] = [down(), down()]
    const { rpc, time } = open(wrong, right)
    await rpc.check(IDENTITY)
    wrong.failure = right.failure = undefined
    wrong.genesis = hash(99)
    wrong.asked.length = 0
    expect(await letTimePass(time, rpc.client.getBlockNumber())).toBe(100n)
    expect(wrong.asked).not.toContain('eth_blockNumber')
  })
})
