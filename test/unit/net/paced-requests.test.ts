import { describe, expect, test } from 'vitest'
import { type Address, type RequestTransport, SuprnovaError, type Timers } from '../../../node/core/index.ts'
import { type Rate, TokenBucket } from '../../../node/net/gossip/token-bucket.ts'
import {
  BUSY_TRIES_MAX,
  PACED_WAITING_MAX,
  PacedRequests,
  READER_PACE,
  READER_REQUEST_RATE,
} from '../../../node/net/index.ts'

const RATE = { messagesPerSecond: 10, bytesPerSecond: 1_000, burstSeconds: 2 }
const ANSWER_BYTES = 66_000
const [ALICE, BOB]: readonly [Address, Address] = [`0x${'aa'.repeat(20)}`, `0x${'bb'.repeat(20)}`]

/** Time that moves when everybody waits. */
function world(
  answer: (to: Address, nowMs: number) => Uint8Array | Error = () => new Uint8Array(0),
  rate = RATE as Rate,
) {
  let nowMs = 0
  const due: { atMs: number; run: () => void }[] = []
  const timers: Timers = {
    after(delayMs, run) {
      const entry = { atMs: nowMs + delayMs, run }
      due.push(entry)
      return () => void due.splice(due.indexOf(entry) >>> 0, 1)
    },
  }
  const asked: { to: Address; atMs: number }[] = []
  const transport: RequestTransport = {
    async request(to) {
      asked.push({ to, atMs: nowMs })
      const said = answer(to, nowMs)
      if (said instanceof Error) throw said
      return said
    },
    serve: () => () => {},
    isConnected: () => true,
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  async function until(promise: Promise<unknown>): Promise<void> {
    let isOver = false
    promise.then(
      () => (isOver = true),
      () => (isOver = true),
    )
    for (await settle(); !isOver; await settle()) {
      const next = due.sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) throw new Error('nobody waits, and it is not over')
      nowMs = next.atMs
      next.run()
      if (due[0] === next) due.shift()
    }
  }
  return {
    paced: new PacedRequests(rate, { transport, clock: { nowMs: () => nowMs }, timers }),
    asked,
    until,
    now: () => nowMs,
  }
}

const busy = () => new SuprnovaError('REQUEST_REFUSED', 'refused', { values: { reason: 'busy' } })

describe('a reader paces itself', () => {
  // Held against the very bucket that nodes count with: none of what it sends is refused there.
  test('so that the other side has nothing to refuse, questions and answers counted', async () => {
    const bucket = new TokenBucket(READER_REQUEST_RATE, 0)
    const refused: number[] = []
    const { asked, paced, until } = world((_, nowMs) => {
      if (!bucket.take(1, 66, nowMs)) refused.push(nowMs)
      bucket.oweBytes(ANSWER_BYTES, nowMs)
      return new Uint8Array(ANSWER_BYTES)
    }, READER_PACE)
    await until(Promise.all(Array.from({ length: 200 }, () => paced.request(ALICE, new Uint8Array(66)))))
    expect(refused).toEqual([])
    const seconds = (200 * (ANSWER_BYTES + 66)) / READER_PACE.bytesPerSecond - READER_PACE.burstSeconds
    expect((asked.at(-1)?.atMs ?? 0) / 1000).toBeCloseTo(seconds, 0)
  })

  test('for each peer by itself', async () => {
    const { asked, paced, until } = world()
    await until(
      Promise.all(Array.from({ length: 40 }, (_, i) => paced.request(i % 2 ? ALICE : BOB, new Uint8Array(1)))),
    )
    expect(asked.filter(({ atMs }) => atMs === 0)).toHaveLength(40)
  })

  test('and asks again when it was early all the same, a bounded number of times', async () => {
    let refusals = 3
    const once = world(() => (refusals-- > 0 ? busy() : new Uint8Array(5)))
    const answered = once.paced.request(ALICE, new Uint8Array(1))
    await once.until(answered)
    expect((await answered).length).toBe(5)
    expect(once.now()).toBeGreaterThan(0)

    const never = world(() => busy())
    const refused = never.paced.request(ALICE, new Uint8Array(1))
    await never.until(refused)
    await expect(refused).rejects.toMatchObject({ code: 'REQUEST_REFUSED' })
    expect(never.asked).toHaveLength(BUSY_TRIES_MAX)
  })

  test('and passes every other failure on at once', async () => {
    const { asked, paced } = world(() => new SuprnovaError('REQUEST_UNREACHABLE', 'away'))
    await expect(paced.request(ALICE, new Uint8Array(1))).rejects.toMatchObject({ code: 'REQUEST_UNREACHABLE' })
    expect(asked).toHaveLength(1)
  })

  test('and lets no more than so many wait', async () => {
    const { paced } = world()
    const waiting = Array.from({ length: PACED_WAITING_MAX }, () => paced.request(ALICE, new Uint8Array(1)))
    await expect(paced.request(BOB, new Uint8Array(1))).rejects.toMatchObject({ code: 'REQUEST_BUSY' })
    expect(waiting).toHaveLength(PACED_WAITING_MAX)
  })

  test('and ends a wait that nobody wants any more', async () => {
    const { asked, paced } = world()
    const abort = new AbortController()
    const burst = Array.from({ length: 20 }, () => paced.request(ALICE, new Uint8Array(1)))
    await Promise.all(burst)
    const late = paced.request(ALICE, new Uint8Array(1), { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(late).rejects.toThrow('enough')
    expect(asked).toHaveLength(20)
  })
})
