import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError, systemCode, UsageError } from '../errors.ts'
import { argument, described, optionalArgument } from '../option.ts'
import { OPTION } from '../options.ts'
import { parseText } from '../values/text.ts'

/** A gossip payload is at most this long; the protocol voids longer ones. */
const MAX_PAYLOAD_BYTES = 16_384

export const command = defineCommand({
  description: [
    'Signs a message with the node key and publishes it to a topic through the running node. Every message takes one index of the epoch; a stake that signs two messages with one index is slashed, which the signing guard of the node never does.',
  ],
  args: {
    topic: argument('TOPIC', 'where to say it', parseText),
    message: optionalArgument('MESSAGE', 'what to say; - reads standard input', (text) => text),
  },
  options: { file: described(OPTION.file, 'Say what this file holds, bytes as they are') },
  examples: ['suprnova gossip pub chat "hello"', 'head -c 1000 /dev/urandom | suprnova gossip pub noise -'],
  exits: {
    [EXIT.unsafe]: 'the signing guard refuses; the message says why',
    [EXIT.tryAgain]: 'no node runs on this data directory',
  },
  async run(values, context) {
    const payload = await readPayload(values.message, values.file, context)
    const { NodeClient } = await import('../../api/index.ts')
    const { recipients } = await new NodeClient(values.dataDir).publish(values.topic, payload)
    return {
      data: { topic: values.topic, bytes: payload.length, recipients },
      text: `published ${payload.length} bytes to ${recipients} peers`,
    }
  },
})

async function readPayload(
  message: string | undefined,
  file: string | undefined,
  context: Context,
): Promise<Uint8Array> {
  if ((message === undefined) === (file === undefined)) {
    throw new UsageError('MESSAGE_MISSING', 'give either MESSAGE or --file', { hint: 'MESSAGE - reads standard input' })
  }
  const payload =
    file !== undefined
      ? readBytes(resolve(context.process.cwd, file))
      : message === '-'
        ? await readAll(context)
        : Buffer.from(message as string)
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new UsageError('MESSAGE_TOO_LONG', `the message has ${payload.length} bytes, at most ${MAX_PAYLOAD_BYTES}`, {
      values: { bytes: payload.length, limit: MAX_PAYLOAD_BYTES },
    })
  }
  return payload
}

async function readAll(context: Context): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of context.process.stdin) {
    chunks.push(Buffer.from(chunk))
    bytes += chunks.at(-1)?.length ?? 0
    // Enough is known to refuse it; the rest may be without end.
    if (bytes > MAX_PAYLOAD_BYTES) break
  }
  return Buffer.concat(chunks)
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new ConfigError('FILE_UNREADABLE', `${path} cannot be read: ${systemCode(cause) ?? String(cause)}`, {
      values: { path },
      cause,
    })
  }
}
