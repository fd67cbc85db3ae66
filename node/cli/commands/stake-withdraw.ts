import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { actionResult, egi, meantStake, OPERATOR, openOperator } from '../network/action.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: [
    'Pays an unbonded stake out once its time has come. Faults whose correlated part is still open are settled first, each in a transaction of its own; what that charges burns.',
  ],
  options: { to: described(OPTION.to, 'Who receives (default: the operator)'), ...OPERATOR },
  examples: [
    'suprnova stake withdraw',
    'suprnova stake withdraw --to 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --dry-run',
  ],
  exits: {
    [EXIT.chain]: 'the registry refused; the message says why',
    [EXIT.tryAgain]: 'not yet: the message says from when',
  },
  async run(values, context) {
    const { withdraw } = await import('../../chain/index.ts')
    const action = await openOperator(values, context)
    const stakeId = await meantStake(values.stake, action)
    const result = await withdraw(action, { stakeId, to: values.to ?? action.sender }, { simulate: values.dryRun })
    const { amountWei, settledFaults, to } = result.consequences
    return actionResult(
      result,
      { did: `Stake ${stakeId} is paid out.`, would: `This would pay stake ${stakeId} out.` },
      { stake: stakeId, to, paid: egi(amountWei), 'faults settled first': settledFaults.length },
    )
  },
})
