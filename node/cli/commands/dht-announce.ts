import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument, optionalArgument } from '../option.ts'
import { OPTION } from '../options.ts'
import { decimal } from '../values/number.ts'
import { positionOf } from '../values/position.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    "Says where an agent of this node's stake is, and what it can do. When it crossed into another cell the new one is written first, then the old one is left.",
  ],
  args: {
    agent: argument('NAME', "the agent's name", parseText),
    x: argument('X', 'coordinate', decimal),
    y: optionalArgument('Y', 'coordinate (default: 0)', decimal),
    z: optionalArgument('Z', 'coordinate (default: 0)', decimal),
  },
  options: { capability: OPTION.capability, world: OPTION.world },
  examples: ['suprnova dht announce scout 3 4 0 --capability look'],
  exits: {
    [EXIT.usage]: 'the position is none of that world',
    [EXIT.unsafe]: 'the signing guard refuses; the message says why',
    [EXIT.tryAgain]: 'no node runs on this data directory, or too few replicas gave a receipt',
  },
  async run(values, _context) {
    const { NodeClient } = await import('../../api/index.ts')
    const position = await positionOf(values)
    const { capability: capabilities, world } = values
    const announcement = { agentId: values.agent, position, capabilities, world }
    const { agentId } = await new NodeClient(values.dataDir).announce(announcement)
    return { data: { agentId, position }, text: `${values.agent} is at (${position.join(', ')}): agent ${agentId}` }
  },
})
