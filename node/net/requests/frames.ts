import { REQUEST_MAX_BYTES } from '../constants.ts'

/** What a frame carries. */
export const FRAME = { request: 1, answer: 2, refusal: 3 } as const
export type FrameType = (typeof FRAME)[keyof typeof FRAME]

/** u32 length of what follows | u8 type | u32 request id | payload. */
export const FRAME_HEAD_BYTES = 4 + 1 + 4
const LENGTH_BYTES = 4

export interface RequestFrame {
  readonly type: FrameType
  readonly id: number
  readonly payload: Uint8Array
}

/** The head of a frame; its payload follows as it is. */
export function encodeHead(type: FrameType, id: number, payloadBytes: number): Uint8Array {
  const head = new Uint8Array(FRAME_HEAD_BYTES)
  const view = new DataView(head.buffer)
  view.setUint32(0, FRAME_HEAD_BYTES - LENGTH_BYTES + payloadBytes)
  head[LENGTH_BYTES] = type
  view.setUint32(5, id)
  return head
}

/** Cuts a stream of bytes into frames, wherever the bytes were cut. Holds one frame and one chunk at most. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0);

  /**
   * The frames that `chunk` completes, in order. Payloads are views of it where it holds them whole.
   * @throws RangeError for a length or type that no frame has; the stream is of no more use then
   */
  *take(chunk: Uint8Array): Iterable<RequestFrame> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (bytes.length >= FRAME_HEAD_BYTES) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const length = view.getUint32(0)
      const type = bytes[LENGTH_BYTES] as number
      if (length < FRAME_HEAD_BYTES - LENGTH_BYTES || length > FRAME_HEAD_BYTES - LENGTH_BYTES + REQUEST_MAX_BYTES) {
        throw new RangeError(`a frame of ${length} bytes, the limit is ${REQUEST_MAX_BYTES}`)
      }
      if (type !== FRAME.request && type !== FRAME.answer && type !== FRAME.refusal) {
        throw new RangeError(`a frame of type ${type}, which is none`)
      }
      if (bytes.length < LENGTH_BYTES + length) break
      yield { type, id: view.getUint32(5), payload: bytes.subarray(FRAME_HEAD_BYTES, LENGTH_BYTES + length) }
      bytes = bytes.subarray(LENGTH_BYTES + length)
    }
    this.#rest = bytes.length === 0 ? bytes : Uint8Array.from(bytes)
  }
}
