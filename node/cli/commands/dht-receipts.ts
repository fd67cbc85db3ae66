import { EXIT, type Hex } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { OPTION } from '../options.ts'
import { table } from '../text.ts'

export const command = defineCommand({
  description: [
    'Lists the receipts that this node was given for what it stored, newest first: who promised what, and until when it can be called in. With --export, prints one of them with its PUT, as `suprnova evidence challenge` reads it.',
  ],
  options: { recordName: OPTION.recordName, limit: OPTION.limit, export: OPTION.export },
  examples: [
    'suprnova dht receipts',
    'suprnova dht receipts --record-name greeting',
    'suprnova dht receipts --export 0x…',
  ],
  exits: { [EXIT.tryAgain]: 'no node runs on this data directory' },
  async run(values, _context) {
    const { NodeClient } = await import('../../api/index.ts')
    const node = new NodeClient(values.dataDir)
    if (values.export !== undefined) {
      const file = await node.receipt(values.export as Hex)
      return { data: file, text: JSON.stringify(file, undefined, 2) }
    }
    const { limit, recordName: key } = values
    const receipts = await node.receipts({ limit, ...(key === undefined ? {} : { key }) })
    const lines = receipts.map(({ id, recordKey, size, stakeId, untilEpoch }) => [
      ...[`stake ${stakeId}`, `${size} bytes`, `until epoch ${untilEpoch}`],
      ...[`record ${recordKey.slice(0, 14)}…`, id],
    ])
    return { data: { receipts }, text: lines.length === 0 ? 'No receipts.' : table(lines) }
  },
})
