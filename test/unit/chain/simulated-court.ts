import { decodeFunctionData } from 'viem'
import { faultCourtAbi } from '../../../node/chain/abi.generated.ts'
import { commitmentOf } from '../../../node/chain/actions/commitmentOf.ts'
import { ContractRefusedError } from '../../../node/chain/errors.ts'
import type { Court } from '../../../node/chain/reporter/court.ts'
import type { Fees, SentTransaction } from '../../../node/chain/reporter/transaction.ts'
import type { Address, Hex } from '../../../node/core/index.ts'

export const COURT_ADDRESS: Address = `0x${'c0'.repeat(20)}`
export const REWARD_WINDOW_SECONDS = 30
const BLOCK_SECONDS = 1
const ESCROW_WEI = 5n

interface Pooled extends SentTransaction {
  readonly from: Address
}

interface Block {
  readonly number: number
  readonly timestamp: number
  readonly transactions: readonly Pooled[]
}

interface State {
  readonly commits: Map<Hex, number>
  readonly faults: Map<Hex, { slashedBlock: number; slashedAt: number; released: boolean }>
  readonly claims: Map<Hex, { beneficiary: Address; commitBlock: number }>
  readonly nonces: Map<Address, number>
  readonly paid: Map<Address, bigint>
  readonly slashes: Hex[]
  readonly reverted: string[]
}

/** The court's rules on a chain with a mempool, base fee, finality and reorgs, all in memory and replayable. */
export class SimulatedCourt {
  baseFee = 10n
  /** Blocks behind the head that are final. */
  finalDepth = 0
  /** A chain whose mempool forgets. */
  losesMempool = false
  readonly #faultOf = new Map<Hex, Hex>()
  #blocks: Block[] = [{ number: 1, timestamp: 1_000, transactions: [] }]
  #pool: Pooled[] = []

  /** Evidence that this court takes, and for which fault. */
  acceptEvidence(evidence: Hex, faultId: Hex): void {
    this.#faultOf.set(evidence, faultId)
  }

  get state(): State {
    return this.#replay(this.#blocks)
  }

  get poolSize(): number {
    return this.#pool.length
  }

  get pool(): readonly SentTransaction[] {
    return this.#pool
  }

  dropMempool(): void {
    this.#pool = []
  }

  mine(): void {
    const head = this.#head
    const { nonces } = this.state
    const taken: Pooled[] = []
    const byPrice = [...this.#pool].sort(
      (a, b) => Number(b.maxPriorityFeePerGas - a.maxPriorityFeePerGas) || a.nonce - b.nonce,
    )
    for (let again = true; again; ) {
      again = false
      for (const transaction of byPrice) {
        const next = nonces.get(transaction.from) ?? 0
        if (taken.includes(transaction) || transaction.nonce !== next || transaction.maxFeePerGas < this.baseFee)
          continue
        taken.push(transaction)
        nonces.set(transaction.from, next + 1)
        again = true
      }
    }
    this.#pool = this.#pool.filter((transaction) => transaction.nonce >= (nonces.get(transaction.from) ?? 0))
    this.#blocks.push({ number: head.number + 1, timestamp: head.timestamp + BLOCK_SECONDS, transactions: taken })
  }

  /** Takes `depth` blocks back. Their transactions go back to the mempool, or are lost. */
  reorg(depth: number): void {
    const dropped = this.#blocks.splice(Math.max(1, this.#blocks.length - depth))
    if (!this.losesMempool) this.#pool.push(...dropped.flatMap(({ transactions }) => transactions))
    // The new chain is as long as the old one was.
    for (const _ of dropped) {
      const pool = this.#pool
      this.#pool = []
      this.mine()
      this.#pool = pool
    }
  }

  skipSeconds(seconds: number): void {
    const head = this.#head
    this.#blocks.push({ number: head.number + 1, timestamp: head.timestamp + seconds, transactions: [] })
  }

  /** The chain as one gas key meets it. */
  courtOf(reporter: Address): Court {
    return {
      reporter,
      address: COURT_ADDRESS,
      position: async () => ({
        minedNonce: this.state.nonces.get(reporter) ?? 0,
        headNumber: this.#head.number,
        headTimestamp: this.#head.timestamp,
        finalNumber: this.#head.number - this.finalDepth,
      }),
      facts: async (of) => {
        const { commits, faults, claims } = this.state
        const fault = faults.get(of.faultId)
        return {
          commitBlock: commits.get(of.commitment) ?? 0,
          slashedBlock: fault?.slashedBlock ?? 0,
          slashedAt: fault?.slashedAt ?? 0,
          escrowedWei: fault === undefined || fault.released ? 0n : ESCROW_WEI,
          released: fault?.released ?? false,
          best: claims.get(of.faultId),
        }
      },
      refusal: async (data, at) => this.#refusal(reporter, data, at),
      gasFor: async (data, at) => {
        const refusal = this.#refusal(reporter, data, at)
        if (refusal !== undefined) throw refusal
        return 100_000n
      },
      fees: async (): Promise<Fees> => ({ maxFeePerGas: this.baseFee * 2n, maxPriorityFeePerGas: 1n }),
      sign: async (transaction) => ({
        ...transaction,
        raw: `0x${Buffer.from(JSON.stringify({ ...transaction, gas: '', maxFeePerGas: `${transaction.maxFeePerGas}`, maxPriorityFeePerGas: `${transaction.maxPriorityFeePerGas}` })).toString('hex')}`,
      }),
      send: async (transaction) => this.#accept({ ...transaction, from: reporter }),
    }
  }

