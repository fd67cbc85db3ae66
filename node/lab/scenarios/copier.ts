import { setTimeout as pause } from 'node:timers/promises'
import { decodeFunctionData, encodeFunctionData, parseEther, parseGwei } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { privateKeyToAccount } from 'viem/accounts'
import { systemRandom } from '../../api/index.ts'
import { commitmentOf, faultCourtAbi } from '../../chain/index.ts'
import { type Address, type Hex, toHex } from '../../core/index.ts'
import type { PrivateNetwork } from '../network/private-network.ts'
import { until } from '../network/until.ts'
import type { TranscriptEvent } from '../transcript.ts'
import { strangerKey } from './play.ts'

const LOOK_EVERY_MS = 20
const MINED_WITHIN_MS = 30_000
const GAS = 500_000n
/** Far above what anybody else offers: its transactions stand first in their block. */
const TIP = parseGwei('50')

interface Pending {
  readonly from: Address
  readonly to: Address | null
  readonly input: Hex
  readonly hash: Hex
}

/** What it took from somebody's submission. */
interface Loot {
  readonly faultType: number
  readonly evidence: Hex
  readonly faultId: Hex
}

/**
 * Sits in the mempool. It sends every commitment and every submission that it sees again, in front of the original; with
 * the evidence it just read it commits for itself in the same block, and claims with everything it has.
 */
export class Copier {
  readonly address: Address
  readonly #account: PrivateKeyAccount
  readonly #network: PrivateNetwork
  readonly #write: (event: TranscriptEvent) => void
  readonly #seen = new Set<Hex>()
  readonly #commitments = new Set<Hex>()
  readonly #stop = new AbortController()
  readonly #salt = toHex(systemRandom.bytes(32))
  #nonce = 0
  #loot: Loot | undefined
  #watching: Promise<void> = Promise.resolve()
  readonly #sent: { readonly call: string; readonly hash: Hex }[] = []

  constructor(network: PrivateNetwork, write: (event: TranscriptEvent) => void) {
    this.#account = privateKeyToAccount(strangerKey())
    this.address = this.#account.address.toLowerCase() as Address
    this.#network = network
    this.#write = write
  }

  async begin(): Promise<void> {
    await this.#network.chain.request('hardhat_setBalance', [this.address, toHexWei(parseEther('100'))])
    this.#watching = this.#watch()
  }

  /** Claims with its own late commitment, and for itself with the commitments it copied; then tells all it did. */
  async claimAll(): Promise<void> {
    this.#stop.abort()
    await this.#watching
    const loot = this.#loot
    if (loot !== undefined) {
      const claim = (reporter: Address, salt: Hex) =>
        this.#send(
          'claim',
          encodeFunctionData({
            abi: faultCourtAbi,
            functionName: 'claim',
            args: [loot.faultType, loot.evidence, reporter, this.address, salt],
          }),
        )
      await claim(this.address, this.#salt)
      for (const copied of this.#commitments) await claim(this.address, copied)
    }
    for (const { call, hash } of this.#sent) await this.#tell(call, hash)
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const block = (await this.#network.chain.request('eth_getBlockByNumber', ['pending', true])) as {
        transactions: readonly Pending[]
      }
      for (const transaction of block.transactions) await this.#consider(transaction)
      await pause(LOOK_EVERY_MS)
    }
  }

  async #consider({ from, to, input, hash }: Pending): Promise<void> {
    const { court } = this.#network.deployment
    if (from.toLowerCase() === this.address || to?.toLowerCase() !== court || this.#seen.has(hash)) return
    this.#seen.add(hash)
    const { functionName, args } = decodeFunctionData({ abi: faultCourtAbi, data: input })
    if (functionName === 'commit') {
      this.#commitments.add(args[0])
      await this.#send('commit', input)
    }
    if (functionName !== 'submit' || this.#loot !== undefined) return
    const [faultType, evidence] = args
    const faultId = (await this.#network.client.call({ account: this.address, to: court, data: input })).data as Hex
    this.#loot = { faultType, evidence, faultId }
    const parts = { reporter: this.address, beneficiary: this.address, faultId, evidence, salt: this.#salt }
    const commit = encodeFunctionData({ abi: faultCourtAbi, functionName: 'commit', args: [commitmentOf(parts)] })
    await this.#send('commit', commit)
    await this.#send('submit', input)
  }

  async #send(call: string, data: Hex): Promise<void> {
    const { client, deployment } = this.#network
    const { baseFeePerGas } = await client.getBlock()
    const raw = await this.#account.signTransaction({
      type: 'eip1559',
      chainId: Number(deployment.chainId),
      nonce: this.#nonce++,
      to: deployment.court,
      data,
      gas: GAS,
      maxPriorityFeePerGas: TIP,
      maxFeePerGas: TIP + 2n * (baseFeePerGas ?? 0n),
    })
    this.#sent.push({ call, hash: await client.sendRawTransaction({ serializedTransaction: raw }) })
  }

  async #tell(call: string, hash: Hex): Promise<void> {
    const receipt = await until(`${call} of the copier is mined`, MINED_WITHIN_MS, async () => {
      const found = await this.#network.chain.request('eth_getTransactionReceipt', [hash])
      return found === null ? undefined : (found as { blockNumber: Hex; transactionIndex: Hex; status: Hex })
    })
    this.#write({
      type: 'transaction',
      actor: 'copier',
      call,
      hash,
      blockNumber: Number(receipt.blockNumber),
      index: Number(receipt.transactionIndex),
      succeeded: receipt.status === '0x1',
    })
  }
}

function toHexWei(wei: bigint): Hex {
  return `0x${wei.toString(16)}`
}
