import type { Stream } from '@libp2p/interface'
import { encodeHead, FrameReader, type FrameType, type RequestFrame } from './frames.ts'

type Bytes = { subarray(): Uint8Array }

/** One stream that carries frames both ways. What is written in one turn leaves as one write. */
export class FramedStream {
  readonly #stream: Stream
  readonly #reader = new FrameReader()
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #isScheduled = false

  /**
   * @param take called with each frame; what it throws ends the stream
   * @param onEnd called once, when the stream is of no more use
   */
  constructor(stream: Stream, take: (frame: RequestFrame) => void, onEnd: () => void) {
    this.#stream = stream
    stream.addEventListener('message', ({ data }) => {
      try {
        for (const frame of this.#reader.take((data as Bytes).subarray())) take(frame)
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error(String(error)))
      }
    })
    stream.addEventListener('drain', () => this.#flush())
    stream.addEventListener('remoteCloseWrite', () => stream.abort(new Error('the other side ended')))
    stream.addEventListener('close', onEnd, { once: true })
  }

  get isOpen(): boolean {
    return this.#stream.status === 'open' && this.#stream.writeStatus === 'writable'
  }

  /** Bytes that wait to be written. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  write(type: FrameType, id: number, payload: Uint8Array): void {
    const head = encodeHead(type, id, payload.length)
    this.#queue.push(head, payload)
    this.#queuedBytes += head.length + payload.length
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#flush()
    })
  }

  /** Reads nothing more until {@link FramedStream.resume}. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  abort(why: string): void {
    this.#stream.abort(new Error(why))
  }

  #flush(): void {
    if (this.#queue.length === 0 || !this.isOpen || this.#stream.writableNeedsDrain) return
    const bytes = Buffer.concat(this.#queue, this.#queuedBytes)
    this.#queue = []
    this.#queuedBytes = 0
    this.#stream.send(bytes)
  }
}
