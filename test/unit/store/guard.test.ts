import { describe, expect, test } from 'vitest'
import { KIND, type MeshKind, type Statement, SuprnovaError } from '../../../node/core/index.ts'
import { MESH_KEPT_SLOTS, type OpenGuard } from '../../../node/store/index.ts'
import { EPOCH_MS, Installation, Machine, newWorld, RULES, type World } from './guard-world.ts'

interface Scene {
  readonly world: World
  readonly home: Installation
  guard(): OpenGuard
}

async function newScene(fresh = true): Promise<Scene> {
  const world = newWorld(1)
  const home = new Installation(new Machine(world))
  await home.start(fresh)
  return {
    world,
    home,
    guard: () => {
      if (!home.guard) throw new Error('the process is dead')
      return home.guard
    },
  }
}

async function reasonOf(action: Promise<unknown>): Promise<unknown> {
  const error = await action.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (error === undefined) return undefined
  expect(error).toBeInstanceOf(SuprnovaError)
  expect(error).toMatchObject({ code: 'GUARD_REFUSED', exitCode: 6 })
  return (error as SuprnovaError).values.reason
}

const bytes = (fill: number) => new Uint8Array(32).fill(fill)

function metered(position: bigint): Statement {
  return { kind: KIND.gossip, scope: bytes(0), position, content: bytes(1) }
}

function mesh(kind: MeshKind, slot: bigint, scope = 1): Statement & { readonly kind: MeshKind } {
  return { kind, scope: bytes(scope), position: slot, content: bytes(2) }
}

const sign = () => new Uint8Array(64).fill(5)

describe('metered', () => {
  test('indices count up from 0 in every epoch, each once, to the limit', async () => {
    const { world, guard } = await newScene()
    const epoch = BigInt(Math.floor(world.nowMs / EPOCH_MS))
    const positions = await Promise.all(Array.from({ length: RULES.receiptLimit }, () => guard().reserve(3)))
    expect(positions.sort()).toEqual(Array.from({ length: RULES.receiptLimit }, (_, i) => (epoch << 32n) | BigInt(i)))
    expect(await reasonOf(guard().reserve(3))).toBe('limit')
    world.nowMs += EPOCH_MS
    expect(await guard().reserve(3)).toBe((epoch + 1n) << 32n)
  })

  test('kinds count by themselves', async () => {
    const { guard } = await newScene()
    const [put, gossip] = [await guard().reserve(1), await guard().reserve(2)]
    expect(put).toBe(gossip)
  })

  test('a restart begins at the durable end', async () => {
    const { home, guard } = await newScene()
    const before = await guard().reserve(2)
    home.kill()
    await home.start()
    const after = await guard().reserve(2)
    expect(after - before).toBe(64n)
  })

  test('nothing is signed without a reference, past the skew, or behind what was signed', async () => {
    const { world, home, guard } = await newScene()
    await guard().reserve(2)
    home.machine.clockErrorMs = RULES.skewSeconds * 1_000 + 1
    expect(await reasonOf(guard().reserve(2))).toBe('waiting') // a jump, too
    const other = await newScene()
    other.home.machine.clockErrorMs = -RULES.skewSeconds * 1_000 - 1
    expect(other.guard().refusal()).toBe('skew')
    expect(await reasonOf(other.guard().reserve(2))).toBe('skew')
    expect(world.ledger.statements).toEqual([])
  })

  test('a small step back over the border of an epoch waits for time to catch up', async () => {
    const { world, home, guard } = await newScene()
    world.nowMs = Math.floor(world.nowMs / EPOCH_MS) * EPOCH_MS + 1_000
    await guard().reserve(2)
    home.machine.clockErrorMs = -2_000
    expect(await reasonOf(guard().reserve(2))).toBe('epoch')
    world.nowMs += 2_000
    expect(await reasonOf(guard().reserve(2))).toBe(undefined)
  })

  test('while draining and after close nothing is given out', async () => {
    const { guard } = await newScene()
    guard().drain(true)
    expect(guard().refusal()).toBe('draining')
    expect(await reasonOf(guard().reserve(2))).toBe('draining')
    guard().drain(false)
    await guard().reserve(2)
    await guard().close()
    expect(guard().refusal()).toBe('closed')
    expect(await reasonOf(guard().reserve(2))).toBe('closed')
    expect(await reasonOf(guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign))).toBe('closed')
  })
})

