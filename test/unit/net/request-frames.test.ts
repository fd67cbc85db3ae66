import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REQUEST_MAX_BYTES } from '../../../node/net/constants.ts'
import {
  encodeHead,
  FRAME,
  FRAME_HEAD_BYTES,
  FrameReader,
  type RequestFrame,
} from '../../../node/net/requests/frames.ts'

const frame = fc.record({
  type: fc.constantFrom(FRAME.request, FRAME.answer, FRAME.refusal),
  id: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  payload: fc.uint8Array({ maxLength: 300 }),
})

const encode = ({ id, payload, type }: RequestFrame) => Buffer.concat([encodeHead(type, id, payload.length), payload])

/** All frames that come out, as plain bytes. */
function* taken(reader: FrameReader): Iterable<RequestFrame> {
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    yield { ...next, payload: new Uint8Array(next.payload) }
  }
}

describe('frames', () => {
  it('come out as they went in, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(400), { maxLength: 40 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(encode))
        const reader = new FrameReader()
        const out: RequestFrame[] = []
        let at = 0
        for (const cut of [...cuts, bytes.length]) {
          reader.push(new Uint8Array(bytes.subarray(at, at + cut)))
          at += cut
          // Frames may wait: whoever is held takes them later.
          if (cut % 3 !== 0) out.push(...taken(reader))
        }
        out.push(...taken(reader))
        expect(out).toEqual(frames)
        expect(reader.waitingBytes).toBe(0)
      }),
    )
  })

  it.each([
    ['shorter than its head', [0, 0, 0, 4, 1]],
    ['longer than any request', [0, 2, 16, 6, 1]],
    ['of 4 GiB', [255, 255, 255, 255, 1]],
    ['of an unknown type', [0, 0, 0, 5, 9]],
    ['of type 0', [0, 0, 0, 5, 0]],
  ])('%s are refused by their head alone', (_what, head) => {
    const reader = new FrameReader()
    reader.push(Uint8Array.of(...head, 0, 0, 0, 1))
    expect(() => reader.next()).toThrow(RangeError)
  })

  // Seen to fail (in 18 s instead of milliseconds) when each chunk was joined to what had come before it.
  it('that come byte by byte cost their bytes once', () => {
    const reader = new FrameReader()
    const bytes = encode({ type: FRAME.request, id: 7, payload: new Uint8Array(REQUEST_MAX_BYTES).fill(3) })
    const startMs = performance.now()
    for (let round = 0; round < 3; round++) {
      let frames = 0
      for (const byte of bytes) {
        reader.push(Uint8Array.of(byte))
        if (reader.next() !== undefined) frames++
      }
      expect(frames).toBe(1)
    }
    expect(performance.now() - startMs).toBeLessThan(3_000)
    expect(bytes.length).toBe(FRAME_HEAD_BYTES + REQUEST_MAX_BYTES)
  })
})
