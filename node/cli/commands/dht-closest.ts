import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts, table } from '../text.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Shows which stakes hold a name now, and which stand in while one is away. Nobody is asked: every node works it out from the placements that the chain drew, and all agree.',
  ],
  args: { name: argument('NAME', 'what it is called', parseText) },
  options: { owner: OPTION.owner, replicas: OPTION.replicas },
  examples: ['suprnova dht closest greeting', 'suprnova dht closest greeting --owner 3 --json'],
  exits: { [EXIT.tryAgain]: 'no node runs on this data directory' },
  async run(values, _context) {
    const { NodeClient } = await import('../../api/index.ts')
    const { owner, replicas } = values
    const closest = await new NodeClient(values.dataDir).closest(values.name, {
      ...(owner === undefined ? {} : { owner }),
      ...(replicas === undefined ? {} : { replicas }),
    })
    const lines = closest.replicas.map(({ address, stakeId }) => [
      `stake ${stakeId}`,
      address ?? 'no key in this epoch',
    ])
    const about = facts({ 'record key': closest.recordKey, epoch: closest.epoch })
    return { data: closest, text: `${about}\n\n${table(lines)}\nstand-ins: ${closest.standIns.join(', ') || 'none'}` }
  },
})
