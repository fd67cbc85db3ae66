import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type GossipLine,
  HealthServer,
  LocalServer,
  type NodeApi,
  NodeClient,
  type NodeStatus,
  systemTimers,
} from '../../../node/api/index.ts'
import { EXIT, type Logger, SuprnovaError } from '../../../node/core/index.ts'

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet }
const faultId = `0x${'ab'.repeat(32)}` as const

let dataDir: string
let server: LocalServer
let published: [string, Uint8Array][]
let handlers: Set<(line: GossipLine) => void>
let stopped: boolean
let refusal: Error | undefined

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'suprnova-http-'))
  published = []
  handlers = new Set()
  stopped = false
  refusal = undefined
  const api: NodeApi = {
    epochSeconds: 10,
    // The routes of records are tested with real nodes.
    dht: undefined as never,
    network: undefined as never,
    status: async () => ({ peerId: 'me' }) as NodeStatus,
    async publish(topic, payload) {
      if (refusal !== undefined) throw refusal
      published.push([topic, payload])
      return { recipients: 3 }
    },
    subscribe(_topic, handler) {
      handlers.add(handler)
      return () => handlers.delete(handler)
    },
    evidence: () => [],
    bundle: (id) => (id === faultId ? { version: 1 } : undefined),
    submit: async () => undefined,
    exportGuard: async () => ({ marks: 10n }),
    registrySnapshot: () => ({ stakes: [] }),
    shutdown: () => {
      stopped = true
    },
  }
  server = new LocalServer({ socketPath: join(dataDir, 'node.sock') }, { api, timers: systemTimers, logger: quiet })
  await server.start()
})

