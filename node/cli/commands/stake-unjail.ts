import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { actionResult, meantStake, OPERATOR, openOperator } from '../network/action.ts'

export const command = defineCommand({
  description: [
    'A jail does not end by itself: this ends it, once its time is over and the bond is back at the minimum under which the stake was registered (`suprnova stake topup`). A tombstone is for ever.',
  ],
  options: OPERATOR,
  examples: ['suprnova stake unjail'],
  exits: {
    [EXIT.chain]: 'the registry refused; the message says why',
    [EXIT.tryAgain]: 'the jail has not run its time',
  },
  async run(values, context) {
    const { unjail } = await import('../../chain/index.ts')
    const action = await openOperator(values, context)
    const stakeId = await meantStake(values.stake, action)
    const result = await unjail(action, { stakeId }, { simulate: values.dryRun })
    return actionResult(
      result,
      { did: `Stake ${stakeId} may speak again.`, would: `This would end the jail of stake ${stakeId}.` },
      { stake: stakeId },
    )
  },
})
