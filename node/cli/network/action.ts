import type { ActionModules, ActionResult } from '../../chain/index.ts'
import type { Address } from '../../core/index.ts'
import type { Result } from '../command.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import type { KeyRole, KeyValues } from '../keys/key-file.ts'
import { OPTION } from '../options.ts'
import { facts } from '../text.ts'
import { formatAmount } from '../values/amount.ts'
import { openWallet } from './account.ts'
import { connect, type FoundDeployment, NETWORK, type NetworkValues } from './connect.ts'

/** Options of everything that an operator does to a stake. */
export const OPERATOR = {
  stake: { ...OPTION.stake, summary: "Stake id (default: the operator's own)" },
  operatorKey: OPTION.operatorKey,
  passwordFile: OPTION.passwordFile,
  dryRun: OPTION.dryRun,
  ...NETWORK,
}

interface OperatorValues extends NetworkValues, KeyValues {
  readonly operatorKey: string | undefined
}

/** What an action needs, with the addresses that people want to see. */
export interface OpenAction extends ActionModules {
  readonly deployment: FoundDeployment
  readonly sender: Address
}

/** Connects and opens the key that sends. */
export async function openAction(
  role: KeyRole | undefined,
  written: string | undefined,
  values: NetworkValues & KeyValues,
  context: Context,
): Promise<OpenAction> {
  const connection = await connect(values, context)
  const wallet = await openWallet(role, written, values, connection, context)
  const sender = wallet.account.address.toLowerCase() as Address
  return { client: connection.client, deployment: connection.deployment, wallet, sender }
}

/** {@link openAction} with the operator key. */
export function openOperator(values: OperatorValues, context: Context): Promise<OpenAction> {
  return openAction('operator', values.operatorKey, values, context)
}

/**
 * The stake that is meant: the one named, else the operator's own.
 * @throws {UsageError} `NO_STAKE` when the operator has none
 */
export async function meantStake(stake: number | undefined, action: OpenAction): Promise<number> {
  if (stake !== undefined) return stake
  const { stakeRegistryAbi, explainChainError } = await import('../../chain/index.ts')
  const { client, deployment, sender } = action
  try {
    const stakeId = await client.readContract({
      address: deployment.registry,
      abi: stakeRegistryAbi,
      functionName: 'stakeOfOperator',
      args: [sender],
    })
    if (stakeId !== 0n) return Number(stakeId)
  } catch (error) {
    throw explainChainError(error)
  }
  throw new UsageError('NO_STAKE', `operator ${sender} has no stake`, {
    hint: '`suprnova stake register` makes one; --stake ID names another',
    values: { operator: sender },
  })
}

/** What an action did, or would do, in both forms. `lines` are its consequences for people. */
export function actionResult<C>(
  result: ActionResult<C>,
  said: { did: string; would: string },
  lines: Readonly<Record<string, string | number | bigint | undefined>>,
): Result {
  const cost = { gas: result.gas, fee: `${formatAmount(result.feeWei)} native coin` }
  const text = result.sent
    ? [said.did, facts({ ...lines, ...cost, transaction: result.hash, block: result.blockNumber })]
    : [`${said.would} Nothing was sent.`, facts({ ...lines, ...cost })]
  return { data: result, text: text.join('\n') }
}

/** An amount for people. */
export function egi(wei: bigint): string {
  return `${formatAmount(wei)} EGI`
}
