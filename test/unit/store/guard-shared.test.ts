import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ConditionalTable,
  type MirrorRecord,
  type OpenGuard,
  openGuard,
  openSimulatedTable,
  SimulatedDisk,
} from '../../../node/store/index.ts'
import { ADDRESS, DOMAIN, drawFrom, EPOCH_MS, RULES } from './guard-world.ts'

// Two processes that both believe to hold the directory, as with a lock that does not see the other.

interface Shared {
  readonly table: ConditionalTable
  nowMs: number
}

async function newShared(): Promise<Shared> {
  const disk = new SimulatedDisk(drawFrom(1))
  return { table: await openSimulatedTable(disk.open(), '/data/guard'), nowMs: 1_800_000_000_000 }
}

/** A container's /dev/shm. */
interface Runtime {
  mirror: MirrorRecord | undefined
}

async function open(shared: Shared, runtime: Runtime, seed: number): Promise<OpenGuard> {
  const draw = drawFrom(seed)
  return await openGuard(
    { address: ADDRESS, domain: DOMAIN, rules: RULES, fresh: true },
    {
      table: shared.table,
      environment: {
        identity: { machineId: 'machine', bootId: 'boot', inode: 'inode', device: 'disk' },
        mirror: {
          read: () => runtime.mirror,
          write: (record) => {
            runtime.mirror = record
          },
          close() {},
        },
        clock: { nowMs: () => shared.nowMs },
        uptimeMs: () => shared.nowMs - 1_700_000_000_000,
        reference: () => Math.floor(shared.nowMs / 1_000),
        random: { bytes: (length) => Uint8Array.from({ length }, () => draw(256)) },
      },
    },
  )
}

/** Positions a guard gives out until it refuses. */
async function take(guard: OpenGuard, count: number): Promise<readonly bigint[]> {
  const results = await Promise.allSettled(Array.from({ length: count }, () => guard.reserve(2)))
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
}

// Each breaks when the number of the newest write is not compared within the write.
describe('two guards on one table', () => {
  test.each([
    ['each with a mirror of its own', (): Runtime => ({ mirror: undefined })],
    ['that share a mirror', (first: Runtime): Runtime => first],
  ])('%s give no position out twice, and the first one ends', async (_, runtimeOf) => {
    const shared = await newShared()
    const runtime: Runtime = { mirror: undefined }
    const first = await open(shared, runtime, 1)
    const said = [...(await take(first, 10))]
    const second = await open(shared, runtimeOf(runtime), 2)
    shared.nowMs += 3 * EPOCH_MS
    said.push(...(await take(first, 100)), ...(await take(second, 100)))
    expect(said.length).toBe(110)
    expect(new Set(said).size).toBe(said.length)
    await expect(first.reserve(2)).rejects.toMatchObject({
      code: 'GUARD_REFUSED',
      values: { reason: 'closed' },
      cause: { code: 'GUARD_DISPLACED', exitCode: 6 },
    })
    await Promise.all([first.close(), second.close()])
  })

  test('of two that vote in one mesh slot one is refused', async () => {
    const shared = await newShared()
    const runtime: Runtime = { mirror: undefined }
    const first = await open(shared, runtime, 1)
    const second = await open(shared, runtime, 2)
    const vote = (guard: OpenGuard, fill: number) =>
      guard.signMesh(
        { kind: 6, scope: new Uint8Array(32).fill(1), position: 1n, content: new Uint8Array(32).fill(fill) },
        new Uint8Array(32).fill(fill),
        new Uint8Array(32).fill(fill),
        () => new Uint8Array(64).fill(fill),
      )
    const results = await Promise.allSettled([vote(first, 3), vote(second, 4)])
    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled'])
    await Promise.all([first.close(), second.close()])
  })

  test('in any order of opening, waiting and speaking give no position out twice', async () => {
    const act = fc.record({
      guard: fc.nat(2),
      reopen: fc.boolean(),
      count: fc.integer({ min: 1, max: 90 }),
      ms: fc.oneof(fc.constant(0), fc.nat(4 * EPOCH_MS)),
      settle: fc.boolean(),
    })
    let most = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
        const shared = await newShared()
        const runtimes: Runtime[] = [{ mirror: undefined }, { mirror: undefined }, { mirror: undefined }]
        const guards = new Map<number, OpenGuard>()
        const taken: Promise<readonly bigint[]>[] = []
        let seed = 1
        for (const { guard, reopen, count, ms, settle } of acts) {
          const runtime = runtimes[guard] as Runtime
          if (reopen || !guards.has(guard)) {
            const opened = await open(shared, runtime, seed++).catch((error: unknown) => {
              expect(error).toMatchObject({ cause: { code: 'GUARD_DISPLACED' } })
              return undefined
            })
            if (!opened) continue
            guards.set(guard, opened)
          }
          const positions = take(guards.get(guard) as OpenGuard, count)
          taken.push(positions)
          if (settle) await positions
          shared.nowMs += ms
        }
        const said = (await Promise.all(taken)).flat()
        expect(new Set(said).size).toBe(said.length)
        most = Math.max(most, said.length)
      }),
      { numRuns: 300 },
    )
    expect(most).toBeGreaterThan(100)
  })
})
