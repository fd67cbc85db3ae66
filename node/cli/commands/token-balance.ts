import { EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import { addressOfKey } from '../keys/key-file.ts'
import { egi } from '../network/action.ts'
import { connect, NETWORK } from '../network/connect.ts'
import { described } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts } from '../text.ts'
import { formatAmount } from '../values/amount.ts'

export const command = defineCommand({
  description: ['Reads the chain; opens no key.'],
  options: {
    address: described(OPTION.address, 'Whose (default: the operator)'),
    operatorKey: OPTION.operatorKey,
    ...NETWORK,
  },
  examples: [
    'suprnova token balance',
    'suprnova token balance --address 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --json',
  ],
  exits: { [EXIT.chain]: 'the chain refused to answer', [EXIT.tryAgain]: 'the RPC did not answer' },
  async run(values, context) {
    const { explainChainError, tokenBalance } = await import('../../chain/index.ts')
    const account = values.address ?? (await addressOfKey('operator', values.operatorKey, values.dataDir, context))
    const connection = await connect(values, context)
    try {
      const [balanceWei, nativeWei] = await Promise.all([
        tokenBalance(connection, account),
        connection.client.getBalance({ address: account }),
      ])
      return {
        data: { account, balanceWei, nativeWei },
        text: facts({ account, EGI: egi(balanceWei), gas: `${formatAmount(nativeWei)} native coin` }),
      }
    } catch (error) {
      throw explainChainError(error)
    }
  },
})
