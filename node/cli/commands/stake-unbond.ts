import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { UsageError } from '../errors.ts'
import { actionResult, egi, meantStake, OPERATOR, openOperator } from '../network/action.ts'
import { OPTION } from '../options.ts'
import { moment } from '../text.ts'

export const command = defineCommand({
  description: [
    'Begins the only exit, of the whole stake. The node speaks no more; the money stays slashable to the last second of the unbonding period and is then paid out by `suprnova stake withdraw`. There is no way back but to register again, with a new node key.',
  ],
  options: { ...OPERATOR, yes: OPTION.yes },
  examples: ['suprnova stake unbond --dry-run', 'suprnova stake unbond --yes'],
  exits: { [EXIT.chain]: 'the registry refused; the message says why' },
  async run(values, context) {
    const { unbond } = await import('../../chain/index.ts')
    if (!values.dryRun && !values.yes && !context.prompt.terminal) {
      throw new UsageError('CONFIRMATION_NEEDED', 'unbonding must be confirmed, and there is no terminal to ask at', {
        hint: 'add --yes when it is meant, or --dry-run to see what it does',
      })
    }
    const action = await openOperator(values, context)
    const stakeId = await meantStake(values.stake, action)
    if (!values.dryRun && !values.yes) {
      const answer = await context.prompt.ask(`Unbond the whole of stake ${stakeId}? Type yes:`)
      if (answer.trim() !== 'yes') throw new UsageError('NOT_CONFIRMED', 'not confirmed; nothing was sent')
    }
    const result = await unbond(action, { stakeId }, { simulate: values.dryRun })
    const { amountWei, readyAt } = result.consequences
    return actionResult(
      result,
      { did: `Stake ${stakeId} is unbonding.`, would: `This would begin to unbond stake ${stakeId}.` },
      { stake: stakeId, unbonding: egi(amountWei), 'withdrawable from': moment(readyAt) },
    )
  },
})
