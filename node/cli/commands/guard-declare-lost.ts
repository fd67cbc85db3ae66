import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { withGuard } from '../guard/offline-guard.ts'
import { addressOfKey } from '../keys/key-file.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    'Tells the signing guard of this data directory that it may not be the only one that signed with the node key: after a theft, a second machine, or a disk whose past is in doubt. From its next start the node waits two epochs before it signs anything metered, and is silent in meshes with this key for ever.',
    'It also ends the state "lost", in which a guard that met another one with its key stays until its operator decides. Be sure first that no other copy runs: two that both waited would both go on. `suprnova stake rotate` is always the better way, since a fresh key has no slots.',
  ],
  options: { nodeKey: OPTION.nodeKey, rpc: OPTION.rpc },
  examples: ['suprnova guard declare-lost'],
  exits: {
    [EXIT.config]: 'the directory has no guard yet',
    [EXIT.locked]: 'the node runs',
    [EXIT.tryAgain]: 'the RPC did not answer',
  },
  async run(values, context) {
    const address = await addressOfKey('node', values.nodeKey, values.dataDir, context)
    await withGuard(values, address, context, (guard) => guard.declareLost())
    return {
      data: { key: address, declaredLost: true },
      text: `the guard of ${address} counts as lost: it waits two epochs, and is silent in meshes with this key`,
    }
  },
})