afterEach(async () => {
  await server.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** Sends bytes as they are, to the local socket or to a port: what the client would never send. */
async function raw(method: string, path: string, body = '', port?: number): Promise<{ status: number; body: string }> {
  const to = port === undefined ? { socketPath: join(dataDir, 'node.sock') } : { host: '127.0.0.1', port }
  const call = request({ ...to, method, path, headers: { connection: 'close' } })
  call.end(body)
  const [response] = await once(call, 'response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, body: text }
}

test('only its user may open the socket', async () => {
  expect((await stat(join(dataDir, 'node.sock'))).mode & 0o777).toBe(0o600)
})

test('every route answers through the client', async () => {
  const client = new NodeClient(dataDir)
  expect(await client.status()).toEqual({ peerId: 'me' })
  expect(await client.publish('news', new Uint8Array([1, 2]))).toEqual({ recipients: 3 })
  expect(published).toEqual([['news', new Uint8Array([1, 2])]])
  expect(await client.evidence()).toEqual([])
  expect(await client.bundle(faultId)).toEqual({ version: 1 })
  expect(await client.exportGuard()).toEqual({ marks: '10' })
  expect(await client.registrySnapshot()).toEqual({ stakes: [] })
  await client.shutdown()
  expect(stopped).toBe(true)
})

test('a subscription streams lines and ends with its reader', async () => {
  const client = new NodeClient(dataDir)
  const abort = new AbortController()
  const lines = client.subscribe('news', abort.signal)
  const first = lines.next()
  await expect.poll(() => handlers.size).toBe(1)
  const line: GossipLine = {
    topic: 'news',
    signer: '0x01',
    stakeId: 1,
    position: '5',
    payload: 'AQ==',
    receivedAtMs: 9,
  }
  for (const handler of handlers) handler(line)
  expect((await first).value).toEqual(line)
  abort.abort()
  await lines.return(undefined)
  await expect.poll(() => handlers.size).toBe(0)
})

test('subscriptions are bounded', async () => {
  const client = new NodeClient(dataDir)
  const abort = new AbortController()
  const ends = Array.from({ length: 64 }, () => client.subscribe('t', abort.signal).next())
  await expect.poll(() => handlers.size).toBe(64)
  await expect(client.subscribe('t').next()).rejects.toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS' })
  abort.abort()
  await Promise.allSettled(ends)
})

test('an error of the node reaches the caller whole', async () => {
  refusal = new SuprnovaError('GUARD_REFUSED', 'the clock is off', {
    exitCode: EXIT.unsafe,
    hint: 'set the clock',
    values: { reason: 'skew' },
  })
  await expect(new NodeClient(dataDir).publish('news', new Uint8Array())).rejects.toMatchObject({
    code: 'GUARD_REFUSED',
    exitCode: EXIT.unsafe,
    hint: 'set the clock',
    values: { reason: 'skew' },
  })
})

test.each([
  ['POST', '/gossip/publish', 'not json', 400, 'BODY_NOT_JSON'],
  ['POST', '/gossip/publish', '[]', 400, 'BODY_NOT_JSON'],
  ['POST', '/gossip/publish', '{"topic":"","payload":""}', 400, 'FIELD_INVALID'],
  ['POST', '/gossip/publish', '{"topic":"t","payload":"*"}', 400, 'FIELD_INVALID'],
  ['POST', '/gossip/publish', JSON.stringify({ topic: 't', payload: 'A'.repeat(22_000) }), 400, 'FIELD_INVALID'],
  ['POST', '/gossip/publish', JSON.stringify({ topic: 't', payload: 'A'.repeat(40_000) }), 413, 'BODY_TOO_LARGE'],
  ['GET', '/gossip/subscribe', '', 400, 'FIELD_INVALID'],
  ['GET', '/evidence/0x12', '', 400, 'FIELD_INVALID'],
  ['GET', `/evidence/0x${'00'.repeat(32)}`, '', 404, 'UNKNOWN_FAULT'],
  ['POST', `/evidence/0x${'00'.repeat(32)}/submit`, '', 404, 'UNKNOWN_FAULT'],
  ['DELETE', `/evidence/${faultId}`, '', 404, 'NO_SUCH_ROUTE'],
  ['GET', '/nothing', '', 404, 'NO_SUCH_ROUTE'],
])('%s %s with bad input is refused by name', async (method, path, body, status, code) => {
  const answer = await raw(method, path, body)
  expect(answer.status).toBe(status)
  expect(JSON.parse(answer.body).error).toMatchObject({ code, message: expect.any(String) })
  expect(published).toEqual([])
})

test('no node there: the error says so and which command starts one', async () => {
  await server.close()
  await expect(new NodeClient(dataDir).status()).rejects.toMatchObject({
    code: 'NODE_NOT_RUNNING',
    exitCode: EXIT.tryAgain,
    hint: expect.stringContaining('suprnova node run'),
  })
})

// Catches a client that waits for ever on a process that was stopped.
test('a node that does not answer is said to be silent', async () => {
  await server.close()
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(join(dataDir, 'node.sock'), resolve))
  await expect(new NodeClient(dataDir, { timeoutMs: 50 }).status()).rejects.toMatchObject({
    code: 'NODE_SILENT',
    exitCode: EXIT.tryAgain,
  })
  silent.closeAllConnections()
  await new Promise((resolve) => silent.close(resolve))
})

test('a socket left by a killed process is taken over', async () => {
  await server.close()
  await writeFile(join(dataDir, 'node.sock'), '')
  await server.start()
  expect(await new NodeClient(dataDir).status()).toEqual({ peerId: 'me' })
})

// Catches the bare ENAMETOOLONG or EINVAL of the system call.
test('a data directory too deep for a socket is refused by name', () => {
  const socketPath = `/tmp/${'x'.repeat(120)}/node.sock`
  expect(() => new LocalServer({ socketPath }, { api: {} as NodeApi, timers: systemTimers, logger: quiet })).toThrow(
    /dataDir.*107 bytes/,
  )
})

test('health, readiness and metrics', async () => {
  let problems: string[] = []
  const health = new HealthServer(
    { host: '127.0.0.1', port: 0 },
    { api: { problems: () => problems, unready: () => ['no head yet'], metricsText: () => 'c 1\n' } },
  )
  const port = await health.start()
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return [response.status, await response.text()]
  }
  expect(await get('/health')).toEqual([200, '{"ok":true,"problems":[]}\n'])
  problems = ['the chain is silent']
  expect(await get('/health')).toEqual([503, '{"ok":false,"problems":["the chain is silent"]}\n'])
  expect(await get('/ready')).toEqual([503, '{"ok":false,"problems":["no head yet"]}\n'])
  expect(await get('/metrics')).toEqual([200, 'c 1\n'])
  expect((await get('/status'))[0]).toBe(404)
  const second = new HealthServer({ host: '127.0.0.1', port }, { api: {} as never })
  await expect(second.start()).rejects.toMatchObject({ code: 'HTTP_PORT', exitCode: EXIT.config })
  await health.close()
})

// Seen failing with the target given to `URL`: `GET // HTTP/1.1` ended the process.
test.each(['//', '//[', 'http://node/health', '*'])(
  '%j as a target is answered 400, and nothing ends',
  async (path) => {
    const health = new HealthServer(
      { host: '127.0.0.1', port: 0 },
      { api: { problems: () => [], unready: () => [], metricsText: () => '' } },
    )
    const port = await health.start()
    for (const answer of [await raw('GET', path, '', port), await raw('GET', path)]) {
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.body).error.code).toBe('BAD_TARGET')
    }
    expect((await raw('GET', '/health?now', '', port)).status).toBe(200)
    await health.close()
  },
)

// Meant to catch a missing `try` around the answer: what a status threw ended the process.
test('health that cannot be told is an error of one answer', async () => {
  const broken = () => {
    throw new Error('the view is closed')
  }
  const health = new HealthServer(
    { host: '127.0.0.1', port: 0 },
    { api: { problems: broken, unready: broken, metricsText: broken } },
  )
  const port = await health.start()
  for (const path of ['/health', '/ready', '/metrics']) expect((await raw('GET', path, '', port)).status).toBe(500)
  await health.close()
})
