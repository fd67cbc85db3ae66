import { type Address, type Hex, type Logger, SuprnovaError } from '../../core/index.ts'
import type { Court } from './court.ts'
import type { Outbox } from './outbox.ts'
import {
  capAt,
  capped,
  type Flight,
  freeNonce,
  isOnItsWay,
  type NoncePosition,
  type NonceStep,
  planNonces,
  type SentTransaction,
} from './transaction.ts'

const GAS_MARGIN_PERCENT = 130n
/** Gas of a transfer that only uses a nonce up. */
const FILL_GAS = 21_000n
/** What an RPC says that bounds what a transaction may cost, whoever pays. */
const ABOVE_RPC_CAP = /exceeds the configured cap/i

export interface GasKeyModules {
  readonly court: Court
  readonly outbox: Outbox
  readonly logger: Logger
}

/** The transactions of the gas key, from before they are sent until their nonces are used for good. */
export class GasKey {
  readonly #maxFeePerGasWei: bigint
  readonly #modules: GasKeyModules
  readonly #transactions = new Map<number, SentTransaction>()
  readonly #flights = new Map<number, Flight>()

  constructor(maxFeePerGasWei: bigint, modules: GasKeyModules) {
    this.#maxFeePerGasWei = maxFeePerGasWei
    this.#modules = modules
    for (const sent of modules.outbox.transactions()) this.#transactions.set(sent.nonce, sent)
  }

  get isIdle(): boolean {
    return this.#transactions.size === 0
  }

  isOnItsWay(purpose: string, position: NoncePosition): boolean {
    return isOnItsWay([...this.#transactions.values()], purpose, position.minedNonce)
  }

  /** Sends again, replaces, fills and forgets, as {@link planNonces} says. */
  async tend(position: NoncePosition): Promise<void> {
    if (this.isIdle) return
    const fees = await this.#modules.court.fees()
    const sent = [...this.#transactions.values()]
    const failures: unknown[] = []
    for (const step of planNonces(sent, this.#flights, position, fees, this.#maxFeePerGasWei)) {
      try {
        await this.#take(step, position, fees)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /**
   * Sends a call, to the court unless told otherwise, under the lowest free nonce.
   * @param how `mayBeForgotten`: it is sent though the disk does not take it. A crash then forgets it, and its nonce may be
   * used for another, which costs a fee at most; an answer that comes too late costs a tenth of the stake. `yields`: it is
   * not sent while what others let wait in the mempool would make it fail. They may never let that happen, so nothing that
   * must be said waits for them.
   */
  async send(
    purpose: string,
    data: Hex,
    position: NoncePosition,
    how: { readonly to?: Address; readonly mayBeForgotten?: boolean; readonly yields?: boolean } = {},
  ): Promise<void> {
    const { court } = this.#modules
    const { mayBeForgotten = false, to, yields = false } = how
    const gas = ((await court.gasFor(data, yields ? 'pending' : 'latest', to)) * GAS_MARGIN_PERCENT) / 100n
    const transactions = [...this.#transactions.values()]
    const nonce = freeNonce(transactions, position.minedNonce)
    const fees = capped(await court.fees(), capAt(nonce, [...transactions, { nonce, purpose }], this.#maxFeePerGasWei))
    const unsigned = { nonce, purpose, to: to ?? court.address, data, gas, ...fees }
    await this.#dispatch(unsigned, position.headNumber, mayBeForgotten)
  }

  async #take(step: NonceStep, position: NoncePosition, fees: Awaited<ReturnType<Court['fees']>>): Promise<void> {
    const { court, outbox, logger } = this.#modules
    const { nonce } = step
    const transaction = this.#transactions.get(nonce)
    if (step.do === 'forget') {
      await outbox.deleteTransaction(nonce)
      this.#transactions.delete(nonce)
      this.#flights.delete(nonce)
    } else if (step.do === 'noteUsed') {
      this.#flights.set(nonce, { ...this.#flights.get(nonce), usedAtBlock: position.headNumber })
    } else if (step.do === 'fill') {
      logger.warn('filling a nonce that nothing uses', { nonce })
      const empty = { nonce, purpose: `fill ${nonce}`, to: court.reporter, data: '0x' as Hex, gas: FILL_GAS }
      const cap = capAt(nonce, [...this.#transactions.values()], this.#maxFeePerGasWei)
      await this.#dispatch({ ...empty, ...capped(fees, cap) }, position.headNumber, true)
    } else if (transaction !== undefined && step.do === 'replace') {
      logger.warn('changing the fee', { nonce, maxFeePerGas: String(step.fees.maxFeePerGas) })
      await this.#dispatch({ ...transaction, ...step.fees }, position.headNumber, true)
    } else if (transaction !== undefined) {
      await this.#handOver(transaction, position.headNumber)
    }
  }

  /**
   * Signs, makes durable, and only then sends: after a crash in between the very same transaction is sent.
   * @param mayBeForgotten so may what fills a nonce or has another price: an answer may wait for it while the disk is full
   */
  async #dispatch(unsigned: Omit<SentTransaction, 'raw'>, headNumber: number, mayBeForgotten = false): Promise<void> {
    const { court, logger, outbox } = this.#modules
    const signed = await court.sign(unsigned)
    try {
      await outbox.putTransaction(signed)
    } catch (error) {
      if (!mayBeForgotten) throw error
      logger.warn('a transaction is sent that the disk did not take', { purpose: signed.purpose, error: String(error) })
    }
    this.#transactions.set(signed.nonce, signed)
    await this.#handOver(signed, headNumber)
  }

  async #handOver(transaction: SentTransaction, headNumber: number): Promise<void> {
    this.#flights.delete(transaction.nonce)
    try {
      await this.#modules.court.send(transaction)
    } catch (error) {
      // What an RPC refuses needs another price, in a while. What did not arrive is sent again as it is.
      if (isTooDear(error)) this.#flights.set(transaction.nonce, { isTooDear: true })
      else if (error instanceof SuprnovaError && error.code === 'CHAIN_REFUSED') {
        this.#flights.set(transaction.nonce, { sentAtBlock: headNumber })
      }
      throw error
    }
    this.#flights.set(transaction.nonce, { sentAtBlock: headNumber })
  }
}

function isTooDear(error: unknown): boolean {
  if (!(error instanceof SuprnovaError)) return false
  return error.code === 'CHAIN_NO_GAS_MONEY' || (error.code === 'CHAIN_REFUSED' && ABOVE_RPC_CAP.test(error.message))
}
