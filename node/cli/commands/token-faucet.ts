import { existsSync } from 'node:fs'
import { type Address, EXIT } from '../../core/index.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ConfigError } from '../errors.ts'
import { addressOfKey, keyPath } from '../keys/key-file.ts'
import { openWallet } from '../network/account.ts'
import { egi } from '../network/action.ts'
import { connect, isLocalChain, NETWORK } from '../network/connect.ts'
import { described, valueOr } from '../option.ts'
import { OPTION } from '../options.ts'
import { facts } from '../text.ts'
import { formatAmount, parsePositiveAmount } from '../values/amount.ts'

/** Coins for gas that come along, enough for thousands of transactions on a local chain. */
const GAS_WEI = 10n ** 18n

export const command = defineCommand({
  description: [
    'On a local chain, gives an account EGI from the faucet and one coin for gas; an account of the chain pays. Without --to the gas key of the data directory gets a coin too. Public chains have no faucet.',
  ],
  options: {
    to: described(OPTION.to, 'Who receives (default: the operator)'),
    amount: valueOr('10000', { ...OPTION.amount, summary: 'EGI to take, with decimals', parse: parsePositiveAmount }),
    operatorKey: OPTION.operatorKey,
    ...NETWORK,
  },
  examples: [
    'suprnova token faucet',
    'suprnova token faucet --to 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --amount 2000',
  ],
  exits: {
    [EXIT.config]: 'this chain has no faucet',
    [EXIT.chain]: 'the faucet refused: it gives only so much a call',
  },
  async run(values, context) {
    const { explainChainError, faucet } = await import('../../chain/index.ts')
    const to = values.to ?? (await addressOfKey('operator', values.operatorKey, values.dataDir, context))
    const connection = await connect(values, context)
    const { client, deployment } = connection
    if (!isLocalChain(deployment.chainId) || deployment.faucet === undefined)
      throw noFaucet(deployment.chainId, deployment.source)
    const wallet = await openWallet(
      undefined,
      'dev:0',
      { dataDir: values.dataDir, passwordFile: undefined },
      connection,
      context,
    )
    const result = await faucet(
      { client, deployment, wallet },
      { faucet: deployment.faucet, to, amountWei: values.amount },
    )
    const gasKey = values.to === undefined ? await gasKeyAddress(values.dataDir, context) : undefined
    const gasTo = gasKey === undefined ? [to] : [to, gasKey]
    try {
      for (const address of gasTo) {
        const hash = await wallet.sendTransaction({ account: wallet.account, chain: null, to: address, value: GAS_WEI })
        await client.waitForTransactionReceipt({ hash })
      }
    } catch (error) {
      throw explainChainError(error)
    }
    return {
      data: { to, amountWei: values.amount, gasWei: GAS_WEI, gasTo, hash: result.sent ? result.hash : null },
      text: facts({
        to,
        EGI: egi(values.amount),
        gas: `${formatAmount(GAS_WEI)} native coin each to ${gasTo.join(' and ')}`,
      }),
    }
  },
})

/** The gas key of the data directory needs coins too, if there is one. */
async function gasKeyAddress(dataDir: string, context: Context): Promise<Address | undefined> {
  if (!existsSync(keyPath('gas', dataDir, context.process.cwd))) return undefined
  return addressOfKey('gas', undefined, dataDir, context)
}

function noFaucet(chainId: bigint, source: string): ConfigError {
  return new ConfigError('NO_FAUCET', `chain ${chainId} has no faucet that ${source} knows`, {
    hint: isLocalChain(chainId)
      ? 'name the deployment file with --deployment: it knows the faucet'
      : 'get EGI from somebody who has some',
    values: { chainId },
  })
}
