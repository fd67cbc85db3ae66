import type { MessageStream } from '@libp2p/interface'
import { describe, expect, it, vi } from 'vitest'
import { MERGE_MAX_BYTES } from '../../../node/net/constants.ts'
import { mergeWrites } from '../../../node/net/transport/merge-writes.ts'

class FakeStream {
  readonly written: Uint8Array[] = []
  status = 'open'
  writableNeedsDrain = false
  closedAfter: number | undefined
  readonly log = { error: vi.fn() }

  send(chunk: Uint8Array): boolean {
    if (this.status !== 'open') throw new Error('not open')
    this.written.push(chunk)
    return !this.writableNeedsDrain
  }

  async close(): Promise<void> {
    this.closedAfter = this.written.length
    this.status = 'closed'
  }
}

function merging() {
  const fake = new FakeStream()
  return { fake, stream: mergeWrites(fake as unknown as MessageStream) }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const bytes = (...values: number[]) => Uint8Array.from(values)

describe('mergeWrites', () => {
  it('writes once for all that one turn gave it, in order, buffers and lists alike', async () => {
    const { fake, stream } = merging()
    stream.send(bytes(1, 2))
    stream.send(Object.assign([bytes(3), bytes(4, 5)], { byteLength: 3 }) as unknown as Uint8Array)
    stream.send(bytes(6))
    expect(fake.written).toHaveLength(0)
    await turn()
    expect(fake.written.map((chunk) => [...chunk])).toEqual([[1, 2, 3, 4, 5, 6]])
    stream.send(bytes(7))
    await turn()
    expect(fake.written).toHaveLength(2)
  })

  // Break it caught: close() that did not flush lost the last frame.
  it('flushes before it closes', async () => {
    const { fake, stream } = merging()
    stream.send(bytes(1))
    await stream.close()
    expect(fake.written).toHaveLength(1)
    expect(fake.closedAfter).toBe(1)
    await turn()
    expect(fake.written).toHaveLength(1)
  })

  it('holds no more than its limit', () => {
    const { fake, stream } = merging()
    stream.send(new Uint8Array(MERGE_MAX_BYTES - 1))
    expect(fake.written).toHaveLength(0)
    stream.send(bytes(1))
    expect(fake.written[0]).toHaveLength(MERGE_MAX_BYTES)
  })

  // Break it caught: always returning true, so that a slow reader's buffer grew without bound.
  it('tells its caller to wait when the stream below asks for it', async () => {
    const { fake, stream } = merging()
    expect(stream.send(bytes(1))).toBe(true)
    fake.writableNeedsDrain = true
    expect(stream.send(bytes(1))).toBe(false)
    expect(stream.send(new Uint8Array(MERGE_MAX_BYTES))).toBe(false)
  })

  it('drops what is gathered when the stream was aborted', async () => {
    const { fake, stream } = merging()
    stream.send(bytes(1))
    fake.status = 'aborted'
    await turn()
    expect(fake.written).toHaveLength(0)
    expect(() => stream.send(bytes(1))).toThrow('not open')
  })

  it('logs and goes on when a delayed write fails: the stream has aborted itself', async () => {
    const { fake, stream } = merging()
    stream.send(bytes(1))
    fake.send = () => {
      throw new Error('full')
    }
    const broken = mergeWrites({ ...fake, send: fake.send, close: fake.close } as unknown as MessageStream)
    broken.send(bytes(1))
    await turn()
    expect(fake.log.error).toHaveBeenCalledOnce()
  })
})