describe('not mine', () => {
  test('what it gave out is its own, whether it remembers the digest or not', async () => {
    const { world, home, guard } = await newScene()
    const position = await guard().reserve(2)
    expect(guard().observeOwn(metered(position), bytes(9))).toBe(true)
    guard().remember(2, position, bytes(9))
    expect(guard().observeOwn(metered(position), bytes(9))).toBe(true)
    home.kill()
    await home.start()
    world.nowMs += EPOCH_MS
    expect(guard().observeOwn(metered(position), bytes(9))).toBe(true)
    expect(guard().refusal()).toBeUndefined()
  })

  // Breaks when only ends are compared.
  test('another digest at a remembered position is a loss that waiting does not mend', async () => {
    const { world, home, guard } = await newScene()
    const position = await guard().reserve(2)
    guard().remember(2, position, bytes(9))
    expect(guard().observeOwn(metered(position), bytes(8))).toBe(false)
    expect(guard().refusal()).toBe('lost')
    expect(await reasonOf(guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign))).toBe('lost')
    world.nowMs += 10 * EPOCH_MS
    home.kill()
    await home.start()
    expect(guard().refusal()).toBe('lost')
  })

  test.each([
    ['at the durable end', 64n],
    ['past it', 5_000n],
    ['in the next epoch', 1n << 32n],
    ['in the epoch before', -1n << 32n],
  ])('an index %s is a loss', async (_, distance) => {
    const { guard } = await newScene()
    const position = await guard().reserve(2)
    expect(guard().observeOwn(metered(position + distance), bytes(9))).toBe(false)
    expect(guard().refusal()).toBe('lost')
  })

  test('epochs before this guard began are not judged', async () => {
    const { world, guard } = await newScene(false)
    const epoch = BigInt(Math.floor(world.nowMs / EPOCH_MS))
    expect(guard().observeOwn(metered((epoch + 1n) << 32n), bytes(9))).toBe(true)
    expect(guard().refusal()).toBe('waiting')
    expect(guard().observeOwn(metered((epoch + 2n) << 32n), bytes(9))).toBe(false)
    expect(guard().refusal()).toBe('lost')
  })

  test('a mesh vote it does not know silences it in meshes for ever, and kinds 1 to 3 for two epochs', async () => {
    const { world, home, guard } = await newScene()
    expect(guard().observeOwn(mesh(6, 4n), bytes(9))).toBe(false)
    expect(guard().refusal()).toBe('waiting')
    world.nowMs += 3 * EPOCH_MS
    expect(guard().refusal()).toBeUndefined()
    for (const restart of [false, true]) {
      if (restart) {
        home.kill()
        await home.start()
      }
      expect(await reasonOf(guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign))).toBe('lost')
    }
  })
})

describe('waiting', () => {
  test('ends when clock and reference are both two full epochs past the larger at restart', async () => {
    const { world, home, guard } = await newScene()
    home.losePower()
    home.machine.clockErrorMs = 4_000
    await home.start()
    world.nowMs += 4_000 + 2 * EPOCH_MS - 1_000
    home.machine.clockErrorMs = 0
    expect(guard().refusal()).toBe('waiting')
    world.nowMs += 1_000
    expect(guard().refusal()).toBeUndefined()
  })

  test('a key that was not made just now waits, and hears its votes first', async () => {
    const { world, guard } = await newScene(false)
    expect(await reasonOf(guard().reserve(2))).toBe('waiting')
    expect(await reasonOf(guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign))).toBe('waiting')
    guard().heardOwnVotes(bytes(1))
    expect(await reasonOf(guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign))).toBeUndefined()
    expect(await reasonOf(guard().signMesh(mesh(6, 1n, 2), bytes(3), bytes(4), sign))).toBe('waiting')
    world.nowMs += 2 * EPOCH_MS
    await guard().reserve(2)
  })

  test('begins anew when the process restarts before its end', async () => {
    const { world, home, guard } = await newScene(false)
    world.nowMs += 2 * EPOCH_MS - 1_000
    home.kill()
    await home.start()
    expect(guard().refusal()).toBe('waiting')
    world.nowMs += EPOCH_MS
    expect(guard().refusal()).toBe('waiting')
    world.nowMs += EPOCH_MS
    expect(guard().refusal()).toBeUndefined()
  })

  test('after declareLost, too, and then meshes stay silent', async () => {
    const { world, guard } = await newScene()
    await guard().declareLost()
    expect(guard().status()).toMatchObject({ phase: 'waiting', refusal: 'waiting', meshSilent: true })
    world.nowMs += 2 * EPOCH_MS
    expect(guard().status()).toMatchObject({ phase: 'signing', refusal: undefined, meshSilent: true })
  })

  test('a clock that jumps before anything was signed is no loss', async () => {
    const { home, guard } = await newScene()
    home.machine.clockErrorMs = -86_400_000
    expect(guard().refusal()).toBe('skew')
    home.machine.clockErrorMs = 0
    expect(guard().status()).toMatchObject({ refusal: undefined, meshSilent: false })
  })

  test('a clock that jumps between two starts of one boot is a loss', async () => {
    const { home, guard } = await newScene()
    await guard().reserve(2)
    home.kill()
    home.machine.clockErrorMs = 86_400_000
    await home.start()
    expect(guard().status()).toMatchObject({ refusal: 'waiting', meshSilent: true })
  })
})

