import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError, systemCode } from '../errors.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    'Writes down what the running node knows of the registry: every stake with its keys and its place, at one block, and where nodes can be dialled. Whoever has the file reads and verifies records with `suprnova dht get --snapshot` or `openLightClient`, without a chain, a node or a stake.',
    "It holds no secret. Its reader trusts whoever wrote it for who had stake at that block, and for nothing else; the block's hash stands in it, to be compared. It ages: a stake that was slashed since is still believed, and replica sets are exact until the registry changes.",
  ],
  options: { out: described(OPTION.out, 'Write this file instead of standard output') },
  examples: ['suprnova coordinator snapshot --out registry.json'],
  exits: {
    [EXIT.config]: 'the file cannot be written',
    [EXIT.tryAgain]: 'no node runs on this data directory, or it has not heard the chain yet',
  },
  async run(values, context) {
    const { NodeClient } = await import('../../api/index.ts')
    const snapshot = await new NodeClient(values.dataDir).registrySnapshot()
    const document = JSON.stringify(snapshot, undefined, 2)
    if (values.out === undefined) return { data: snapshot, text: document }
    const path = resolve(context.process.cwd, values.out)
    try {
      await writeFile(path, `${document}\n`)
    } catch (cause) {
      throw new ConfigError('FILE_UNWRITABLE', `${path} could not be written: ${systemCode(cause) ?? String(cause)}`, {
        values: { path },
        cause,
      })
    }
    const { block, exactThroughEpoch, stakes } = snapshot as {
      readonly block: { readonly number: number; readonly hash: string }
      readonly exactThroughEpoch: number
      readonly stakes: readonly unknown[]
    }
    const data = { out: path, block, stakes: stakes.length, exactThroughEpoch }
    const about = `${stakes.length} stakes as of block ${block.number} (${block.hash})`
    return { data, text: `${about}\nwritten to ${path}; replica sets are exact through epoch ${exactThroughEpoch}` }
  },
})
