import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError, TryAgainError, UsageError } from '../errors.ts'
import { describeRead, type ReadFacts } from '../network/read-words.ts'
import { LIGHT, openReader } from '../network/reader.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { Progress } from '../progress.ts'
import { parseText } from '../values/text.ts'

interface Found {
  readonly facts: ReadFacts
  readonly parts: AsyncIterable<Uint8Array>
  readonly end: () => Promise<void>
}

export const command = defineCommand({
  description: [
    'Reads what a stake stored under a name, every byte verified against its signature, and writes it to standard output as it is, or to a file. A read that met enough replicas to miss no acknowledged store says so.',
    'Nothing found proves nothing: replicas may be away, or the record over. It ends with exit code 75.',
    'With --light no node is needed, no stake and no key: the command learns who has stake by RPC, or from a file that `suprnova coordinator snapshot` wrote, connects to some nodes and verifies all it is shown by itself. Nodes serve such readers slowly.',
  ],
  args: { name: argument('NAME', 'what it is called', parseText) },
  options: {
    owner: OPTION.owner,
    out: described(OPTION.out, 'Write the value to this file (default: standard output)'),
    replicas: OPTION.replicas,
    quorum: described(
      OPTION.quorum,
      'Receipts with which it was stored; R - W + 1 answers make the read whole (default: 2)',
    ),
    ...LIGHT,
  },
  examples: [
    'suprnova dht get greeting',
    'suprnova dht get picture --owner 3 --out picture.png',
    'suprnova dht get greeting --owner 3 --light --rpc https://rpc.example.org --coordinator https://current-reality.eth',
    'suprnova dht get greeting --owner 3 --snapshot registry.json',
  ],
  exits: {
    [EXIT.config]: 'the file cannot be written, or the snapshot not be used',
    [EXIT.chain]: 'the RPC does not have what a reader needs',
    [EXIT.tryAgain]: 'nobody showed such a record, or no node runs on this data directory, or none could be reached',
  },
  endsOnSignal: true,
  async run(values, context) {
    const { owner, quorum, replicas } = values
    const quorumOptions = {
      ...(quorum === undefined ? {} : { quorum }),
      ...(replicas === undefined ? {} : { replicas }),
    }
    const isLight = values.light || values.snapshot !== undefined
    const found = isLight
      ? await byReader(values.name, { ...values, ...quorumOptions }, context)
      : await byNode(
          values.name,
          { ...quorumOptions, ...(owner === undefined ? {} : { owner }) },
          values.dataDir,
          context,
        )
    try {
      if (found === undefined) throw notFound(values.name, owner)
      const { facts, parts } = found
      const progress = new Progress(context.process.stderr, { what: 'read', total: facts.size })
      const about = describeRead(facts)
      if (values.out !== undefined) {
        const path = resolve(context.process.cwd, values.out)
        await writeWhole(path, progress.of(parts), context.signal)
        return { data: { ...facts, out: path }, text: `${about}\nwritten to ${path}` }
      }
      if (!values.json) {
        await context.bytes(forTerminal(progress.of(parts), context))
        context.note(about)
        return undefined
      }
      const { wholeValue } = await import('../../api/index.ts')
      const value = await wholeValue(progress.of(parts), facts.size)
      return { data: { ...facts, value: Buffer.from(value).toString('base64') }, text: '' }
    } finally {
      await found?.end()
    }
  },
})

async function byNode(
  name: string,
  options: { readonly owner?: number; readonly quorum?: number; readonly replicas?: number },
  dataDir: string,
  { signal }: Context,
): Promise<Found | undefined> {
  const { NodeClient } = await import('../../api/index.ts')
  const opened = await new NodeClient(dataDir).openState(name, { ...options, signal })
  return opened && { ...opened, end: async () => undefined }
}

async function byReader(
  name: string,
  values: Parameters<typeof openReader>[0] & { readonly owner: number | undefined },
  context: Context,
): Promise<Found | undefined> {
  const { owner } = values
  if (owner === undefined) {
    throw new UsageError('OWNER_MISSING', 'a reader has no stake of its own, so --owner says whose record is meant', {
      hint: 'give the id of the stake that stored it',
    })
  }
  const reader = await openReader(values, context)
  const end = () => reader.close()
  try {
    const opened = await reader.openState(name, { ...values, owner })
    if (opened === undefined) {
      await end()
      return undefined
    }
    const { parts, writerStakeId: writer, ...facts } = opened
    const { block, source } = reader.registry
    return { facts: { ...facts, writer, registry: { source, ...block } } as Found['facts'], parts, end }
  } catch (error) {
    await end()
    throw error
  }
}

function notFound(name: string, owner: number | undefined): TryAgainError {
  return new TryAgainError('DHT_NOT_FOUND', `nobody showed a record called ${JSON.stringify(name)}`, {
    hint:
      owner === undefined
        ? "is it another stake's? give --owner; that nothing is shown proves nothing"
        : 'replicas may be away, or the record over; that nothing is shown proves nothing',
    values: { name, owner: owner ?? null },
  })
}

/** A pipe gets the bytes and no other; a terminal gets text, with an end of line, and nothing that is none. */
async function* forTerminal(
  parts: AsyncIterable<Uint8Array>,
  { process }: Context,
): AsyncGenerator<Uint8Array, void, undefined> {
  let last: Uint8Array | undefined
  for await (const part of parts) {
    if (process.stdout.isTTY === true && part.includes(0)) {
      throw new UsageError('NOT_TEXT', 'the value is no text, and would make a mess of a terminal', {
        hint: 'give --out FILE, or send it into a pipe',
      })
    }
    yield part
    last = part
  }
  if (process.stdout.isTTY === true && last !== undefined && last.at(-1) !== 0x0a) yield Uint8Array.of(0x0a)
}

/** The file is there whole or not at all. */
async function writeWhole(path: string, parts: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const draft = `${path}.part`
  try {
    await pipeline(Readable.from(parts), createWriteStream(draft), { signal })
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    // What broke off the value says so itself.
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause
    throw new ConfigError('FILE_UNWRITABLE', `${path} could not be written: ${String(cause)}`, {
      values: { path },
      cause,
    })
  }
}
