import { describe, expect, it } from 'vitest'
import type { Timers } from '../../../node/core/index.ts'
import { REDIAL_ALONE_MAX_MS, REDIAL_FIRST_MS, REDIAL_MAX_MS, UPKEEP_INTERVAL_MS } from '../../../node/net/constants.ts'
import { netMetrics } from '../../../node/net/metrics.ts'
import type { Host } from '../../../node/net/peers/host.ts'
import type { Standing } from '../../../node/net/peers/standing.ts'
import { redialDelayMs, Upkeep } from '../../../node/net/peers/upkeep.ts'
import { FakeMetrics, FakeStakeView, PARAMS, random, silent } from '../../integration/net/harness.ts'

describe('redialDelayMs', () => {
  it('doubles from the first wait to the longest and stays there', () => {
    expect(redialDelayMs(1)).toBe(REDIAL_FIRST_MS)
    expect(redialDelayMs(2)).toBe(2 * REDIAL_FIRST_MS)
    expect(redialDelayMs(50)).toBe(REDIAL_MAX_MS)
    expect(redialDelayMs(5_000)).toBe(REDIAL_MAX_MS)
    expect(redialDelayMs(50, REDIAL_ALONE_MAX_MS)).toBe(REDIAL_ALONE_MAX_MS)
  })
})

describe('Upkeep', () => {
  /** Rounds of upkeep on a clock that only they move; every dial fails. */
  async function rounds(isAlone: (nowMs: number) => boolean, untilMs: number): Promise<number[]> {
    const dialledAt: number[] = []
    let nowMs = 0
    let next: () => void = () => {}
    const clock = { nowMs: () => nowMs }
    const timers: Timers = {
      after(_, run) {
        next = run
        return () => {}
      },
    }
    const reader = { remotePeer: 'a reader' }
    const host = {
      peerId: 'this node',
      getConnections: () => (isAlone(nowMs) ? [] : [reader]),
      dial: async () => {
        dialledAt.push(nowMs)
        throw new Error('no answer')
      },
    } as unknown as Host
    const stakeView = new FakeStakeView()
    const standing = { of: () => undefined, size: 0 } as unknown as Standing
    let ended: () => void = () => {}
    const modules = { stakeView, clock, timers, random, metrics: netMetrics(new FakeMetrics()), logger: silent }
    const upkeep = new Upkeep(
      { bootstrap: ['/ip4/127.0.0.1/tcp/1'], peersTarget: 8, epochSeconds: PARAMS.epochSeconds },
      { ...modules, host, standing, afterRound: async () => ended() },
    )
    const round = (begin: () => void) =>
      new Promise<void>((resolve) => {
        ended = () => setImmediate(resolve)
        begin()
      })
    await round(() => upkeep.start())
    for (nowMs = UPKEEP_INTERVAL_MS; nowMs <= untilMs; nowMs += UPKEEP_INTERVAL_MS) await round(() => next())
    await upkeep.stop()
    return dialledAt
  }

  const longestGap = (times: readonly number[]) => Math.max(...times.slice(1).map((at, i) => at - times[i]!))

  // Break it caught: a backoff that doubled to a minute while nobody was connected.
  it('tries its bootstrap addresses every few seconds while nobody is connected', async () => {
    const dialledAt = await rounds(() => true, 200_000)
    expect(dialledAt.slice(0, 4)).toEqual([0, 1_000, 3_000, 7_000])
    expect(longestGap(dialledAt)).toBe(REDIAL_ALONE_MAX_MS)
  })

  // Break it caught: a wait settled when the dial failed, which outlived the last connection.
  it('waits longer while somebody is connected, and no longer than that once nobody is', async () => {
    const aloneFromMs = 220_000
    const dialledAt = await rounds((nowMs) => nowMs >= aloneFromMs, 300_000)
    const before = dialledAt.filter((at) => at < aloneFromMs)
    expect(longestGap(before)).toBe(REDIAL_MAX_MS)
    expect(dialledAt.find((at) => at >= aloneFromMs)).toBe(aloneFromMs)
  })
})
