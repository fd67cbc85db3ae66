import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  diskFull,
  fileMirror,
  machineEnvironment,
  type OpenGuard,
  openGuard,
  openStore,
  RESERVED_BLOCK_INDICES,
  type Store,
} from '../../../node/store/index.ts'

const ADDRESS = `0x${'ab'.repeat(20)}` as const
const DOMAIN = { chainId: 31_337n, verifyingContract: `0x${'cd'.repeat(20)}`, salt: `0x${'ef'.repeat(32)}` } as const
const RULES = { epochSeconds: 10, skewSeconds: 10, putLimit: 1_000, gossipLimit: 1_000, receiptLimit: 1_000 }
const NOW_MS = 1_800_000_000_000

describe('guard on LMDB and this machine', () => {
  let folder = ''
  let store: Store | undefined
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'suprnova-guard-'))
  })
  afterEach(async () => {
    await store?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function open(fresh: boolean, changed: Partial<ReturnType<Store['table']>> = {}): Promise<OpenGuard> {
    await store?.close()
    store = await openStore(join(folder, 'store'))
    const table = store.table('guard')
    return await openGuard(
      { address: ADDRESS, domain: DOMAIN, rules: RULES, fresh },
      {
        table: { ...table, ...changed },
        environment: machineEnvironment(
          { dataDirectory: folder, address: ADDRESS, domain: DOMAIN },
          {
            clock: { nowMs: () => NOW_MS },
            reference: () => NOW_MS / 1_000,
            runtimeDirectory: join(folder, 'runtime'),
          },
        ),
      },
    )
  }

  test('goes on where it was, in the same boot and directory', async () => {
    const first = await open(true)
    const position = await first.reserve(2)
    await first.close()
    const second = await open(false)
    expect(await second.reserve(2)).toBe(position + 64n)
    await second.close()
  })

  test('waits when its table was put back or its mirror is gone', async () => {
    const first = await open(true)
    await first.reserve(2)
    await first.close()
    rmSync(join(folder, 'store'), { recursive: true })
    await store?.close()
    const second = await open(true)
    expect(second.status()).toMatchObject({ phase: 'waiting', meshSilent: true })
    await second.close()
    rmSync(join(folder, 'runtime'), { recursive: true })
    const third = await open(false)
    expect(third.status()).toMatchObject({ phase: 'waiting', meshUnheard: true })
    await third.close()
  })

  test('signs nothing more once the disk refused a write', async () => {
    let works = true
    const guard = await open(true, {
      async writeIf() {
        if (!works) throw new Error('no space left')
        return true
      },
    })
    works = false
    await expect(guard.reserve(1)).rejects.toMatchObject({ code: 'GUARD_REFUSED', values: { reason: 'closed' } })
    works = true
    expect(guard.refusal()).toBe('closed')
    await expect(guard.reserve(2)).rejects.toMatchObject({ cause: new Error('no space left') })
    await guard.close()
  })

  // Breaks when a write that found no room is counted: the guard then takes itself for displaced, or waits for ever.
  test('without room for its mark it signs what it reserved and no more, and goes on once there is room', async () => {
    let hasRoom = true
    const guard = await open(true, {
      checkRoom() {
        if (!hasRoom) throw diskFull('/disk', 0, 1)
      },
    })
    const reserved = RESERVED_BLOCK_INDICES
    const positions: bigint[] = [await guard.reserve(1)]
    hasRoom = false
    while (positions.length < reserved) positions.push(await guard.reserve(1))
    const refused = { code: 'GUARD_REFUSED', values: { reason: 'full' } }
    await expect(Promise.all([guard.reserve(1), guard.reserve(1)])).rejects.toMatchObject(refused)
    await expect(guard.reserve(1)).rejects.toMatchObject(refused)
    // Another kind has nothing reserved.
    await expect(guard.reserve(3)).rejects.toMatchObject(refused)
    expect(guard.refusal()).toBe('full')
    expect(guard.status().marks[0]).toMatchObject({ kind: 1, end: reserved })
    hasRoom = true
    positions.push(await guard.reserve(1))
    await guard.reserve(3)
    expect(guard.refusal()).toBeUndefined()
    const epoch = BigInt(NOW_MS / 1_000 / RULES.epochSeconds) << 32n
    expect(positions).toEqual(Array.from({ length: reserved + 1 }, (_, i) => epoch | BigInt(i)))
    await guard.close()
    // The marks on disk cover all of it.
    const again = await open(false)
    expect((await again.reserve(1)) & 0xffff_ffffn).toBeGreaterThanOrEqual(BigInt(2 * reserved))
    await again.close()
  })

  test('without room for a loss it is closed: what it must remember is not durable', async () => {
    let hasRoom = true
    const guard = await open(true, {
      checkRoom() {
        if (!hasRoom) throw diskFull('/disk', 0, 1)
      },
    })
    hasRoom = false
    await expect(guard.declareLost()).rejects.toMatchObject({ values: { reason: 'closed' } })
    hasRoom = true
    expect(guard.refusal()).toBe('closed')
    await guard.close()
  })
})

describe('mirror file', () => {
  test('comes back, is written in place, and counts as none when it is damaged', () => {
    const folder = mkdtempSync(join(tmpdir(), 'suprnova-mirror-'))
    const path = join(folder, 'a', 'b')
    const mirror = fileMirror(path)
    expect(mirror.read()).toBeUndefined()
    const record = { bootId: 'b', guardId: 'g', sequence: 10, clockOffsetMs: 123 }
    mirror.write(record)
    mirror.write({ ...record, sequence: 9, clockOffsetMs: null })
    expect(fileMirror(path).read()).toEqual({ ...record, sequence: 9, clockOffsetMs: null })
    mirror.close()
    writeFileSync(path, readFileSync(path, 'latin1').replace('"sequence":9', '"sequence":8'))
    expect(fileMirror(path).read()).toBeUndefined()
    writeFileSync(path, '')
    expect(fileMirror(path).read()).toBeUndefined()
    rmSync(folder, { recursive: true })
  })
})
