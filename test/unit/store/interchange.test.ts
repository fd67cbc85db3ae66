import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SuprnovaError } from '../../../node/core/index.ts'
import { type Interchange, type OpenGuard, SimulatedDisk } from '../../../node/store/index.ts'
import { EPOCH_MS, Installation, Machine, newWorld, type World } from './guard-world.ts'

async function installed(world: World, fresh: boolean): Promise<{ home: Installation; guard: OpenGuard }> {
  const home = new Installation(new Machine(world))
  await home.start(fresh)
  if (!home.guard) throw new Error('did not start')
  return { home, guard: home.guard }
}

const bytes = (fill: number) => new Uint8Array(32).fill(fill)
const vote = (slot: bigint) => ({ kind: 6 as const, scope: bytes(1), position: slot, content: bytes(2) })
const sign = () => new Uint8Array(64).fill(5)

async function exported(): Promise<{ world: World; file: Interchange }> {
  const world = newWorld(3)
  const { guard } = await installed(world, true)
  for (let i = 0; i < 70; i++) await guard.reserve(2)
  await guard.signMesh(vote(7n), bytes(3), bytes(4), sign)
  await guard.signMesh(vote(9n), bytes(3), bytes(4), sign)
  return { world, file: JSON.parse(JSON.stringify(guard.exportInterchange())) as Interchange }
}

describe('interchange', () => {
  test('takes marks and digests to another machine', async () => {
    const { world, file } = await exported()
    const { guard } = await installed(world, false)
    expect(await guard.importInterchange(file)).toEqual({ metered: 1, meshSlots: 2, otherKeys: 0 })
    expect(guard.exportInterchange()).toEqual(file)
    guard.heardOwnVotes(bytes(1))
    await expect(guard.signMesh(vote(7n), bytes(8), bytes(4), sign)).rejects.toMatchObject({
      values: { reason: 'slot' },
    })
    expect((await guard.signMesh(vote(7n), bytes(3), bytes(4), sign)).digest).toEqual(bytes(3))
    expect(guard.observeOwn(vote(9n), bytes(3))).toBe(true)
  })

  // Breaks when an import sets marks instead of raising them.
  test('merges upward only, in any order, any number of times', async () => {
    const { world, file } = await exported()
    const { guard } = await installed(world, true)
    for (let i = 0; i < 10; i++) await guard.reserve(2)
    world.nowMs += EPOCH_MS
    const before = await guard.reserve(2)
    await guard.importInterchange(file)
    await guard.importInterchange(file)
    expect(await guard.reserve(2)).toBe(before + 1n)

    const { guard: behind } = await installed(world, true)
    const newer = JSON.parse(JSON.stringify(guard.exportInterchange())) as Interchange
    await behind.importInterchange(newer)
    await behind.importInterchange(file)
    expect(await behind.reserve(2)).toBe(((before >> 32n) << 32n) | 64n)
  })

  test('survives a restart', async () => {
    const { world, file } = await exported()
    const { home, guard } = await installed(world, true)
    await guard.importInterchange(file)
    home.kill()
    await home.start()
    expect(home.guard?.exportInterchange()).toEqual(file)
  })

  test('two digests in one slot are refused, and nothing is merged', async () => {
    const { world, file } = await exported()
    const { guard } = await installed(world, true)
    await guard.signMesh(vote(9n), bytes(8), bytes(4), sign)
    await expect(guard.importInterchange(file)).rejects.toMatchObject({ code: 'INTERCHANGE_CONFLICT', exitCode: 6 })
    expect(guard.exportInterchange().data[0]?.metered).toEqual([])
    const first = file.data[0]
    const mesh = first?.meshes[0]
    if (!first || !mesh) throw new Error('no mesh in the file')
    const twice = { ...mesh, slots: [...mesh.slots, { slot: '7', digest: `0x${'44'.repeat(32)}` }] }
    const { guard: other } = await installed(world, true)
    await expect(other.importInterchange({ ...file, data: [{ ...first, meshes: [twice] }] })).rejects.toMatchObject({
      code: 'INTERCHANGE_CONFLICT',
    })
  })

  test.each<[path: string, value: unknown, field?: string]>([
    ['metadata', undefined],
    ['metadata.format', 'eip-3076'],
    ['metadata.version', 2],
    ['data', {}],
    ['data', []],
    ['data.0.domain.chainId', '1', 'data'],
    ['data.0.key', `0x${'12'.repeat(20)}`, 'data'],
    ['data.0.key', '0x12'],
    ['data.0.domain.salt', 7],
    ['data.0.metered.0.kind', 4],
    ['data.0.metered.0.end', -1],
    ['data.0.metered.0.end', 1.5],
    ['data.0.metered.0.epoch', 2 ** 32],
    ['data.0.meshes.0.kind', 3],
    ['data.0.meshes.0.scope', '0x'],
    ['data.0.meshes.0.prunedBelow', `${2n ** 64n}`],
    ['data.0.meshes.0.slots.1.slot', 'nine'],
    ['data.0.meshes.0.slots.0.digest', null],
  ])('%s that is %j is named', async (path, value, field = path.replace(/\.(\d+)/g, '[$1]')) => {
    const { world, file } = await exported()
    const names = path.split('.')
    const last = names.pop() ?? ''
    let place = file as unknown as Record<string, unknown>
    for (const name of names) place = place[name] as Record<string, unknown>
    place[last] = value
    const { guard } = await installed(world, true)
    await expect(guard.importInterchange(file)).rejects.toMatchObject({
      code: 'INTERCHANGE_INVALID',
      exitCode: 3,
      values: { field },
    })
    expect(guard.exportInterchange().data[0]).toMatchObject({ metered: [], meshes: [] })
  })

  test('no JSON of any shape throws anything but a named error', async () => {
    const { guard } = await installed(newWorld(4), true)
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const error = await guard.importInterchange(value).catch((caught: unknown) => caught)
        expect(error).toBeInstanceOf(SuprnovaError)
        expect((error as SuprnovaError).code).toBe('INTERCHANGE_INVALID')
      }),
    )
  })
})

describe('simulated disk', () => {
  test('forgets what was not flushed, keeps what was', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const world = newWorld(seed)
      const simulated = new SimulatedDisk(world.draw)
      const disk = simulated.open()
      await disk.create('/d/a', Buffer.from('kept'))
      await disk.sync('/d/a')
      await disk.syncDirectory('/d')
      await disk.append('/d/a', Buffer.from('perhaps'))
      await disk.create('/d/b', Buffer.from('no name'))
      simulated.losePower()
      const after = simulated.open()
      expect(
        Buffer.from((await after.read('/d/a')) ?? [])
          .toString()
          .slice(0, 4),
      ).toBe('kept')
      expect((await after.list('/d')).length).toBeLessThanOrEqual(2)
    }
  })
})
