import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { faultName } from '../evidence/words.ts'
import { table } from '../text.ts'

export const command = defineCommand({
  description: [
    'Asks the node of the data directory. It reports what it sees by itself; this shows how far each fault has come.',
  ],
  options: {},
  examples: ['suprnova evidence list', 'suprnova evidence list --json'],
  exits: { [EXIT.tryAgain]: 'no node runs on this data directory' },
  async run(values) {
    const { NodeClient } = await import('../../api/index.ts')
    const faults = await new NodeClient(values.dataDir).evidence()
    const rows = faults.map((fault) => [
      fault.faultId,
      faultName(fault.faultType),
      `stake ${fault.stakeId}`,
      fault.signer,
      fault.state,
    ])
    return { data: { faults }, text: rows.length === 0 ? 'the node has seen no fault' : table(rows) }
  },
})