describe('meshes', () => {
  test('the same digest gives the stored signature, another is refused, also after a restart', async () => {
    const { home, guard } = await newScene()
    const first = await guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign)
    const again = () => guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), () => new Uint8Array(64).fill(6))
    const other = () => guard().signMesh(mesh(6, 1n), bytes(7), bytes(4), sign)
    for (const restart of [false, true]) {
      if (restart) {
        home.kill()
        await home.start()
      }
      expect(Buffer.from((await again()).signature)).toEqual(Buffer.from(first.signature))
      expect(await reasonOf(other())).toBe('slot')
    }
    expect(guard().observeOwn(mesh(6, 1n), bytes(3))).toBe(true)
  })

  // Breaks when slots being written are not looked at.
  test('of two contents at once one is signed', async () => {
    const { guard } = await newScene()
    const reasons = await Promise.all([
      reasonOf(guard().signMesh(mesh(7, 1n), bytes(3), bytes(4), sign)),
      reasonOf(guard().signMesh(mesh(7, 1n), bytes(7), bytes(4), sign)),
      reasonOf(guard().signMesh(mesh(7, 1n), bytes(3), bytes(4), sign)),
    ])
    expect(reasons).toEqual([undefined, 'slot', undefined])
  })

  test('slots under the pruned mark are neither signed nor judged', async () => {
    const { guard } = await newScene()
    await guard().signMesh(mesh(6, 5n), bytes(3), bytes(4), sign)
    await guard().signMesh(mesh(6, 5n + BigInt(MESH_KEPT_SLOTS)), bytes(3), bytes(4), sign)
    expect(await reasonOf(guard().signMesh(mesh(6, 5n), bytes(3), bytes(4), sign))).toBe('pruned')
    expect(await reasonOf(guard().signMesh(mesh(6, 6n), bytes(3), bytes(4), sign))).toBeUndefined()
    expect(guard().observeOwn(mesh(6, 5n), bytes(8))).toBe(true)
    expect(guard().refusal()).toBeUndefined()
  })

  test('while draining what was signed may be sent again, and nothing else', async () => {
    const { guard } = await newScene()
    await guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign)
    guard().drain(true)
    expect(await reasonOf(guard().signMesh(mesh(6, 1n), bytes(3), bytes(4), sign))).toBeUndefined()
    expect(await reasonOf(guard().signMesh(mesh(6, 2n), bytes(3), bytes(4), sign))).toBe('draining')
  })
})

describe('a copy', () => {
  test.each([
    ['in another directory', (home: Installation) => (home.inode = 'another')],
    [
      'put back from a backup',
      (home: Installation, backup: ReadonlyMap<string, Uint8Array>) => home.disk.restore(backup),
    ],
  ])('%s waits, and stays silent in meshes', async (_, change) => {
    const { home, guard } = await newScene()
    const backup = home.disk.snapshot()
    await guard().reserve(2)
    home.kill()
    change(home, backup)
    await home.start()
    expect(guard().status()).toMatchObject({ phase: 'waiting', meshSilent: true })
  })

  test('of a directory made new in the same boot is a loss, whatever is said of the key', async () => {
    const { home, guard } = await newScene()
    home.use(1)
    await home.start(true)
    expect(guard().status()).toMatchObject({ phase: 'waiting', meshSilent: true })
  })

  test('a reboot alone is no loss', async () => {
    const { world, home, guard } = await newScene()
    await guard().reserve(2)
    home.losePower()
    await home.start()
    expect(guard().status()).toMatchObject({ phase: 'waiting', meshSilent: false, meshUnheard: true })
    world.nowMs += 2 * EPOCH_MS
    await guard().reserve(2)
  })
})
