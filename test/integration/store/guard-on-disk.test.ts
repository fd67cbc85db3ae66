import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  fileMirror,
  machineEnvironment,
  type OpenGuard,
  openGuard,
  openStore,
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

  async function open(fresh: boolean, writeIf?: () => Promise<boolean>): Promise<OpenGuard> {
    await store?.close()
    store = await openStore(join(folder, 'store'))
    const table = store.table('guard')
    return await openGuard(
      { address: ADDRESS, domain: DOMAIN, rules: RULES, fresh },
      {
        table: writeIf ? { ...table, writeIf } : table,
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
    const guard = await open(true, async () => {
      if (!works) throw new Error('no space left')
      return true
    })
    works = false
    await expect(guard.reserve(1)).rejects.toMatchObject({ code: 'GUARD_REFUSED', values: { reason: 'closed' } })
    works = true
    expect(guard.refusal()).toBe('closed')
    await expect(guard.reserve(2)).rejects.toMatchObject({ cause: new Error('no space left') })
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
