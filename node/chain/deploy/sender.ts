import {
  type Abi,
  BaseError,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  type TransactionReceipt,
  type Transport,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { Address, Hex } from '../../core/index.ts'
import type { ChainClient } from '../client.ts'
import type { Artifact } from './artifacts.ts'
import { RECEIPT_TIMEOUT_MS } from './constants.ts'
import { DeployError } from './errors.ts'

const POLLING_INTERVAL_MS = 100

/** Sends from one account with nonces of its own, so that addresses are known before they exist. */
export interface Sender {
  readonly address: Address
  readonly client: ChainClient
  /** Where the contract created by the transaction `offset` places after the next one will stand. */
  addressAfter(offset: number): Address
  /** Resolves with the address once mined. Nonces are taken in the order of the calls. */
  create(
    step: string,
    artifact: Artifact,
    args?: readonly unknown[],
  ): Promise<{ address: Address; blockNumber: bigint }>
  call(
    step: string,
    to: Address,
    abi: Abi | readonly unknown[],
    functionName: string,
    args: readonly unknown[],
  ): Promise<void>
  /** A transaction that does nothing but be in a block. */
  touch(step: string): Promise<void>
}

/** @throws DeployError `DEPLOY_UNREACHABLE` when the chain does not answer. */
export async function openSender(transport: Transport, privateKey: Hex): Promise<Sender> {
  const account = privateKeyToAccount(privateKey)
  const client = createPublicClient({ transport, pollingInterval: POLLING_INTERVAL_MS, cacheTime: 0 })
  const wallet = createWalletClient({ transport, account })
  let nonce: number
  try {
    nonce = await client.getTransactionCount({ address: account.address, blockTag: 'pending' })
  } catch (cause) {
    throw new DeployError('DEPLOY_UNREACHABLE', `the chain does not answer: ${reason(cause)}`, {
      hint: 'check the RPC url; a local chain starts with `suprnova chain start`',
      cause,
    })
  }

  let lastSubmitted: Promise<unknown> = Promise.resolve()
  const send = async (
    step: string,
    transaction: { to?: Address; data?: Hex; value?: bigint },
  ): Promise<TransactionReceipt> => {
    const own = nonce++
    try {
      // One after the other: a chain that mines on demand refuses nonces that come early.
      const submitted = lastSubmitted.then(() => wallet.sendTransaction({ ...transaction, nonce: own, chain: null }))
      lastSubmitted = submitted
      const hash = await submitted
      const receipt = await client.waitForTransactionReceipt({ hash, timeout: RECEIPT_TIMEOUT_MS })
      if (receipt.status === 'success') return receipt
      throw new DeployError('DEPLOY_FAILED', `step "${step}" failed: transaction ${hash} reverted`, {
        values: { step, hash },
      })
    } catch (cause) {
      if (cause instanceof DeployError) throw cause
      throw new DeployError('DEPLOY_FAILED', `step "${step}" failed: ${reason(cause)}`, {
        hint: 'what was deployed so far is left alone; mend the cause and deploy again from the start',
        values: { step, nonce: own },
        cause,
      })
    }
  }

  return {
    address: account.address.toLowerCase() as Address,
    client,
    addressAfter: (offset) =>
      getContractAddress({ from: account.address, nonce: BigInt(nonce + offset) }).toLowerCase() as Address,
    async create(step, artifact, args = []) {
      const data = encodeDeployData({ abi: artifact.abi, bytecode: artifact.bytecode, args })
      const receipt = await send(step, { data })
      return { address: receipt.contractAddress?.toLowerCase() as Address, blockNumber: receipt.blockNumber }
    },
    async call(step, to, abi, functionName, args) {
      await send(step, { to, data: encodeFunctionData({ abi: abi as Abi, functionName, args }) })
    },
    async touch(step) {
      await send(step, { to: account.address.toLowerCase() as Address, value: 0n })
    },
  }
}

function reason(cause: unknown): string {
  return cause instanceof BaseError ? cause.shortMessage : String(cause)
}
