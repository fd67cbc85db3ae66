import type { ChainWallet } from '../../chain/index.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { type KeyRole, type KeyValues, openKey } from '../keys/key-file.ts'
import { type Connection, isLocalChain } from './connect.ts'

/** An account that a local chain itself holds the key of: `dev:0`. */
const LOCAL_ACCOUNT = /^dev:(\d{1,3})$/

/**
 * A wallet that sends from a key of this machine, or from an account of a local chain (`dev:N`).
 * @throws {UsageError} for `dev:N` on a chain that is not local, or has no such account
 */
export async function openWallet(
  role: KeyRole | undefined,
  written: string | undefined,
  values: KeyValues,
  connection: Pick<Connection, 'client' | 'rpcUrls'>,
  context: Context,
): Promise<ChainWallet> {
  const { createWalletClient, fallback, http } = await import('viem')
  const transport = fallback(connection.rpcUrls.map((url) => http(url, { retryCount: 1 })))
  const local = LOCAL_ACCOUNT.exec(written ?? '')
  if (local !== null) {
    const account = await localAccount(Number(local[1]), connection)
    return createWalletClient({ account, transport }) as ChainWallet
  }
  const { privateKeyToAccount } = await import('viem/accounts')
  const { privateKey } = await openKey(role, written, values, context)
  return createWalletClient({ account: privateKeyToAccount(privateKey), transport }) as ChainWallet
}

async function localAccount(index: number, { client }: Pick<Connection, 'client'>): Promise<`0x${string}`> {
  const chainId = BigInt(await client.getChainId())
  if (!isLocalChain(chainId)) {
    throw new UsageError(
      'DEV_ACCOUNT_ELSEWHERE',
      `dev:${index} is an account of local chains, the RPC is on chain ${chainId}`,
      {
        hint: 'name a key of your own',
        values: { chainId },
      },
    )
  }
  const accounts = (await client.request({ method: 'eth_accounts' } as never)) as readonly `0x${string}`[]
  const account = accounts[index]
  if (account !== undefined) return account
  throw new UsageError(
    'DEV_ACCOUNT_UNKNOWN',
    `the local chain has ${accounts.length} accounts: dev:${index} is none of them`,
    {
      values: { index, accounts: accounts.length },
    },
  )
}
