import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { openKey } from '../keys/key-file.ts'
import { actionResult, meantStake, OPERATOR, openOperator } from '../network/action.ts'
import { described, required } from '../option.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    'Gives the stake another node key, which speaks from two epochs ahead on; until then the old one does. The old key stays slashable for what it said while it was the key.',
    'This is what to do after a lost signing guard: a fresh key has said nothing yet. A key is never used twice, here or by another stake.',
  ],
  options: {
    newNodeKey: required(described(OPTION.newNodeKey, 'The new node key: a keystore file or the name of a key')),
    ...OPERATOR,
  },
  examples: ['suprnova key new node-2 && suprnova stake rotate --new-node-key node-2'],
  exits: {
    [EXIT.chain]: 'the registry refused; the message says why',
    [EXIT.tryAgain]: 'the key before it has not begun yet',
  },
  async run(values, context) {
    const { rotateKey } = await import('../../chain/index.ts')
    const action = await openOperator(values, context)
    const stakeId = await meantStake(values.stake, action)
    const { privateKey } = await openKey('node', values.newNodeKey, values, context)
    const result = await rotateKey(action, { stakeId, newPrivateKey: privateKey }, { simulate: values.dryRun })
    const { newKey, fromEpoch } = result.consequences
    return actionResult(
      result,
      {
        did: `Stake ${stakeId} speaks with ${newKey} from epoch ${fromEpoch} on.`,
        would: `This would give stake ${stakeId} the key ${newKey} from epoch ${fromEpoch} on.`,
      },
      { stake: stakeId, 'new node key': newKey, 'from epoch': fromEpoch },
    )
  },
})
