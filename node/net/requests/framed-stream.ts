import type { Stream } from '@libp2p/interface'
import { ANSWER_QUEUE_MAX_BYTES } from '../constants.ts'
import { encodeHead, FrameReader, type FrameType, type RequestFrame } from './frames.ts'

type Bytes = { subarray(): Uint8Array }

/** Why nothing is read: too much is being answered, or the other side does not read what it asked for. */
export type HoldReason = 'answering' | 'writing'

/**
 * One stream that carries frames both ways. What is written in one turn leaves as one write. While it is held, no frame
 * is taken, of those that have come already neither.
 */
export class FramedStream {
  readonly #stream: Stream
  readonly #take: (frame: RequestFrame) => void
  readonly #reader = new FrameReader()
  readonly #holds = new Set<HoldReason>()
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #isScheduled = false
  #isTaking = false

  /**
   * @param take called with each frame; what it throws ends the stream
   * @param onEnd called once, when the stream is of no more use
   */
  constructor(stream: Stream, take: (frame: RequestFrame) => void, onEnd: () => void) {
    this.#stream = stream
    this.#take = take
    stream.addEventListener('message', ({ data }) => {
      this.#reader.push((data as Bytes).subarray())
      this.#takeAll()
    })
    stream.addEventListener('drain', () => this.#flush())
    stream.addEventListener('idle', () => this.#flush())
    stream.addEventListener('remoteCloseWrite', () => stream.abort(new Error('the other side ended')))
    stream.addEventListener('close', onEnd, { once: true })
  }

  get isOpen(): boolean {
    return this.#stream.status === 'open' && this.#stream.writeStatus === 'writable'
  }

  /** Bytes that wait to be written, here and in the stream under it. */
  get queuedBytes(): number {
    return this.#queuedBytes + this.#stream.writeBufferLength
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

  /** Writes an answer; while more of them wait than should, nothing is read: who does not read is not answered. */
  answer(type: FrameType, id: number, payload: Uint8Array): void {
    this.write(type, id, payload)
    if (this.queuedBytes > ANSWER_QUEUE_MAX_BYTES) this.hold('writing')
  }

  /** Takes nothing more until each reason is {@link FramedStream.release}d. */
  hold(reason: HoldReason): void {
    this.#holds.add(reason)
    if (this.isOpen) this.#stream.pause()
  }

  release(reason: HoldReason): void {
    if (!this.#holds.delete(reason) || this.#holds.size > 0) return
    this.#takeAll()
    if (this.#holds.size === 0 && this.isOpen) this.#stream.resume()
  }

  abort(why: string): void {
    this.#stream.abort(new Error(why))
  }

  #takeAll(): void {
    // A frame that is answered at once may hold or release the stream: whoever is in this loop goes on with it.
    if (this.#isTaking) return
    this.#isTaking = true
    try {
      while (this.#holds.size === 0 && this.isOpen) {
        const frame = this.#reader.next()
        if (frame === undefined) break
        this.#take(frame)
      }
    } catch (error) {
      this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#isTaking = false
    }
  }

  #flush(): void {
    if (!this.isOpen) return
    if (this.#queue.length > 0 && !this.#stream.writableNeedsDrain) {
      const bytes = Buffer.concat(this.#queue, this.#queuedBytes)
      this.#queue = []
      this.#queuedBytes = 0
      this.#stream.send(bytes)
    }
    // What the stream has taken over is not read yet: only once that is gone, told by `idle`, more is answered.
    if (this.queuedBytes === 0) this.release('writing')
  }
}
