import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument, optionalArgument } from '../option.ts'
import { OPTION } from '../options.ts'
import { table } from '../text.ts'
import { decimal } from '../values/number.ts'

export const command = defineCommand({
  description: [
    'Finds the agents whose newest written position lies within a radius, in the default world. Each entry is signed, and verified.',
  ],
  args: {
    x: argument('X', 'coordinate', decimal),
    y: optionalArgument('Y', 'coordinate (default: 0)', decimal),
    z: optionalArgument('Z', 'coordinate (default: 0)', decimal),
  },
  options: { radius: OPTION.radius, consistency: OPTION.consistency },
  examples: ['suprnova dht query 3 4 0 --radius 10', 'suprnova dht query 3 --json'],
  exits: {
    [EXIT.usage]: 'the radius touches too many cells',
    [EXIT.tryAgain]: 'no node runs on this data directory',
  },
  async run(values, _context) {
    const { NodeClient } = await import('../../api/index.ts')
    const consistency = values.consistency as 'quorum' | 'one'
    const position = [values.x, values.y ?? 0, values.z ?? 0]
    const found = await new NodeClient(values.dataDir).query(position, values.radius, { consistency })
    const lines = found.agents.map(({ agentId, capabilities, position: at, stakeId }) => [
      ...[`stake ${stakeId}`, `(${at.join(', ')})`, capabilities.join(', ') || '-', agentId],
    ])
    const about = `${found.agents.length} agents in ${found.cells} cells, ${found.requests} requests`
    return { data: found, text: lines.length === 0 ? about : `${about}\n\n${table(lines)}` }
  },
})
