import type { AbortOptions, ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface'
import { MERGE_MAX_BYTES } from '../constants.ts'

type Chunk = Parameters<MessageStream['send']>[0]

function copyInto(target: Uint8Array, offset: number, chunk: Chunk): number {
  if (chunk instanceof Uint8Array) {
    target.set(chunk, offset)
    return offset + chunk.byteLength
  }
  let at = offset
  for (const part of chunk) {
    target.set(part, at)
    at += part.byteLength
  }
  return at
}

/** Hands each write on as one buffer: a socket makes a system call of every buffer it is given. */
function flattenWrites(stream: MessageStream): MessageStream {
  const send = stream.send.bind(stream)
  stream.send = (chunk: Chunk): boolean => send(chunk instanceof Uint8Array ? chunk : chunk.subarray())
  return stream
}

/**
 * Gathers the writes of one turn of the event loop and hands them on as one. What is gathered goes out at once when
 * it passes {@link MERGE_MAX_BYTES}, and before the stream closes; an aborted stream drops it. A stream that asks to
 * wait says so to its caller as before.
 */
export function mergeWrites(stream: MessageStream): MessageStream {
  const send = stream.send.bind(stream)
  const close = stream.close.bind(stream)
  let gathered: Chunk[] = []
  let bytes = 0
  let planned = false

  const take = (): Uint8Array => {
    const merged = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const chunk of gathered) at = copyInto(merged, at, chunk)
    gathered = []
    bytes = 0
    return merged
  }
  const flush = (): boolean => (bytes === 0 ? !stream.writableNeedsDrain : send(take()))
  const flushLater = (): void => {
    planned = false
    if (stream.status !== 'open') {
      gathered = []
      bytes = 0
      return
    }
    try {
      flush()
    } catch (error) {
      // send() has aborted the stream, which tells its owner; nobody waits for this turn
      stream.log.error('could not write %d bytes - %e', bytes, error)
    }
  }

  stream.send = (chunk: Chunk): boolean => {
    if (stream.status !== 'open') return send(chunk)
    gathered.push(chunk)
    bytes += chunk.byteLength
    if (bytes >= MERGE_MAX_BYTES) return flush()
    if (!planned) {
      planned = true
      setImmediate(flushLater)
    }
    return !stream.writableNeedsDrain
  }
  stream.close = async (options?: AbortOptions): Promise<void> => {
    if (stream.status === 'open') flush()
    await close(options)
  }
  return stream
}

/**
 * Wraps a `ConnectionEncrypter`: above it, small frames of one turn become one ciphertext; below it, one system call.
 * Both sides of a connection may or may not do this: the bytes on the wire are an ordinary stream.
 */
export function mergingEncrypter<Components>(
  encrypter: (components: Components) => ConnectionEncrypter,
): (components: Components) => ConnectionEncrypter {
  return (components) => {
    const inner = encrypter(components)
    const merged = (secured: SecuredConnection): SecuredConnection => {
      mergeWrites(secured.connection)
      return secured
    }
    return {
      protocol: inner.protocol,
      secureOutbound: async (stream, options) => merged(await inner.secureOutbound(flattenWrites(stream), options)),
      secureInbound: async (stream, options) => merged(await inner.secureInbound(flattenWrites(stream), options)),
    }
  }
}
