import type { Account, Chain, PublicClient, Transport, WalletClient } from 'viem'
import type { Address, Hex } from '../core/index.ts'

/** A viem client that reads. Rooms take it as given; {@link openRpc} makes one over several RPCs. */
export type ChainClient = PublicClient

/** A viem client that sends from one account: the operator's for stakes, the gas key for reports. Never the node key. */
export type ChainWallet = WalletClient<Transport, Chain | undefined, Account>

/** Where a deployment lives on its chain. */
export interface Deployment {
  readonly chainId: bigint
  readonly coordinator: Address
  readonly registry: Address
  readonly court: Address
  readonly token: Address
  readonly lens: Address
  /** `AvailabilityChallenge`. */
  readonly availability: Address
  readonly salt: Hex
  /** Nothing of the registry happened before this block. */
  readonly deployBlock: number
}
