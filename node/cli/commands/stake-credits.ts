import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { UsageError } from '../errors.ts'
import { addressOfKey } from '../keys/key-file.ts'
import { actionResult, egi, OPERATOR, openOperator } from '../network/action.ts'
import { connect } from '../network/connect.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'

const { stake: _, ...OPTIONS } = OPERATOR

export const command = defineCommand({
  description: [
    'Rewards wait in the registry as credits of an account until that account takes them. Without --take this only shows them and opens no key.',
  ],
  options: {
    take: described(OPTION.take, 'Pay them out'),
    address: described(OPTION.address, 'Whose credits to show (default: the operator)'),
    to: described(OPTION.to, 'With --take: who receives (default: the operator)'),
    ...OPTIONS,
  },
  examples: ['suprnova stake credits', 'suprnova stake credits --take --operator-key gas'],
  exits: { [EXIT.chain]: 'the registry refused; the message says why' },
  async run(values, context) {
    const { readCredits, withdrawCredits } = await import('../../chain/index.ts')
    if (!values.take) {
      if (values.to !== undefined)
        throw new UsageError('TO_WITHOUT_TAKE', '--to is given without --take', {
          hint: 'add --take to pay credits out',
        })
      const account = values.address ?? (await addressOfKey('operator', values.operatorKey, values.dataDir, context))
      const creditsWei = await readCredits(await connect(values, context), account)
      return { data: { account, creditsWei }, text: `${account} has ${egi(creditsWei)} in credits` }
    }
    if (values.address !== undefined) {
      throw new UsageError(
        'ADDRESS_WITH_TAKE',
        'credits are taken by their own account: --address has no place beside --take',
        {
          hint: 'name its key with --operator-key',
        },
      )
    }
    const action = await openOperator(values, context)
    const result = await withdrawCredits(action, { to: values.to ?? action.sender }, { simulate: values.dryRun })
    const { amountWei, to } = result.consequences
    return actionResult(
      result,
      { did: `${egi(amountWei)} of credits are paid out.`, would: `This would pay out ${egi(amountWei)} of credits.` },
      { from: action.sender, to, paid: egi(amountWei) },
    )
  },
})
