import { createReadStream, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Context } from '../context.ts'
import { ConfigError, systemCode } from '../errors.ts'

/**
 * The bytes of a file, or of standard input for `-`, as a stream.
 * @throws {ConfigError} `FILE_UNREADABLE`
 */
export function bytesIn(file: string, context: Context): AsyncIterable<Uint8Array> {
  if (file === '-') return context.process.stdin as AsyncIterable<Uint8Array>
  const path = resolve(context.process.cwd, file)
  try {
    if (!statSync(path).isFile()) throw new ConfigError('FILE_UNREADABLE', `${path} is no file`, { values: { path } })
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError('FILE_UNREADABLE', `${path} cannot be read: ${systemCode(cause) ?? String(cause)}`, {
      values: { path },
      cause,
    })
  }
  return createReadStream(path)
}

/** All of a stream, at most `limit` bytes of it. @returns `undefined` when there is more */
export async function wholeOf(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > limit) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}
