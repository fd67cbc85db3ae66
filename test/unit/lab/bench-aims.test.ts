import { describe, expect, test } from 'vitest'
import { batchedAim } from '../../../node/lab/bench/batched.ts'
import { type Cell, judge, type RatioAim, rowOf } from '../../../node/lab/bench/records/comparison.ts'
import { measureLoad } from '../../../node/lab/bench/records/load.ts'
import { mappedOf } from '../../../node/lab/bench/records/memory.ts'
import { summaryOf } from '../../../node/lab/bench/records/profile.ts'
import { Stock } from '../../../node/lab/bench/records/stock.ts'
import { retrieveAims } from '../../../node/lab/bench/retrieve.ts'
import { storeAims } from '../../../node/lab/bench/store.ts'

interface Numbers {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

function cell(name: string, concurrency: number, rounds: readonly Numbers[]): Cell {
  return {
    way: { name, replicas: 3, quorum: 2, answers: '2', durable: 'flushed', remembers: true, valueBytes: 1024 },
    concurrency,
    filled: 1,
    rounds: rounds.map((numbers) => ({ done: 1, failed: 1, seconds: 1, cores: 1, ...numbers })),
  }
}

const same = (numbers: Numbers) => [numbers, numbers, numbers]

describe('an aim', () => {
  const rate: RatioAim = { aim: 'a', ours: 'x', theirs: 'y', concurrency: 16, measure: 'perSecond', bound: 10 }
  const time: RatioAim = { ...rate, measure: 'p50Ms', bound: 1 / 8 }
  const theirs = { perSecond: 100, p50Ms: 8, p99Ms: 80 }

  test('of a rate asks at least so many times theirs, of a time at most', () => {
    const pair = (ours: Numbers) => [cell('x', 16, same(ours)), cell('y', 16, same(theirs))]
    expect(judge(pair({ perSecond: 1_000, p50Ms: 1, p99Ms: 8 }), rate)).toEqual({
      aim: 'a',
      measured: '10.00 times',
      met: true,
    })
    expect(judge(pair({ perSecond: 999, p50Ms: 1, p99Ms: 8 }), rate)).toMatchObject({ met: false })
    expect(judge(pair({ perSecond: 1_000, p50Ms: 1, p99Ms: 8 }), time)).toEqual({
      aim: 'a',
      measured: '1/8.0',
      met: true,
    })
    expect(judge(pair({ perSecond: 1_000, p50Ms: 1.01, p99Ms: 8 }), time)).toMatchObject({ met: false })
  })

  test('takes the median of ratios of rounds measured side by side, not a ratio of medians', () => {
    const rounds = (values: readonly number[]) => values.map((perSecond) => ({ ...theirs, perSecond }))
    const cells = [cell('x', 16, rounds([100, 900, 1_000])), cell('y', 16, rounds([10, 100, 50]))]
    expect(judge(cells, rate).measured).toBe('10.00 times')
  })

  test('is not met by what was not measured, or measured at another concurrency', () => {
    const fast = { perSecond: 10_000, p50Ms: 0.1, p99Ms: 0.1 }
    expect(judge([cell('x', 16, same(fast))], rate).met).toBe(false)
    expect(judge([cell('x', 1, same(fast)), cell('y', 16, same(theirs))], rate).met).toBe(false)
    expect(judge([cell('x', 16, []), cell('y', 16, [])], time).met).toBe(false)
  })
})

test('the aims of storing and reading compare the ways they name', () => {
  const slow = { perSecond: 100, p50Ms: 10, p99Ms: 1_000 }
  const fast = { perSecond: 1_000, p50Ms: 1, p99Ms: 10 }
  const all = (ours: Numbers, theirs: Numbers) =>
    [1, 16, 64].flatMap((concurrency) => [
      ...['suprnova R=3 W=2', 'suprnova R=19 W=10'].map((name) => cell(name, concurrency, same(ours))),
      ...['kad-dht k=3', 'hyperdht'].map((name) => cell(name, concurrency, same(theirs))),
    ])
  expect(storeAims(all(fast, slow)).map(({ met }) => met)).toEqual([true, true, true, true, true])
  expect(storeAims(all(slow, fast)).map(({ met }) => met)).toEqual([false, false, false, false, false])
  expect(retrieveAims(all(fast, slow)).every(({ met }) => met)).toBe(true)
  expect(retrieveAims(all(slow, fast)).some(({ met }) => met)).toBe(false)
})

test('the aim of batches is 5,000 records a second', () => {
  expect(batchedAim([{ perSecond: 4_000 }, { perSecond: 5_000 }, { perSecond: 9_000 }])).toMatchObject({ met: true })
  expect(batchedAim([{ perSecond: 4_999 }])).toMatchObject({ measured: '4999 a second', met: false })
  expect(batchedAim([])).toMatchObject({ met: false })
})

test('a row holds medians, and all failures', () => {
  const rounds = [1, 2, 30].map((value) => ({ perSecond: value, p50Ms: value, p99Ms: value }))
  expect(rowOf(cell('x', 64, rounds))).toMatchObject({ 'at once': 64, perSecond: 2, p50Ms: 2, p99Ms: 2, failed: 3 })
})

describe('a load', () => {
  test('counts what a store leaves behind to its time, and failures apart', async () => {
    const begun: number[] = []
    const ends: (() => void)[] = []
    const measuring = measureLoad({ concurrency: 2, seconds: 60, count: 5 }, async (index) => {
      begun.push(index)
      if (index === 3) throw new Error('refused')
      return { rest: new Promise<void>((resolve) => ends.push(resolve)) }
    })
    let isDone = false
    void measuring.then(() => {
      isDone = true
    })
    while (ends.length < 4) await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    expect(isDone).toBe(false)
    for (const end of ends) end()
    const { done, failed, failure, perSecond, seconds } = await measuring
    expect(begun).toEqual([0, 1, 2, 3, 4])
    expect({ done, failed, failure }).toEqual({ done: 4, failed: 1, failure: 'refused' })
    expect(perSecond).toBeCloseTo(4 / seconds)
  })

  test('begins nothing after its time, and that it did nothing is an error', async () => {
    const begun: number[] = []
    const measuring = measureLoad({ concurrency: 4, seconds: 0, count: 100 }, async (index) => {
      begun.push(index)
      return {}
    })
    await expect(measuring).rejects.toMatchObject({ code: 'LAB_BENCH_IDLE', values: { begun: 0, count: 100 } })
    expect(begun).toEqual([])
  })

  test('of nothing, or of which all failed, is an error and no row of zeros', async () => {
    const none = measureLoad({ concurrency: 4, seconds: 60, count: 0 }, async () => ({}))
    await expect(none).rejects.toMatchObject({ code: 'LAB_BENCH_IDLE', values: { begun: 0, failed: 0 } })
    const refused = measureLoad({ concurrency: 2, seconds: 60, count: 3 }, () => Promise.reject(new Error('refused')))
    await expect(refused).rejects.toThrow(/did nothing: 3 of 3 begun, 3 failed, the first because: refused/)
  })
})

describe('records to be read', () => {
  const stockOf = (remembers: boolean, stored: number) => {
    const stock = new Stock({ name: 'x', remembers })
    stock.store(stored)
    return stock
  }
  const indices = (stock: Stock, count: number) => {
    const indexOf = stock.toRead(count)
    stock.read(count)
    return Array.from({ length: count }, (_, at) => indexOf(at))
  }

  test('begin anew where nothing is remembered', () => {
    const stock = stockOf(false, 5)
    expect(indices(stock, 3)).toEqual([0, 1, 2])
    expect(indices(stock, 4)).toEqual([3, 4, 0, 1])
    stock.store(1)
    expect(indices(stock, 2)).toEqual([1, 2])
    expect(() => stockOf(false, 0).toRead(1)).toThrow(/stored 0 records/)
  })

  test('are never read twice where a reader remembers: it says what was stored and what is needed', () => {
    const stock = stockOf(true, 5)
    expect(indices(stock, 3)).toEqual([0, 1, 2])
    expect(() => stock.toRead(3)).toThrow(
      expect.objectContaining({ code: 'LAB_BENCH_SHORT', values: { way: 'x', stored: 5, needed: 6 } }),
    )
    expect(indices(stock, 2)).toEqual([3, 4])
  })
})

test('a profile sums self time by function and by package, without the profiler itself', () => {
  const frame = (functionName: string, url: string) => ({
    functionName,
    url,
    scriptId: '1',
    lineNumber: 0,
    columnNumber: 0,
  })
  const nodes = [
    { id: 1, callFrame: frame('seal', 'file:///x/node_modules/@a/noise/dist/cipher.js') },
    { id: 2, callFrame: frame('hold', 'file:///x/node/dht/replica/replica.ts') },
    { id: 3, callFrame: frame('(idle)', '') },
    { id: 4, callFrame: frame('post', 'node:inspector') },
  ]
  const profile = { nodes, startTime: 0, endTime: 1, samples: [1, 2, 2, 3, 4], timeDeltas: [10, 20, 40, 30, 1_000] }
  expect(summaryOf(profile)).toEqual({
    functions: [
      { what: 'hold (node/dht/replica/replica.ts)', share: 0.6 },
      { what: '(idle)', share: 0.3 },
      { what: 'seal (@a/noise/dist/cipher.js)', share: 0.1 },
    ],
    places: [
      { what: 'node/dht', share: 0.6 },
      { what: '(idle)', share: 0.3 },
      { what: '@a/noise', share: 0.1 },
    ],
  })
})

test('the map of a store is told from the rest of a process', () => {
  const smaps = [
    '7f00-7f10 r--s 00000000 08:01 1  /tmp/a/store/data.mdb',
    'Size:                100 kB',
    'Rss:                  40 kB',
    '7f20-7f30 rw-p 00000000 00:00 0 ',
    'Rss:                 999 kB',
    '7f40-7f50 r--s 00000000 08:01 2  /tmp/b/store/data.mdb',
    'Rss:                   2 kB',
  ].join('\n')
  expect(mappedOf(smaps)).toBe(42 * 1024)
})
