import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { argument } from '../option.ts'
import { OPTION } from '../options.ts'
import { table } from '../text.ts'
import { parseText } from '../values/text.ts'

export const command = defineCommand({
  description: [
    'Walks the Kademlia routing table towards the key of a name and shows whom it found, closest first, with their addresses. Records are not held there: it finds addresses alone.',
  ],
  args: { name: argument('NAME', 'what it is called', parseText) },
  options: { owner: OPTION.owner },
  examples: ['suprnova dht peers greeting'],
  exits: { [EXIT.tryAgain]: 'no node runs on this data directory' },
  async run(values, _context) {
    const { NodeClient } = await import('../../api/index.ts')
    const { owner } = values
    const walk = await new NodeClient(values.dataDir).findPeers(values.name, owner === undefined ? {} : { owner })
    const lines = walk.peers.map(({ multiaddrs, peerId, stakeId }) => [
      stakeId === undefined || stakeId === null ? 'reader' : `stake ${stakeId}`,
      peerId,
      multiaddrs[0] ?? '',
    ])
    return { data: walk, text: `${walk.asked} peers asked, ${walk.hops} hops\n\n${table(lines)}` }
  },
})
