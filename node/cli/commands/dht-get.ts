import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError } from '../errors.ts'
import { argument, described } from '../option.ts'
import { OPTION } from '../options.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Reads what a stake stored under a name, every byte verified against its signature, and writes it to standard output or a file. A read that met enough replicas to miss no acknowledged store says so.',
    'Nothing found proves nothing: replicas may be away, or the record over. It ends with exit code 75.',
  ],
  args: { name: argument('NAME', 'what it is called', parseText) },
  options: {
    owner: OPTION.owner,
    out: described(OPTION.out, 'Write the value to this file (default: standard output)'),
    replicas: OPTION.replicas,
    quorum: OPTION.quorum,
  },
  examples: ['suprnova dht get greeting', 'suprnova dht get picture --owner 3 --out picture.png'],
  exits: {
    [EXIT.config]: 'the file cannot be written',
    [EXIT.tryAgain]: 'nobody showed such a record, or no node runs on this data directory',
  },
  async run(values, context) {
    const { NodeClient } = await import('../../api/index.ts')
    const { owner, quorum, replicas } = values
    const opened = await new NodeClient(values.dataDir).openState(values.name, {
      ...(owner === undefined ? {} : { owner }),
      ...(quorum === undefined ? {} : { quorum }),
      ...(replicas === undefined ? {} : { replicas }),
    })
    if (opened === undefined) {
      const { SuprnovaError } = await import('../../core/index.ts')
      throw new SuprnovaError('DHT_NOT_FOUND', `nobody showed a record called ${JSON.stringify(values.name)}`, {
        exitCode: EXIT.tryAgain,
        hint: "is it another stake's? give --owner; that nothing is shown proves nothing",
        values: { name: values.name, owner: owner ?? null },
      })
    }
    const { facts, parts } = opened
    const about = `${facts.size} bytes of stake ${facts.writer}${facts.quorum ? '' : ', not confirmed by a quorum'}`
    if (values.out !== undefined) {
      const path = resolve(context.process.cwd, values.out)
      await writeWhole(path, parts)
      return { data: { ...facts, out: path }, text: `${about}\nwritten to ${path}` }
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of parts) chunks.push(chunk)
    const value = Buffer.concat(chunks)
    context.note(about)
    return { data: { ...facts, value: value.toString('base64') }, text: value.toString('utf8') }
  },
})

/** The file is there whole or not at all. */
async function writeWhole(path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
  const draft = `${path}.part`
  try {
    await pipeline(Readable.from(parts), createWriteStream(draft))
    await rename(draft, path)
  } catch (cause) {
    await rm(draft, { force: true })
    throw new ConfigError('FILE_UNWRITABLE', `${path} could not be written: ${String(cause)}`, {
      values: { path },
      cause,
    })
  }
}
