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

/**
 * Cuts a stream of bytes into frames, wherever the bytes were cut. What is not a whole frame yet waits in the chunks it
 * came in and is joined once: whoever sends a frame byte by byte costs no more than its bytes.
 */
export class FrameReader {
  #chunks: Uint8Array[] = []
  #bytes = 0
  /** Bytes that the next frame, or its head, needs. */
  #needed = FRAME_HEAD_BYTES

  /** Bytes that wait. */
  get waitingBytes(): number {
    return this.#bytes
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
  }

  /**
   * The next whole frame. Its payload is a view of what was pushed, where one chunk holds it whole.
   * @throws RangeError for a length or type that no frame has; the stream is of no more use then
   */
  next(): RequestFrame | undefined {
    if (this.#bytes < this.#needed) return undefined
    const bytes = this.#joined()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const length = view.getUint32(0)
    const type = bytes[LENGTH_BYTES] as number
    if (length < FRAME_HEAD_BYTES - LENGTH_BYTES || length > FRAME_HEAD_BYTES - LENGTH_BYTES + REQUEST_MAX_BYTES) {
      throw new RangeError(`a frame of ${length} bytes, the limit is ${REQUEST_MAX_BYTES}`)
    }
    if (type !== FRAME.request && type !== FRAME.answer && type !== FRAME.refusal) {
      throw new RangeError(`a frame of type ${type}, which is none`)
    }
    const end = LENGTH_BYTES + length
    if (bytes.length < end) {
      this.#needed = end
      return undefined
    }
    this.#needed = FRAME_HEAD_BYTES
    this.#chunks = bytes.length === end ? [] : [bytes.subarray(end)]
    this.#bytes -= end
    return { type, id: view.getUint32(5), payload: bytes.subarray(FRAME_HEAD_BYTES, end) }
  }

  #joined(): Uint8Array {
    const [first] = this.#chunks
    if (this.#chunks.length === 1 && first !== undefined) return first
    const joined = Buffer.concat(this.#chunks, this.#bytes)
    this.#chunks = [joined]
    return joined
  }
}
