import type { TransactionReceipt } from 'viem'
import type { Address, Hex } from '../../core/index.ts'
import type { ChainClient, ChainWallet, Deployment } from '../client.ts'
import { explainChainError } from '../contract-errors.ts'
import { ChainError } from '../errors.ts'

/** Estimates are exact for the state they saw; the next block's may cost a little more. */
const GAS_MARGIN_PERCENT = 120n

export interface ReadModules {
  readonly client: ChainClient
  readonly deployment: Deployment
}

export interface ActionModules extends ReadModules {
  /** Sends and pays. For a stake's own actions: the operator. */
  readonly wallet: ChainWallet
}

export interface ActionOptions {
  /** Sends nothing; says what would happen and what it would cost. */
  readonly simulate?: boolean
}

/** What an action did, or would do. `consequences` has one shape for both. */
export type ActionResult<C> =
  | { readonly sent: false; readonly gas: bigint; readonly feeWei: bigint; readonly consequences: C }
  | {
      readonly sent: true
      readonly hash: Hex
      readonly blockNumber: bigint
      readonly gas: bigint
      readonly feeWei: bigint
      readonly consequences: C
    }

export interface Call<C> {
  readonly to: Address
  readonly data: Hex
  /** Coins sent along, in wei. */
  readonly value?: bigint
  /** What will happen, from the state as it is; `returned` is the call's return data. */
  readonly foresee: (returned: Hex) => C | Promise<C>
  /** What did happen, from the receipt's logs. Without it the foreseen consequences are returned. */
  readonly happened?: (receipt: TransactionReceipt) => C
}

/**
 * Tries a call against the chain and, unless told to simulate, sends it and waits until it is mined.
 * @throws {ContractRefusedError} with the contract's reason; {@link ChainError}; {@link RpcUnavailableError}
 */
export async function act<C>(
  modules: ActionModules,
  call: Call<C>,
  options: ActionOptions = {},
): Promise<ActionResult<C>> {
  const { client, wallet } = modules
  const { to, data, value = 0n } = call
  try {
    const { data: returned } = await client.call({ account: wallet.account, to, data, value })
    const estimate = await client.estimateGas({ account: wallet.account, to, data, value })
    const foreseen = await call.foresee(returned ?? '0x')
    if (options.simulate === true) {
      const { maxFeePerGas } = await client.estimateFeesPerGas()
      return { sent: false, gas: estimate, feeWei: estimate * maxFeePerGas, consequences: foreseen }
    }
    const gas = (estimate * GAS_MARGIN_PERCENT) / 100n
    const { account } = wallet
    const hash = await wallet.sendTransaction({ account, chain: wallet.chain ?? null, to, data, value, gas })
    const receipt = await client.waitForTransactionReceipt({ hash })
    if (receipt.status === 'reverted') {
      await client.call({ account: wallet.account, to, data, value, blockNumber: receipt.blockNumber })
      throw new ChainError(
        'CHAIN_REVERTED',
        `transaction ${hash} was mined in block ${receipt.blockNumber} and reverted`,
        {
          hint: 'something changed between the trial and the block; run the command again',
          values: { hash, blockNumber: receipt.blockNumber },
        },
      )
    }
    return {
      sent: true,
      hash,
      blockNumber: receipt.blockNumber,
      gas: receipt.gasUsed,
      feeWei: receipt.gasUsed * receipt.effectiveGasPrice,
      consequences: call.happened?.(receipt) ?? foreseen,
    }
  } catch (error) {
    throw explainChainError(error)
  }
}

/** Reads, with the errors of {@link act}. */
export async function read<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw explainChainError(error)
  }
}
