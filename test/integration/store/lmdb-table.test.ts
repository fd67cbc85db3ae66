import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../../node/store/index.ts'

const COUNTER = new URL('./programs/count-up.ts', import.meta.url).pathname
const LIMITED = new URL('./programs/meet-limit.ts', import.meta.url).pathname
const key = (text: string) => Buffer.from(text)

describe('LMDB table', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'suprnova-store-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('behaves as a sorted map of bytes, also after it is opened again', async () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })
    const batch = fc.array(fc.tuple(bytes, fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined })), {
      maxLength: 8,
    })
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 6 }), bytes, bytes, async (batches, start, end) => {
        const path = join(folder, `run-${run++}`)
        const model = new Map<string, string>()
        const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
        let store = await openStore(path)
        for (const writes of batches) {
          await store.table('t').write(writes)
          for (const [k, value] of writes) {
            if (value) model.set(hex(k), hex(value))
            else model.delete(hex(k))
          }
        }
        await store.close()
        store = await openStore(path)
        const table = store.table('t')
        for (const [k, value] of model) expect(hex(table.get(Buffer.from(k, 'hex')) ?? key('?'))).toBe(value)
        const inRange = [...model].filter(([k]) => k >= hex(start) && k < hex(end)).sort(([a], [b]) => (a < b ? -1 : 1))
        expect([...table.range(start, end)].map(([k, value]) => [hex(k), hex(value)])).toEqual(inRange)
        await store.close()
      }),
      { numRuns: 40 },
    )
  })

  test('what was read stays as it was, and what was given may change afterwards', async () => {
    const store = await openStore(folder)
    const table = store.table('t')
    const value = Buffer.from('first')
    const written = table.write([[key('a'), value]])
    value.fill(0)
    await written
    const read = table.get(key('a'))
    await table.write([[key('a'), Buffer.from('other')]])
    expect(Buffer.from(read ?? []).toString()).toBe('first')
    await store.close()
  })

  test('a conditional write is applied only where every row is as expected', async () => {
    const store = await openStore(folder)
    const table = store.table('t')
    const both = await Promise.all([
      table.writeIf([[key('a'), undefined]], [[key('a'), key('1')]]),
      table.writeIf([[key('a'), key('1')]], [[key('b'), key('2')]]),
      table.writeIf([[key('a'), undefined]], [[key('b'), key('3')]]),
      table.writeIf(
        [
          [key('a'), key('1')],
          [key('b'), key('3')],
        ],
        [[key('a'), undefined]],
      ),
    ])
    expect(both).toEqual([true, true, false, false])
    expect(Buffer.from(table.get(key('a')) ?? []).toString()).toBe('1')
    expect(Buffer.from(table.get(key('b')) ?? []).toString()).toBe('2')
    await store.close()
    await expect(table.writeIf([], [[key('a'), key('4')]])).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  })

  // Breaks when the rows are compared before the transaction begins.
  test('of two processes that raise a row at once, each sees what the other wrote', async () => {
    const runs = await Promise.all([1, 2].map(() => promisify(execFile)(process.execPath, [COUNTER, folder, '150'])))
    const raised = runs.map(({ stdout }) => Number(stdout))
    const store = await openStore(folder)
    const value = Buffer.from(store.table('t').get(key('row')) ?? []).readUInt32BE(0)
    await store.close()
    expect(Math.min(...raised)).toBeGreaterThan(0)
    expect(value).toBe(raised.reduce((sum, count) => sum + count))
  }, 30_000)

  test('tables do not see one another', async () => {
    const store = await openStore(folder)
    await store.table('a').write([[key('k'), key('1')]])
    expect(store.table('b').get(key('k'))).toBeUndefined()
    await store.close()
  })

  // Breaks when the bound is not looked at: lmdb grows its map without end.
  test('refuses to grow past its bound, keeps what it has and still deletes', async () => {
    const store = await openStore(folder, { maxBytes: 400_000 })
    const table = store.table('t')
    let written = 0
    const fill = async () => {
      for (; written < 1_000; written++) await table.write([[key(`${written}`), Buffer.alloc(10_000, 1)]])
    }
    await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL', exitCode: 3 })
    expect(written).toBeGreaterThan(10)
    expect(written).toBeLessThan(45)
    expect(table.get(key('0'))).toHaveLength(10_000)
    await table.write([[key('0'), undefined]])
    expect(table.get(key('0'))).toBeUndefined()
    await store.close()
  })

  test('leaves the disk some room, and says how much', async () => {
    const needed = 2 ** 60
    const store = await openStore(folder, { spareBytes: needed })
    const table = store.table('t')
    const full = {
      code: 'STORE_FULL',
      values: { path: folder, freeBytes: store.stats().freeBytes, neededBytes: needed },
    }
    await expect(table.write([[key('k'), key('v')]])).rejects.toMatchObject(full)
    expect(() => table.checkRoom?.()).toThrow('bytes left')
    await store.close()
    // Removing writes, too, and needs less.
    const roomy = await openStore(folder, { spareBytes: 4 })
    await roomy.table('t').write([[key('k'), key('v')]])
    await roomy.close()
    const removing = await openStore(folder, { spareBytes: needed })
    await expect(removing.table('t').write([[key('k'), undefined]])).rejects.toMatchObject({ code: 'STORE_FULL' })
    await removing.close()
  })

  // Breaks when LMDB opens batches of its own: a rejection that nobody holds ends the process at the first failed commit.
  test('when the disk refuses a write all that was acknowledged is there, and LMDB is not asked again', async () => {
    const directory = join(folder, 'limited')
    const limited = ['-c', 'ulimit -f 600; exec "$0" "$@"', process.execPath, LIMITED, directory]
    const child = spawn('bash', limited, { stdio: ['ignore', 'pipe', 'ignore'] })
    const [said] = await Promise.all([text(child.stdout), once(child, 'close')])
    const words = said.trim().split('\n')
    const acknowledged = words.filter((word) => word.startsWith('written'))
    expect(acknowledged.length).toBeGreaterThan(8)
    expect(acknowledged.length).toBeLessThan(200)
    // It may have ended at the first one; whatever it still said, nothing was written after it.
    expect(words.slice(acknowledged.length).filter((word) => word !== 'STORE_WRITE_FAILED')).toEqual([])
    expect(words.slice(0, acknowledged.length)).toEqual(acknowledged)
    const store = await openStore(directory)
    const table = store.table('t')
    for (const word of acknowledged) expect(table.get(key(word.replace('written', 'row')))).toBeDefined()
    await table.write([[key('more'), key('v')]])
    await store.close()
  })

  test('keys out of bounds and use after close are errors', async () => {
    const store = await openStore(folder)
    const table = store.table('t')
    await expect(table.write([[new Uint8Array(), key('v')]])).rejects.toThrow(RangeError)
    await expect(table.write([[new Uint8Array(1_979), key('v')]])).rejects.toThrow(RangeError)
    await store.close()
    await store.close()
    await expect(table.write([[key('k'), key('v')]])).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    expect(() => table.get(key('k'))).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  })

  describe('a damaged file', () => {
    let path = ''
    beforeEach(async () => {
      path = join(folder, 'data.mdb')
      const store = await openStore(folder)
      const rows = Array.from({ length: 200 }, (_, i) => [key(`k${i}`), Buffer.alloc(1_000, i)] as const)
      for (let i = 0; i < 200; i += 20) await store.table('t').write(rows.slice(i, i + 20))
      await store.close()
    })

    async function openAndRead(): Promise<number> {
      const store = await openStore(folder)
      try {
        return [...store.table('t').range(Buffer.of(0), Buffer.of(255))].length
      } finally {
        await store.close()
      }
    }

    // Breaks without the look at the file before LMDB maps it: SIGBUS, a failed assertion that ends the process, or,
    // at 0.9, a walk over the table that ends early and says nothing.
    test.each([0.02, 0.2, 0.5, 0.9])('cut to %d of its length is named, not a signal', async (share) => {
      truncateSync(path, Math.floor(statSync(path).size * share))
      const before = readFileSync(path)
      await expect(openAndRead()).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        exitCode: 3,
        message: expect.stringContaining(path),
      })
      expect(readFileSync(path).equals(before)).toBe(true)
    })

    test('that lost only pages given back within one transaction is whole', async () => {
      const store = await openStore(folder)
      const table = store.table('t')
      const large = [key('large'), Buffer.alloc(60_000, 1)] as const
      await Promise.all([table.write([large]), table.write([[key('large'), undefined]])])
      await store.close()
      expect(await openAndRead()).toBe(200)
    })

    test('of something else is named and left as it is', async () => {
      const text = 'these are my holiday pictures '.repeat(1_000)
      writeFileSync(path, text)
      await expect(openAndRead()).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
      expect(readFileSync(path, 'utf8')).toBe(text)
    })

    test('with bytes after its end is read as before', async () => {
      appendFileSync(path, 'tail')
      expect(await openAndRead()).toBe(200)
    })
  })
})
