import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { actionResult, egi, meantStake, OPERATOR, openOperator } from '../network/action.ts'
import { described, required } from '../option.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    'Adds tokens of the sender to a stake that is not unbonding; anyone may. What is added is slashable like the rest, and leaves only with it. Where the registry has no allowance yet, one is given first, in a transaction of its own.',
  ],
  options: { amount: required(described(OPTION.amount, 'EGI to add, with decimals')), ...OPERATOR },
  examples: ['suprnova stake topup --amount 250', 'suprnova stake topup --amount 0.5 --stake 7 --dry-run'],
  exits: { [EXIT.chain]: 'the registry or the token refused; the message says why' },
  async run(values, context) {
    const { topUp } = await import('../../chain/index.ts')
    const action = await openOperator(values, context)
    const stakeId = await meantStake(values.stake, action)
    const result = await topUp(action, { stakeId, amountWei: values.amount }, { simulate: values.dryRun })
    const { addedWei, newAmountWei, approvalNeeded } = result.consequences
    return actionResult(
      result,
      {
        did: `Stake ${stakeId} has ${egi(newAmountWei)}.`,
        would: `This would bring stake ${stakeId} to ${egi(newAmountWei)}.`,
      },
      {
        stake: stakeId,
        added: egi(addedWei),
        bonded: egi(newAmountWei),
        ...(result.sent
          ? {}
          : { note: approvalNeeded ? 'the gas is that of the allowance, which comes first' : undefined }),
      },
    )
  },
})
