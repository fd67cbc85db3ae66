import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { EXIT, type Hex } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { ConfigError, systemCode } from '../errors.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'
import { epochUntil, table } from '../text.ts'

export const command = defineCommand({
  description: [
    'Lists the receipts that this node was given for what it stored, newest first: who promised what, and until when it can be called in. With --export, prints one of them with its PUT, as `suprnova evidence challenge` reads it.',
  ],
  options: {
    recordName: OPTION.recordName,
    stake: described(OPTION.stake, 'Only those of this stake'),
    limit: OPTION.limit,
    export: OPTION.export,
    out: described(OPTION.out, 'With --export: write the receipt to this file (default: standard output)'),
  },
  examples: [
    'suprnova dht receipts',
    'suprnova dht receipts --record-name greeting',
    'suprnova dht receipts --export 0x… --out receipt.json',
  ],
  exits: {
    [EXIT.config]: 'the file cannot be written',
    [EXIT.tryAgain]: 'no node runs on this data directory',
  },
  async run(values, context) {
    const { NodeClient } = await import('../../api/index.ts')
    const node = new NodeClient(values.dataDir)
    if (values.export !== undefined) {
      const file = await node.receipt(values.export as Hex)
      const document = JSON.stringify(file, undefined, 2)
      if (values.out === undefined) return { data: file, text: document }
      const path = resolve(context.process.cwd, values.out)
      await writeReceipt(path, `${document}\n`)
      return { data: { ...file, out: path }, text: `written to ${path}` }
    }
    const { limit, recordName: key, stake } = values
    const receipts = await node.receipts({
      ...{ limit },
      ...(key === undefined ? {} : { key }),
      ...(stake === undefined ? {} : { stake }),
    })
    const lines = receipts.map(({ id, recordKey, size, stakeId, untilEpoch, untilSeconds }) => [
      ...[`stake ${stakeId}`, `${size} bytes`, `until ${epochUntil(untilEpoch, untilSeconds)}`],
      ...[`record ${recordKey.slice(0, 14)}…`, id],
    ])
    return { data: { receipts }, text: lines.length === 0 ? 'No receipts.' : table(lines) }
  },
})

async function writeReceipt(path: string, document: string): Promise<void> {
  try {
    await writeFile(path, document)
  } catch (cause) {
    throw new ConfigError('FILE_UNWRITABLE', `${path} could not be written: ${systemCode(cause) ?? String(cause)}`, {
      values: { path },
      cause,
    })
  }
}
