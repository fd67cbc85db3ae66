import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { actionResult, egi, openAction } from '../network/action.ts'
import { NETWORK } from '../network/connect.ts'
import { described, required } from '../option.ts'
import { OPTION } from '../options.ts'

export const command = defineCommand({
  description: ['Pays EGI of one account to another. An amount that reaches nobody is lost: read the address twice.'],
  options: {
    to: required(OPTION.to),
    amount: required(described(OPTION.amount, 'EGI to pay, with decimals')),
    key: described(OPTION.key, 'Key that pays: a keystore file or the name of a key (default: operator)'),
    passwordFile: OPTION.passwordFile,
    dryRun: OPTION.dryRun,
    ...NETWORK,
  },
  examples: ['suprnova token transfer --to 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --amount 12.5'],
  exits: { [EXIT.chain]: 'the token refused, as when there is too little' },
  async run(values, context) {
    const { transferToken } = await import('../../chain/index.ts')
    const action = await openAction('operator', values.key, values, context)
    const result = await transferToken(action, { to: values.to, amountWei: values.amount }, { simulate: values.dryRun })
    const amount = egi(result.consequences.amountWei)
    return actionResult(
      result,
      { did: `${amount} are paid.`, would: `This would pay ${amount}.` },
      { from: action.sender, to: values.to, amount },
    )
  },
})