  #refusal(reporter: Address, data: Hex, at: 'latest' | 'pending'): ContractRefusedError | undefined {
    const state = this.state
    const block = { ...this.#head, number: this.#head.number + 1, timestamp: this.#head.timestamp + BLOCK_SECONDS }
    const waiting = at === 'latest' ? [] : this.#pool.filter(({ from }) => from !== reporter)
    for (const transaction of waiting) this.#execute(state, transaction.data, block)
    const error = this.#execute(state, data, block)
    return error === undefined ? undefined : new ContractRefusedError(`CONTRACT_${error}`, error, { values: { error } })
  }

  get #head(): Block {
    return this.#blocks.at(-1) as Block
  }

  #accept(transaction: Pooled): void {
    if (transaction.nonce < (this.state.nonces.get(transaction.from) ?? 0)) return
    const at = this.#pool.findIndex(({ from, nonce }) => from === transaction.from && nonce === transaction.nonce)
    const known = this.#pool[at]
    if (known === undefined) this.#pool.push(transaction)
    else if (known.raw !== transaction.raw) {
      if (transaction.maxFeePerGas * 100n < known.maxFeePerGas * 110n)
        throw new Error('replacement transaction underpriced')
      this.#pool[at] = transaction
    }
  }

  #replay(blocks: readonly Block[]): State {
    const state: State = {
      commits: new Map(),
      faults: new Map(),
      claims: new Map(),
      nonces: new Map(),
      paid: new Map(),
      slashes: [],
      reverted: [],
    }
    for (const block of blocks) {
      for (const { from, nonce, data, purpose } of block.transactions) {
        state.nonces.set(from, nonce + 1)
        const error = this.#execute(state, data, block)
        if (error !== undefined) state.reverted.push(`${purpose}: ${error}`)
      }
    }
    return state
  }

  /** Returns the name of the error it reverts with. */
  #execute(state: State, data: Hex, block: Omit<Block, 'transactions'>): string | undefined {
    if (data === '0x') return undefined
    const call = decodeFunctionData({ abi: faultCourtAbi, data })
    if (call.functionName === 'commit') {
      const [commitment] = call.args
      if (state.commits.has(commitment)) return 'AlreadyCommitted'
      state.commits.set(commitment, block.number)
    } else if (call.functionName === 'submit') {
      const faultId = this.#faultOf.get(call.args[1])
      if (faultId === undefined) return 'NotFaulty'
      if (state.faults.has(faultId)) return 'AlreadySlashed'
      state.faults.set(faultId, { slashedBlock: block.number, slashedAt: block.timestamp, released: false })
      state.slashes.push(faultId)
    } else if (call.functionName === 'claim') {
      const [, evidence, reporter, beneficiary, salt] = call.args
      const faultId = this.#faultOf.get(evidence)
      const fault = faultId === undefined ? undefined : state.faults.get(faultId)
      if (faultId === undefined || fault === undefined) return 'UnknownFault'
      if (block.timestamp >= fault.slashedAt + REWARD_WINDOW_SECONDS) return 'ClaimWindowClosed'
      const commitment = commitmentOf({ reporter, beneficiary, faultId, evidence, salt })
      const commitBlock = state.commits.get(commitment)
      if (commitBlock === undefined) return 'UnknownCommitment'
      if (commitBlock >= fault.slashedBlock) return 'CommitNotBeforeSlash'
      const best = state.claims.get(faultId)
      if (best !== undefined && commitBlock >= best.commitBlock) return 'NotEarlier'
      state.claims.set(faultId, { beneficiary: beneficiary.toLowerCase() as Address, commitBlock })
    } else if (call.functionName === 'release') {
      const [faultId] = call.args
      const fault = state.faults.get(faultId)
      if (fault === undefined) return 'UnknownFault'
      if (fault.released) return 'AlreadyReleased'
      if (block.timestamp < fault.slashedAt + REWARD_WINDOW_SECONDS) return 'ClaimWindowOpen'
      fault.released = true
      const to = state.claims.get(faultId)?.beneficiary
      if (to !== undefined) state.paid.set(to, (state.paid.get(to) ?? 0n) + ESCROW_WEI)
    }
    return undefined
  }
}
