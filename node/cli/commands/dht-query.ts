import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument, optionalArgument } from '../option.ts'
import { OPTION } from '../options.ts'
import { counted, table } from '../text.ts'
import { decimal } from '../values/number.ts'
import { positionOf } from '../values/position.ts'

export const command = defineCommand({
  description: [
    'Finds the agents whose newest written position lies within a radius. Each entry is signed, and verified.',
  ],
  args: {
    x: argument('X', 'coordinate', decimal),
    y: optionalArgument('Y', 'coordinate (default: 0)', decimal),
    z: optionalArgument('Z', 'coordinate (default: 0)', decimal),
  },
  options: { radius: OPTION.radius, world: OPTION.world, consistency: OPTION.consistency },
  examples: ['suprnova dht query 3 -4 0 --radius 10', 'suprnova dht query 4 5 --world chess --radius 8 --json'],
  exits: {
    [EXIT.usage]: 'the radius touches too many cells, or the position is none of that world',
    [EXIT.tryAgain]: 'no node runs on this data directory',
  },
  async run(values, _context) {
    const { NodeClient } = await import('../../api/index.ts')
    const consistency = values.consistency as 'quorum' | 'one'
    const position = await positionOf(values)
    const { world } = values
    const found = await new NodeClient(values.dataDir).query(position, values.radius, { consistency, world })
    const lines = found.agents.map(({ agentId, capabilities, position: at, stakeId }) => [
      ...[`stake ${stakeId}`, `(${at.join(', ')})`, capabilities.join(', ') || '-', agentId],
    ])
    const about = [
      `${counted(found.agents.length, 'agent')} in ${counted(found.cells, 'cell')}, ${counted(found.requests, 'request')}`,
      ...(found.complete ? [] : ['more lies there than one query reads: ask for a smaller radius']),
      ...(found.quorum || consistency === 'one' ? [] : ['too few replicas answered: some agents may be missing']),
    ].join('\n')
    return { data: found, text: lines.length === 0 ? about : `${about}\n\n${table(lines)}` }
  },
})
