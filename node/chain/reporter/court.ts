import { encodeFunctionData, keccak256 } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { Address, Hex } from '../../core/index.ts'
import { faultCourtAbi } from '../abi.generated.ts'
import type { ChainClient, Deployment } from '../client.ts'
import { ASSUMED_FINAL_DEPTH_BLOCKS } from '../constants.ts'
import { explainChainError } from '../contract-errors.ts'
import { ChainError, ContractRefusedError } from '../errors.ts'
import type { Case, CourtFacts } from './case.ts'
import type { Fees, NoncePosition, SentTransaction } from './transaction.ts'

/** Where the chain and the gas key stand. */
export interface ChainPosition extends NoncePosition {
  /** Unix seconds. */
  readonly headTimestamp: number
}

/** The chain as the reporter needs it. */
export interface Court {
  /** The gas key's account: who commits and pays. */
  readonly reporter: Address
  readonly address: Address
  position(): Promise<ChainPosition>
  /** What the court has on a case, at the newest block. */
  facts(of: Case): Promise<Omit<CourtFacts, 'headNumber' | 'headTimestamp' | 'finalNumber' | 'tombstoned'>>
  /** Tries a call from the gas key, to the court unless told otherwise. Returns the refusal, or `undefined` when it would go through. */
  refusal(data: Hex, at: 'latest' | 'pending', to?: Address): Promise<ContractRefusedError | undefined>
  gasFor(data: Hex, at: 'latest' | 'pending', to?: Address): Promise<bigint>
  fees(): Promise<Fees>
  /** Signs; sends nothing. */
  sign(transaction: Omit<SentTransaction, 'raw'>): Promise<SentTransaction>
  /** Hands a signed transaction to the RPC. One it knows, or whose nonce is used, is no error. */
  send(transaction: SentTransaction): Promise<void>
}

/** The calls of a case. */
export const caseCalls = {
  commit: (of: Case): Hex => encodeFunctionData({ abi: faultCourtAbi, functionName: 'commit', args: [of.commitment] }),
  submit: (of: Case): Hex =>
    encodeFunctionData({ abi: faultCourtAbi, functionName: 'submit', args: [of.faultType, of.evidence] }),
  claim: (of: Case): Hex =>
    encodeFunctionData({
      abi: faultCourtAbi,
      functionName: 'claim',
      args: [of.faultType, of.evidence, of.reporter, of.beneficiary, of.salt],
    }),
  release: (of: Case): Hex => encodeFunctionData({ abi: faultCourtAbi, functionName: 'release', args: [of.faultId] }),
} as const

const KNOWN_OR_USED =
  /already known|known transaction|already imported|nonce too low|nonce.*too low|lower than the current nonce/i

/** {@link Court} over viem. `gasKey` must not be the node key. */
export function openCourt(client: ChainClient, deployment: Deployment, gasKey: PrivateKeyAccount): Court {
  const read = { address: deployment.court, abi: faultCourtAbi } as const
  const from = { account: gasKey.address, to: deployment.court } as const
  return {
    reporter: gasKey.address.toLowerCase() as Address,
    address: deployment.court,

    async position() {
      const minedNonce = await client.getTransactionCount({ address: gasKey.address, blockTag: 'latest' })
      const head = await client.getBlock()
      const headNumber = Number(head.number)
      return {
        minedNonce,
        headNumber,
        headTimestamp: Number(head.timestamp),
        finalNumber: await finalNumber(client, headNumber),
      }
    },

    async facts(of) {
      const [commitBlock, fault, claim] = await Promise.all([
        client.readContract({ ...read, functionName: 'commitBlockOf', args: [of.commitment] }),
        client.readContract({ ...read, functionName: 'faultOf', args: [of.faultId] }),
        client.readContract({ ...read, functionName: 'bestClaimOf', args: [of.faultId] }),
      ])
      return {
        commitBlock: Number(commitBlock),
        slashedBlock: Number(fault.slashedBlock),
        slashedAt: Number(fault.slashedAt),
        escrowedWei: fault.escrowed,
        released: fault.released,
        best:
          claim.commitBlock === 0n
            ? undefined
            : { beneficiary: claim.beneficiary.toLowerCase() as Address, commitBlock: Number(claim.commitBlock) },
      }
    },

    async refusal(data, at, to = deployment.court) {
      try {
        await client.call({ ...from, to, data, blockTag: at })
        return undefined
      } catch (error) {
        const explained = explainChainError(error)
        if (explained instanceof ContractRefusedError) return explained
        throw explained
      }
    },

    gasFor: (data, at, to = deployment.court) => client.estimateGas({ ...from, to, data, blockTag: at }),

    async fees() {
      const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas()
      return { maxFeePerGas, maxPriorityFeePerGas }
    },

    async sign(transaction) {
      const { nonce, to, data, gas, maxFeePerGas, maxPriorityFeePerGas } = transaction
      const raw = await gasKey.signTransaction({
        type: 'eip1559',
        chainId: Number(deployment.chainId),
        nonce,
        to,
        data,
        gas,
        maxFeePerGas,
        maxPriorityFeePerGas,
      })
      return { ...transaction, raw }
    },

    async send({ raw }) {
      try {
        const hash = await client.sendRawTransaction({ serializedTransaction: raw })
        if (hash !== keccak256(raw)) {
          throw new ChainError('RPC_WRONG_HASH', `the RPC answered ${hash} to transaction ${keccak256(raw)}`, {
            hint: 'use another RPC',
          })
        }
      } catch (error) {
        if (error instanceof Error && KNOWN_OR_USED.test(error.message)) return
        throw explainChainError(error)
      }
    },
  }
}

async function finalNumber(client: ChainClient, headNumber: number): Promise<number> {
  try {
    return Number((await client.getBlock({ blockTag: 'finalized' })).number)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    // Chains without finality refuse the tag; how deep they reorganise is then an assumption.
    return headNumber - ASSUMED_FINAL_DEPTH_BLOCKS
  }
}
